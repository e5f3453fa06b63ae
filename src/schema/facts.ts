/**
 * What is known about an entity once it has been declared: plain, frozen data that every other
 * folder reads. `column.ts` and `entity.ts` are the only writers; they refuse a declaration that
 * cannot work, so whoever holds these facts need not check them again.
 */

import type { StandardSchemaV1 } from "./standard-schema.ts";

/** The kinds of column, by their name under `t`. */
export type ColumnKind =
  | "int"
  | "bigint"
  | "real"
  | "text"
  | "boolean"
  | "json"
  | "uuid"
  | "date"
  | "timestamp"
  | "blob"
  | "enum";

/** What happens to the referring row when the row it refers to goes or changes its key. */
export type ReferentialAction = "cascade" | "restrict" | "set null" | "set default" | "no action";

/** Where a value comes from when an insert leaves the property out. */
export type DefaultFact =
  /** A fixed value in JavaScript form; it is in the DDL too, so plain SQL inserts get it. */
  | { readonly from: "value"; readonly value: unknown }
  /** The present moment (`timestamp`) or day in UTC (`date`); in the DDL too. */
  | { readonly from: "now" }
  /** A random UUID, made in JavaScript (version 4). */
  | { readonly from: "random" }
  /** The database numbers the row: a single `int` primary key. */
  | { readonly from: "rowid" };

/** A reference to a column of another (or the same) table, by SQL names. */
export interface ReferenceFact {
  readonly table: string;
  readonly column: string;
  readonly onDelete: ReferentialAction;
  readonly onUpdate: ReferentialAction;
}

/** One column. */
export interface ColumnFacts {
  /** Name in TypeScript, camelCase. */
  readonly property: string;
  /** Name in SQL; the snake_case of the property unless `.column()` says otherwise. */
  readonly name: string;
  readonly kind: ColumnKind;
  readonly nullable: boolean;
  readonly primaryKey: boolean;
  readonly unique: boolean;
  readonly index: boolean;
  /** Absent: an insert must give the property (null when nullable). */
  readonly default?: DefaultFact;
  /** Set to the present moment by every update that does not give the property. */
  readonly onUpdateNow: boolean;
  /** Least value of a number. */
  readonly min?: number;
  /** Greatest value of a number. */
  readonly max?: number;
  /** In characters (UTF-16 code units as JavaScript counts them are not used: code points). */
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: RegExp;
  /** Strip white space from both ends of a text before anything is checked. Absent: no. */
  readonly trim?: boolean;
  /** The allowed texts of an `enum`. */
  readonly values?: readonly string[];
  readonly references?: ReferenceFact;
  /** A further check, run after the built-in ones; its output replaces the value. */
  readonly refine?: StandardSchemaV1<unknown, unknown>;
}

/** A foreign key over one or several columns, by SQL names. */
export interface ForeignKeyFact {
  readonly columns: readonly string[];
  readonly table: string;
  readonly references: readonly string[];
  readonly onDelete: ReferentialAction;
  readonly onUpdate: ReferentialAction;
}

/** One part of an index: a column by SQL name. */
export interface IndexColumnFact {
  readonly name: string;
  readonly descending: boolean;
}

/** An index. */
export interface IndexFact {
  readonly name: string;
  readonly columns: readonly IndexColumnFact[];
  readonly unique: boolean;
  /** SQL condition of a partial index. */
  readonly where?: string;
}

/** A CHECK constraint. */
export interface CheckFact {
  readonly name: string;
  /** SQL expression over SQL column names, valid in both dialects. */
  readonly expression: string;
}

/** The base of a detail entity: `Movie` of `Media`. */
export interface BaseFact {
  readonly facts: EntityFacts;
  /** Properties of the base that every row of the detail has, such as `{ type: "movie" }`. */
  readonly set: Readonly<Record<string, unknown>>;
}

/** How texts are compared: by bytes, without regard to ASCII case, or to blanks at the end. */
export type Collation = "binary" | "nocase" | "rtrim";

/** One part of the key of a rollup. */
export interface GroupFact {
  /** Name in SQL. */
  readonly name: string;
  /** Column of the source. Absent for the one group of a rollup without `by`, which is 1. */
  readonly column?: ColumnFacts;
  readonly collation: Collation;
}

/** What a rollup knows of each group: an aggregate over columns of the source. */
export type MeasureFact = { readonly name: string } & (
  | { readonly aggregate: "count"; readonly column?: ColumnFacts }
  | {
      readonly aggregate: "countDistinct";
      readonly column: ColumnFacts;
      readonly collation: Collation;
    }
  | { readonly aggregate: "sum" | "avg" | "min" | "max"; readonly column: ColumnFacts }
  | {
      readonly aggregate: "topK";
      /** What the rows are ordered by; rows without a value are left out. */
      readonly column: ColumnFacts;
      /** What is told of each row. */
      readonly of: ColumnFacts;
      readonly count: number;
      readonly order: "asc" | "desc";
    }
);

/** What a rollup is of. */
export interface RollupFact {
  readonly source: EntityFacts;
  readonly groups: readonly GroupFact[];
  readonly measures: readonly MeasureFact[];
  /** SQL condition over columns of the source: only such rows count. */
  readonly where?: string;
}

/** Everything about one entity. */
export interface EntityFacts {
  /** Table name in SQL; of a rollup the name of its view. */
  readonly table: string;
  /** The table's own columns, in the order of declaration; a base's columns are not among them. */
  readonly columns: readonly ColumnFacts[];
  readonly primaryKey: readonly ColumnFacts[];
  /** With those of single columns; so have `indexes` and `foreignKeys`. */
  readonly uniques: readonly { readonly name: string; readonly columns: readonly string[] }[];
  readonly indexes: readonly IndexFact[];
  readonly checks: readonly CheckFact[];
  readonly foreignKeys: readonly ForeignKeyFact[];
  /** Every change of a row is written to `audit_log` by trigger, in the same transaction. */
  readonly audit: boolean;
  /** SQL names of the columns under full-text search; empty for none. */
  readonly search: readonly string[];
  readonly base?: BaseFact;
  /** Its rows follow from those of another entity, and nobody writes them. */
  readonly rollup?: RollupFact;
  readonly byProperty: ReadonlyMap<string, ColumnFacts>;
  readonly byName: ReadonlyMap<string, ColumnFacts>;
}
