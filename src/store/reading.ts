/**
 * What a statement reads, for those who know it better than its text tells: Kysely's tree, or the
 * conditions of a repository. It is told beside the statement and not in it, because statements
 * travel to other threads.
 */

import type { Reading } from "../change/footprint.ts";
import type { TableStructure } from "../change/structure.ts";
import type { Statement } from "./store.ts";

/** The tables as they stand in the file. */
export interface SchemaStructure {
  /** By its name in lower case; undefined for a view, a virtual table and what does not exist. */
  table(name: string): TableStructure | undefined;
}

/** Says what the statement reads; undefined when only its text can tell. */
export type ReadingOf = (schema: SchemaStructure) => Reading | undefined;

const readings = new WeakMap<Statement, ReadingOf>();

/** Notes what a statement reads, and gives the statement. */
export function withReading(statement: Statement, reading: ReadingOf): Statement {
  readings.set(statement, reading);
  return statement;
}

/** What was noted of a statement. */
export function readingOf(statement: Statement): ReadingOf | undefined {
  return readings.get(statement);
}
