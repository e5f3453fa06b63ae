/** The Store contract over SQLite. */

import { AsyncLocalStorage } from "node:async_hooks";
import { assertFunction, assertIterable } from "../../core/arguments.ts";
import { SpringhouseError } from "../../core/errors.ts";
import { type Database, openDatabase, type Snapshot } from "../../sqlite/database.ts";
import type { DatabaseFile, Environment } from "../../sqlite/database-file.ts";
import type { DatabaseFacts, DatabaseVitals } from "../../sqlite/describe.ts";
import { assertMilliseconds } from "../../sqlite/milliseconds.ts";
import type { PoolStatistics } from "../../sqlite/pool.ts";
import type { QueryStatistics } from "../../sqlite/query-log.ts";
import type { SlowQuery } from "../../sqlite/slow-queries.ts";
import { inTransaction } from "../../sqlite/writer.ts";
import type {
  CallOptions,
  ResultSet,
  SqlValue,
  Statement,
  Store,
  StoreTransaction,
  StreamOptions,
  TransactionOptions,
  UnitOptions,
  WriteManyOptions,
} from "../store.ts";
import { resolveSqliteStoreOptions, type SqliteStoreOptions } from "./options.ts";
import {
  type Place,
  runTransaction,
  type SqliteTransaction,
  type TransactionContext,
} from "./transaction.ts";
import { sendRows } from "./write-many.ts";

export type { SqliteStoreOptions } from "./options.ts";

/**
 * Opens a SQLite database, or makes it.
 *
 * @param environment the clock, for tests.
 * @throws `INVALID_URL`, `INVALID_ARGUMENT`, `UNOPENABLE`, `NOT_A_DATABASE`, `CORRUPT`,
 * `READ_ONLY`, `SQLITE_TOO_OLD`.
 * @example
 * await using store = await openSqliteStore({ url: "sqlite:app.db" });
 * await store.write([{ sql: "CREATE TABLE notes (text TEXT)", parameters: [] }]);
 */
export async function openSqliteStore(
  options: SqliteStoreOptions,
  environment?: Environment,
): Promise<SqliteStore> {
  const { location, database, transactionDeadlineMs } = resolveSqliteStoreOptions(options);
  return new SqliteStore(
    await openDatabase(location, database, environment),
    transactionDeadlineMs,
  );
}

/** Stores of one file share its writer, so they share what runs inside of a transaction. */
const contexts = new WeakMap<DatabaseFile, TransactionContext>();

function contextOf(file: DatabaseFile): TransactionContext {
  const known = contexts.get(file);
  if (known !== undefined) return known;
  const context: TransactionContext = new AsyncLocalStorage<Place>();
  contexts.set(file, context);
  return context;
}

/** A SQLite database as a store. Made by `openSqliteStore`. */
export class SqliteStore implements Store {
  readonly dialect = "sqlite";
  readonly #database: Database;
  readonly #transactionDeadlineMs: number;
  readonly #context: TransactionContext;

  constructor(database: Database, transactionDeadlineMs: number) {
    this.#database = database;
    this.#transactionDeadlineMs = transactionDeadlineMs;
    this.#context = contextOf(database.file);
  }

  /** What all who have the file open in this process share. */
  get file(): DatabaseFile {
    return this.#database.file;
  }

  /** The file, absolute. */
  get path(): string {
    return this.#database.path;
  }

  get readOnly(): boolean {
    return this.#database.readOnly;
  }

  /** The innermost open transaction around the calling code; one that has ended does not count. */
  get current(): SqliteTransaction | undefined {
    let transaction = this.#context.getStore()?.transaction;
    while (transaction?.ended) transaction = transaction.parent;
    return transaction;
  }

  isWrite(sql: string): boolean {
    return this.#database.isWrite(sql);
  }

  read(statement: Statement, options?: CallOptions): Promise<ResultSet> {
    return this.#database.read(statement, options);
  }

  stream(
    statement: Statement,
    options?: StreamOptions,
  ): AsyncGenerator<ResultSet, void, undefined> {
    return this.#database.stream(statement, options);
  }

