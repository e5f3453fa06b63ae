/**
 * The Store contract: what the layers above need from a database, and all they may know of it.
 *
 * Invariants that every backend holds:
 * - A unit of `write` is atomic: all of its statements are durable when the promise resolves, or
 *   none of them has left a trace when it rejects.
 * - Units are applied in the order in which `write` was called (FIFO).
 * - What a unit or a transaction expects (`change/expectation.ts`) is judged inside of it, so that
 *   nothing comes between the judgement and the write: on SQLite by the log of changes; PostgreSQL
 *   will run such units SERIALIZABLE. Without a log, whoever has expectations gets `CONFLICT`.
 * - A read that starts after a write has resolved sees that write.
 * - No call blocks the event loop for more than 10 ms, however large its result.
 * - Errors are `SpringhouseError`; a statement that fails leaves the store usable.
 * - Values are driver-neutral storage values; `schema/codec.ts` turns them into JavaScript values.
 */

import type { Expecting } from "../change/expectation.ts";
import type {
  CallOptions,
  Origin,
  ResultColumn,
  ResultSet,
  SqlValue,
  Statement,
} from "../core/statement.ts";
import type { Dialect } from "../schema/physical.ts";

export type { CallOptions, Origin, ResultColumn, ResultSet, SqlValue, Statement };

/** For `write`. What it expects is judged behind all units that were written before it. */
export interface UnitOptions extends CallOptions, Expecting {}

/** For streamed reads. */
export interface StreamOptions extends CallOptions {
  /** Rows in a chunk. Default: 500. */
  readonly chunkRows?: number;
}

/** For `writeMany`. */
export interface WriteManyOptions extends CallOptions {
  /** Called after each chunk with the number of rows written so far. */
  readonly onProgress?: (rows: number) => void;
}

/** For transactions. */
export interface TransactionOptions extends CallOptions, Expecting {
  /** Milliseconds until the transaction is rolled back. Default: 5,000. */
  readonly deadlineMs?: number;
  /**
   * What the deadline is for: `"all"` of the transaction, or each of the `"pauses"` between its
   * statements, which suits bulk writes: they take as long as they have rows. Inside another
   * transaction the deadline of that one holds. Default: "all".
   */
  readonly deadlineFor?: "all" | "pauses";
  /**
   * SQLite only: `"off"` switches foreign keys off around the transaction, for a table rebuild, and
   * on again after it. Default: `"on"`.
   */
  readonly foreignKeys?: "on" | "off";
  /**
   * Whether the code that calls is inside of the transaction as well, not `run` alone. For a caller
   * that opens a transaction and goes on by itself. Default: false.
   */
  readonly entersCaller?: boolean;
}

/** What a store and an open transaction have in common. */
export interface Session {
  readonly dialect: Dialect;
  /** Runs one statement that does not write. */
  read(statement: Statement, options?: CallOptions): Promise<ResultSet>;
  /** Rows in chunks, from one snapshot. Leaving the loop early frees everything. */
  stream(statement: Statement, options?: StreamOptions): AsyncIterable<ResultSet>;
  /** Runs the statements as one atomic unit; one result for each, in order. */
  write(unit: readonly Statement[], options?: UnitOptions): Promise<readonly ResultSet[]>;
  /**
   * Runs one statement once for each row of parameters, all in one transaction, and returns the
   * number of rows changed. Rows are taken from the iterable as they are needed.
   */
  writeMany(
    sql: string,
    rows: Iterable<readonly SqlValue[]> | AsyncIterable<readonly SqlValue[]>,
    options?: WriteManyOptions,
  ): Promise<number>;
  /** Whether the statement may change the database; asked once for each SQL text, then known. */
  isWrite(sql: string): boolean;
  /**
   * Runs `run` in an interactive transaction (a savepoint inside another). Commits when the
   * promise resolves, rolls back when it rejects.
   */
  transaction<T>(
    run: (transaction: StoreTransaction) => Promise<T>,
    options?: TransactionOptions,
  ): Promise<T>;
}

/** An open transaction; every use after its end is `TRANSACTION_ENDED`. */
export interface StoreTransaction extends Session {
  readonly depth: number;
}

/** A database. */
export interface Store extends Session, AsyncDisposable {
  /**
   * The interactive transaction that the calling code runs inside, if any. While there is one,
   * `write`, `writeMany` and `transaction` of the store itself throw `TRANSACTION_REENTRY`.
   */
  readonly current: StoreTransaction | undefined;
  /** Waits for what is under way, refuses what comes after with `CLOSED`. Idempotent. */
  close(): Promise<void>;
}
