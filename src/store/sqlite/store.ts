/** The Store contract over SQLite. */

import { AsyncLocalStorage } from "node:async_hooks";
import { SpringhouseError } from "../../core/errors.ts";
import { Database } from "../../sqlite/database.ts";
import { CHUNK_ROWS } from "../../sqlite/protocol.ts";
import { refuseUnfit } from "../../sqlite/statement-text.ts";
import type {
  CallOptions,
  ResultSet,
  SqlValue,
  Statement,
  Store,
  StoreTransaction,
  StreamOptions,
  TransactionOptions,
  WriteManyOptions,
} from "../store.ts";
import {
  type ResolvedSqliteStoreOptions,
  resolveSqliteStoreOptions,
  type SqliteStoreOptions,
} from "./options.ts";
import { runTransaction, type SqliteTransaction, type TransactionContext } from "./transaction.ts";
import { sendRows } from "./write-many.ts";

export type { SqliteStoreOptions } from "./options.ts";

/**
 * Opens a SQLite database.
 *
 * @throws `INVALID_URL`, `UNOPENABLE`, `NOT_A_DATABASE`, `CORRUPT`, `SQLITE_TOO_OLD`.
 * @example
 * await using store = await openSqliteStore({ url: "sqlite:app.db" });
 * await store.write([{ sql: "CREATE TABLE notes (text TEXT)", parameters: [] }]);
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<SqliteStore> {
  const resolved = resolveSqliteStoreOptions(options);
  const database = new Database(resolved);
  try {
    await database.open();
  } catch (error) {
    await database.close();
    throw error;
  }
  return new SqliteStore(database, resolved);
}

/** A SQLite database as a store. Made by `openSqliteStore`. */
export class SqliteStore implements Store {
  readonly dialect = "sqlite";
  readonly #database: Database;
  readonly #options: ResolvedSqliteStoreOptions;
  readonly #context: TransactionContext = new AsyncLocalStorage<SqliteTransaction>();
  readonly #underWay = new Set<Promise<unknown>>();
  #closed: Promise<void> | undefined;

  constructor(database: Database, options: ResolvedSqliteStoreOptions) {
    this.#database = database;
    this.#options = options;
  }

  /** The file, absolute. */
  get path(): string {
    return this.#database.path;
  }

  get current(): StoreTransaction | undefined {
    let transaction = this.#context.getStore();
    while (transaction?.ended) transaction = transaction.parent;
    return transaction;
  }

  isWrite(sql: string): boolean {
    return refuseUnfit(sql).write;
  }

  read(statement: Statement, options?: CallOptions): Promise<ResultSet> {
    return this.#track(() => this.#database.read(statement, options));
  }

  async *stream(statement: Statement, options: StreamOptions = {}): AsyncGenerator<ResultSet> {
    this.#assertOpen();
    const { signal, chunkRows = CHUNK_ROWS } = options;
    for await (const chunk of this.#database.stream(statement, chunkRows)) {
      signal?.throwIfAborted();
      yield chunk;
    }
  }

  async write(unit: readonly Statement[], options?: CallOptions): Promise<readonly ResultSet[]> {
    this.#refuseReentry("write");
    return this.#track(() => this.#database.write(unit, options));
  }

  async writeMany(
    sql: string,
    rows: Iterable<readonly SqlValue[]> | AsyncIterable<readonly SqlValue[]>,
    options: WriteManyOptions = {},
  ): Promise<number> {
    this.#refuseReentry("writeMany");
    refuseUnfit(sql);
    return this.#track(() =>
      this.#database.hold(async (send) => {
        await send({ kind: "begin", foreignKeys: true });
        try {
          const changes = await sendRows(send, sql, rows, options);
          await send({ kind: "commit" });
          return changes;
        } catch (error) {
          await send({ kind: "rollback" }).catch(() => undefined);
          throw error;
        }
      }, options),
    );
  }

  async transaction<T>(
    run: (transaction: StoreTransaction) => Promise<T>,
    options: TransactionOptions = {},
  ): Promise<T> {
    this.#refuseReentry("transaction");
    const deadlineMs = options.deadlineMs ?? this.#options.transactionDeadlineMs;
    return this.#track(async () => {
      const result = await this.#database.hold(
        (send) => runTransaction(send, this.#context, run, { ...options, deadlineMs }),
        options,
      );
      this.#database.schemaChanged();
      return result;
    });
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    await Promise.allSettled(this.#underWay);
    await this.#database.close();
  }

  async #track<T>(run: () => Promise<T>): Promise<T> {
    this.#assertOpen();
    const promise = run();
    this.#underWay.add(promise);
    try {
      return await promise;
    } finally {
      this.#underWay.delete(promise);
    }
  }

  #assertOpen(): void {
    if (this.#closed === undefined) return;
    throw new SpringhouseError("CLOSED", `The store ${this.path} is closed. Open it again.`);
  }

  #refuseReentry(call: string): void {
    if (this.current === undefined) return;
    throw new SpringhouseError(
      "TRANSACTION_REENTRY",
      `store.${call}() inside of the store's own transaction would wait for itself. ` +
        `Use ${call}() of the transaction that the function was given.`,
    );
  }
}
