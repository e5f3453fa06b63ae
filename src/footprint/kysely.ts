/**
 * What a query of Kysely's builder reads, from its nodes. Sound for SQLite: a change that touches
 * no atom cannot change the result. The nodes carry the values as the driver binds them.
 */

import type { RootOperationNode, SelectQueryNode } from "kysely";
import type { Atom } from "../change/footprint.ts";
import type { Predicate } from "../change/predicate.ts";
import type { SchemaStructure } from "../change/structure.ts";
import { isNode } from "./nodes.ts";
import type { QueryReading } from "./reading.ts";
import type { AtomDraft } from "./scope.ts";
import { isWrite, readSelect } from "./select.ts";
import { type NodeReading, Verdict } from "./verdict.ts";

/** Reads the root of a query. When it is opaque, ask the database: see `readingOfSql`. */
export function footprintOfNode(root: RootOperationNode, schema: SchemaStructure): NodeReading {
  try {
    return { cacheable: true, footprint: { atoms: atomsOf(root, schema) } };
  } catch (error) {
    if (error instanceof Verdict) return error.reading;
    throw error;
  }
}

function atomsOf(root: RootOperationNode, schema: SchemaStructure): Atom[] {
  if (isWrite(root)) throw new Verdict({ cacheable: false, reason: "The statement writes." });
  if (!isNode<SelectQueryNode>(root, "SelectQueryNode")) {
    throw new Verdict({ cacheable: undefined, reason: `A ${root.kind} is not understood.` });
  }
  const query: QueryReading = {
    schema,
    atoms: [],
    readSelect: (node, place) => readSelect(query, node, place),
  };
  readSelect(query, root, {
    parent: undefined,
    followsParentFacts: false,
    commonTables: undefined,
  });
  return query.atoms.map(atomOf);
}

function atomOf({ table, columns, parts }: AtomDraft): Atom {
  return { table: table.name, columns, predicate: conjunctionOf(parts) };
}

function conjunctionOf(parts: readonly Predicate[]): Predicate {
  const [first, ...others] = parts;
  if (first === undefined) return { kind: "always" };
  return others.length === 0 ? first : { kind: "and", parts: flattened(parts) };
}

function flattened(parts: readonly Predicate[]): Predicate[] {
  return parts.flatMap((part) => (part.kind === "and" ? part.parts : [part]));
}