  /**
   * Runs `run` with reads that all see one state of the database.
   *
   * @example
   * const [page, count] = await store.snapshot((at) => Promise.all([at.read(a), at.read(b)]));
   */
  snapshot<T>(run: (snapshot: Snapshot) => Promise<T>, options?: CallOptions): Promise<T> {
    return this.#database.snapshot(run, options);
  }

  write(unit: readonly Statement[], options?: UnitOptions): Promise<readonly ResultSet[]> {
    if (this.current !== undefined) return Promise.reject(reentryError("write"));
    return this.#database.write(unit, options);
  }

  async writeMany(
    sql: string,
    rows: Iterable<readonly SqlValue[]> | AsyncIterable<readonly SqlValue[]>,
    options: WriteManyOptions = {},
  ): Promise<number> {
    if (this.current !== undefined) throw reentryError("writeMany");
    assertIterable("rows", rows);
    const database = this.#database;
    database.checkWrites([{ sql, parameters: [] }]);
    return database.hold((send) => {
      const scope = { database, send, deadlineMs: this.#transactionDeadlineMs };
      return inTransaction(send, () => sendRows(scope, sql, rows, options));
    }, options);
  }

  async transaction<T>(
    run: (transaction: StoreTransaction) => Promise<T>,
    options: TransactionOptions = {},
  ): Promise<T> {
    if (this.current !== undefined) throw reentryError("transaction");
    assertFunction("transaction: run", run);
    const database = this.#database;
    const { deadlineMs = this.#transactionDeadlineMs } = options;
    assertMilliseconds("deadlineMs", deadlineMs);
    const place: Place = { transaction: undefined };
    // In the part of this function that runs before its caller goes on.
    if (options.entersCaller === true) this.#context.enterWith(place);
    const result = await database.hold((send) => {
      const scope = { database, context: this.#context, send, deadlineMs };
      return runTransaction(scope, place, run, options);
    }, options);
    database.schemaChanged();
    return result;
  }

  /** Makes the log of changes whole: a trigger for every change of every table. */
  prepareLog(): Promise<void> {
    if (this.current !== undefined) return Promise.reject(reentryError("prepareLog"));
    return this.#database.prepareLog();
  }

  /** Facts for people who look after the file. */
  describe(): Promise<DatabaseFacts> {
    return this.#database.describe();
  }

  /**
   * How the file and those who use it are at this moment: sizes, the log, readers, the writer.
   *
   * @throws `CLOSED`.
   */
  vitals(): DatabaseVitals {
    return this.#database.vitals();
  }

  /** The reader threads: how many, how busy, how long callers waited. */
  statistics(): PoolStatistics {
    return this.#database.statistics();
  }

  /** Statements by their text, the costliest first, without parameter values. */
  queryStatistics(): QueryStatistics {
    return this.#database.queryStatistics();
  }

  /**
   * Statements that took longer than the threshold, at most the last hundred, without values; the
   * latest first.
   *
   * @param windowMs only those of the last so many milliseconds. Default: all of them.
   */
  slowQueries(windowMs: number = Number.POSITIVE_INFINITY): readonly SlowQuery[] {
    return this.#database.slowQueries(windowMs);
  }

  /** From inside of its own transaction it would wait for itself: `TRANSACTION_REENTRY`. */
  close(): Promise<void> {
    if (this.current?.isOf(this.#database) === true) return Promise.reject(closingError());
    return this.#database.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

function closingError(): SpringhouseError {
  return new SpringhouseError(
    "TRANSACTION_REENTRY",
    "A database that is closed inside of its own transaction would wait for itself: close() " +
      "waits for what is under way. Close it behind the transaction.",
    { fields: { call: "close" } },
  );
}

function reentryError(call: string): SpringhouseError {
  return new SpringhouseError(
    "TRANSACTION_REENTRY",
    "A write through the database inside of its own transaction would wait for itself. Write " +
      "through the transaction that the function was given.",
    { fields: { call } },
  );
}
