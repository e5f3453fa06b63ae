/**
 * Statements, values and results as this folder speaks them. They have the shapes of the Store
 * contract, which lies to the right of this folder and therefore cannot be imported here.
 */

/** What SQLite stores and returns. Integers beyond 2^53 come as bigint, others as number. */
export type SqlValue = null | number | bigint | string | Uint8Array;

/** Values of one result row, in the order of the columns. */
export type Row = SqlValue[];

/** One SQL statement with the values for its `?` placeholders. */
export interface Statement {
  readonly sql: string;
  readonly parameters: readonly SqlValue[];
}

/** A result column and where it comes from; an expression has no origin. */
export interface ResultColumn {
  readonly name: string;
  readonly table: string | null;
  readonly column: string | null;
}

/** What one statement gave. */
export interface ResultSet {
  readonly columns: readonly ResultColumn[];
  readonly rows: readonly (readonly SqlValue[])[];
  readonly changes: number;
}

/** For a single call. */
export interface CallOptions {
  readonly signal?: AbortSignal;
}
