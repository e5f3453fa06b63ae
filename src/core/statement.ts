/** What is said to a database and what it answers, in values that every driver has. */

/** What a database stores and returns. Integers beyond 2^53 come as bigint, others as number. */
export type SqlValue = null | number | bigint | string | Uint8Array;

/** One SQL statement with the values for its placeholders (`?` on SQLite, `$1` on PostgreSQL). */
export interface Statement {
  readonly sql: string;
  readonly parameters: readonly SqlValue[];
}

/** A result column and where it comes from; an expression has no origin. */
export interface ResultColumn {
  readonly name: string;
  /** Real name of the table, never an alias. */
  readonly table: string | null;
  readonly column: string | null;
  /** Where the values of the later parts come from, when it is the column of a compound SELECT. */
  readonly others?: readonly Origin[];
}

/** A column of a table, or nothing for an expression. */
export type Origin = Pick<ResultColumn, "table" | "column">;

/** Rows as arrays in the order of `columns`. */
export interface ResultSet {
  readonly columns: readonly ResultColumn[];
  readonly rows: readonly (readonly SqlValue[])[];
  /** Rows inserted, changed or deleted by the statement itself; 0 for a read. */
  readonly changes: number;
}

/** For a single call. */
export interface CallOptions {
  /** Gives up waiting; a unit whose transaction has not begun is withdrawn and never written. */
  readonly signal?: AbortSignal;
}
