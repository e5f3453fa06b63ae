/**
 * What a rollup can know of each group. A measure is plain data with types; `rollup()` judges it,
 * because only there the names are known for the message.
 *
 * The third type of a measure is what SQL gives for it: an expression has no column to be decoded
 * by, so through Kysely and plain SQL a measure is read as SQLite stores it.
 */

import type { Collation, ColumnKind } from "./facts.ts";
import type { ColumnHandle } from "./types.ts";

/** A measure of a group. Made by `count`, `countDistinct`, `sum`, `avg`, `min`, `max`, `topK`. */
export interface Measure<Kind extends ColumnKind = ColumnKind, Value = unknown, Sql = unknown> {
  readonly aggregate: "count" | "countDistinct" | "sum" | "avg" | "min" | "max" | "topK";
  readonly column?: ColumnHandle | undefined;
  readonly collate?: Collation | undefined;
  readonly count?: number | undefined;
  readonly of?: ColumnHandle | undefined;
  readonly order?: "asc" | "desc" | undefined;
  /** Only a type; there is nothing at run time. */
  readonly types?: { readonly kind: Kind; readonly value: Value; readonly sql: Sql };
}

/** For `countDistinct`. */
export interface DistinctOptions {
  /** When two texts are one value: `"binary"`, `"nocase"`, `"rtrim"`. Default: "binary". */
  readonly collate?: Collation;
}

/** For `topK`. */
export interface TopOptions<Of extends ColumnHandle = ColumnHandle> {
  /** What is told of each row. Default: the column that the rows are ordered by. */
  readonly of?: Of;
  /** `"desc"` for the greatest values, `"asc"` for the least. Default: "desc". */
  readonly order?: "asc" | "desc";
}

type NullOf<Value> = null extends Value ? null : never;
type NumberOf<Kind> = Kind extends "bigint" ? bigint : number;

/** What SQLite gives for a value of this kind. */
export type StoredOf<Kind, Value> =
  | NullOf<Value>
  | (Kind extends "bigint"
      ? number | bigint
      : Kind extends "timestamp" | "boolean"
        ? number
        : Kind extends "json"
          ? string
          : NonNullable<Value>);

/** What `topK` tells of a value: JSON has no moments, so they are epoch milliseconds. */
type Told<Kind, Value> = NullOf<Value> | (Kind extends "timestamp" ? number : NonNullable<Value>);

/** How many rows there are; with a column, how many have a value in it. */
export function count(column?: ColumnHandle): Measure<"int", number, number> {
  return { aggregate: "count", column };
}

/** How many different values the column has; NULL is none. */
export function countDistinct(
  column: ColumnHandle,
  options: DistinctOptions = {},
): Measure<"int", number, number> {
  return { aggregate: "countDistinct", column, ...options };
}

/**
 * The sum of the column, NULL when no row has a value. A sum of whole numbers that does not fit
 * into 64 bits is an error when it is read, as `sum()` would be, and not before.
 */
export function sum<Kind extends "int" | "bigint" | "real", Value>(
  column: ColumnHandle<Kind, Value>,
): Measure<Kind, NumberOf<Kind> | NullOf<Value>, StoredOf<Kind, Value>> {
  return { aggregate: "sum", column };
}

/** The mean of the column over the rows that have a value, NULL when none has. */
export function avg<Kind extends "int" | "bigint" | "real", Value>(
  column: ColumnHandle<Kind, Value>,
): Measure<"real", number | NullOf<Value>, number | NullOf<Value>> {
  return { aggregate: "avg", column };
}

/** The least value of the column, NULL when no row has one. */
export function min<Kind extends ColumnKind, Value>(
  column: ColumnHandle<Kind, Value>,
): Measure<Kind, Value, StoredOf<Kind, Value>> {
  return { aggregate: "min", column };
}

/** The greatest value of the column, NULL when no row has one. */
export function max<Kind extends ColumnKind, Value>(
  column: ColumnHandle<Kind, Value>,
): Measure<Kind, Value, StoredOf<Kind, Value>> {
  return { aggregate: "max", column };
}

/**
 * The rows with the greatest (or least) values of the column, at most `rows` of them: a list of
 * those values, or of what `of` says. Rows that tie come in the order of the key; rows without a
 * value are left out.
 *
 * @example topK(Task.durationSeconds, 3, { of: Task.projectName })
 */
export function topK<
  Kind extends ColumnKind,
  Value,
  OfKind extends ColumnKind = Kind,
  OfValue = NonNullable<Value>,
>(
  column: ColumnHandle<Kind, Value>,
  rows: number,
  options: TopOptions<ColumnHandle<OfKind, OfValue>> = {},
): Measure<"json", readonly Told<OfKind, OfValue>[], string> {
  return { aggregate: "topK", column, count: rows, ...options };
}
