/**
 * What a statement reads, for those who know it better than its text tells: Kysely's tree, or the
 * conditions of a repository. It is told beside the statement and not in it, because statements
 * travel to other threads.
 */

import type { RootOperationNode } from "kysely";
import type { Reading } from "../change/footprint.ts";
import type { SchemaStructure } from "../change/structure.ts";
import type { Statement } from "./store.ts";

/** Says what the statement reads; undefined when only its text can tell. */
export type ReadingOf = (schema: SchemaStructure) => Reading | undefined;

const readings = new WeakMap<Statement, ReadingOf>();

const nodes = new WeakMap<Statement, RootOperationNode>();

/** Notes the tree that a statement was compiled from. Reading the tree is left to who wants it. */
export function noteNodes(statement: Statement, root: RootOperationNode): void {
  nodes.set(statement, root);
}

/** The tree that a statement was compiled from, if it was. */
export function nodesOf(statement: Statement): RootOperationNode | undefined {
  return nodes.get(statement);
}

/** Notes what a statement reads, and gives the statement. */
export function withReading(statement: Statement, reading: ReadingOf): Statement {
  readings.set(statement, reading);
  return statement;
}

/** What was noted of a statement. */
export function readingOf(statement: Statement): ReadingOf | undefined {
  return readings.get(statement);
}
