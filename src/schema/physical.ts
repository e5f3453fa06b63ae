/**
 * What stands in a database file, as data: tables, indexes, triggers and views with the types and
 * expressions of one dialect. `ddl.ts` makes it from entities, introspection reads it from a file,
 * and the migration differ compares the two.
 */

import type { ForeignKeyFact, IndexColumnFact } from "./facts.ts";

/** The databases that we write SQL for. */
export type Dialect = "sqlite" | "postgres";

/** One column of a table. */
export interface PhysicalColumn {
  readonly name: string;
  /** Type in the words of the dialect: `INTEGER`, `TEXT`, `jsonb`. */
  readonly type: string;
  readonly notNull: boolean;
  /** SQL expression of the default, without `DEFAULT`. */
  readonly default?: string;
}

/** One table with the constraints that are part of it. */
export interface PhysicalTable {
  readonly name: string;
  readonly columns: readonly PhysicalColumn[];
  readonly primaryKey: readonly string[];
  readonly uniques: readonly { readonly name?: string; readonly columns: readonly string[] }[];
  readonly checks: readonly { readonly name?: string; readonly expression: string }[];
  readonly foreignKeys: readonly ForeignKeyFact[];
  /** SQLite only: values are held to their column's type. */
  readonly strict: boolean;
}

/** One index that was made by CREATE INDEX. */
export interface PhysicalIndex {
  readonly name: string;
  readonly table: string;
  readonly columns: readonly IndexColumnFact[];
  readonly unique: boolean;
  readonly where?: string;
}

/** A trigger, view or virtual table: its whole CREATE statement, without the semicolon. */
export interface PhysicalObject {
  readonly kind: "trigger" | "view" | "virtual table";
  readonly name: string;
  /** The table that a trigger is on. */
  readonly table?: string;
  readonly sql: string;
}

/** All of one database, in an order in which it can be created. */
export interface PhysicalSchema {
  readonly dialect: Dialect;
  readonly tables: readonly PhysicalTable[];
  readonly indexes: readonly PhysicalIndex[];
  readonly objects: readonly PhysicalObject[];
}
