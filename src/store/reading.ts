/**
 * What a statement reads, for those who know it better than its text tells: Kysely's tree, or the
 * conditions of a repository. It is told beside the statement and not in it, because statements
 * travel to other threads.
 */

import type { RootOperationNode } from "kysely";
import type { Reading } from "../change/footprint.ts";
import type { SchemaStructure } from "../change/structure.ts";
import type { SqlValue, Statement } from "./store.ts";

/** Says what the statement reads; undefined when only its text can tell. */
export type ReadingOf = (schema: SchemaStructure) => Reading | undefined;

const readings = new WeakMap<Statement, ReadingOf>();

/**
 * A statement that knows the tree it was compiled from. Every query of Kysely is one, and few are
 * asked, so noting costs nothing; a private field does not travel to other threads.
 */
export class CompiledStatement implements Statement {
  readonly sql: string;
  readonly parameters: readonly SqlValue[];
  readonly #root: RootOperationNode;

  constructor(sql: string, parameters: readonly SqlValue[], root: RootOperationNode) {
    this.sql = sql;
    this.parameters = parameters;
    this.#root = root;
  }

  /** The tree that a statement was compiled from, if it was. */
  static rootOf(statement: Statement): RootOperationNode | undefined {
    return #root in statement ? statement.#root : undefined;
  }
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
