/**
 * Bytes in a query stay the caller's, who may fill the same buffer again while the query waits for
 * its turn, or long after. A compiled query has copies of its own, in its parameters and in its
 * tree alike: what a result is kept by is read from the tree.
 */

import type { CompiledQuery, QueryCompiler, RootOperationNode } from "kysely";
import { ownBytes } from "../core/own-bytes.ts";
import { isPlainObject } from "../core/plain-object.ts";

/** A compiler whose queries share no bytes with their callers. */
export function ownBytesCompiler(compiler: QueryCompiler): QueryCompiler {
  return {
    compileQuery(node: RootOperationNode, id): CompiledQuery {
      const query = compiler.compileQuery(node, id);
      if (!query.parameters.some((value) => value instanceof Uint8Array)) return query;
      return compiler.compileQuery(withOwnBytes(node) as RootOperationNode, id);
    },
  };
}

/** The same tree, with copies of all bytes in it. */
function withOwnBytes(part: unknown): unknown {
  if (part instanceof Uint8Array) return ownBytes(part);
  if (Array.isArray(part)) return part.map(withOwnBytes);
  if (!isPlainObject(part)) return part;
  return Object.fromEntries(Object.entries(part).map(([key, value]) => [key, withOwnBytes(value)]));
}
