/**
 * An interactive transaction: the writer is held while the caller's code runs between statements.
 *
 * It ends by commit, by rollback, by its deadline, or by a failure that took the transaction with
 * it; after that every use is `TRANSACTION_ENDED`. A nested transaction is a savepoint. While one
 * is open, calls on its parent wait for its end, so that nothing of the parent can be rolled back
 * with it; from inside it they would wait for themselves and are refused.
 */

import type { AsyncLocalStorage } from "node:async_hooks";
import { throwIfAborted } from "../../core/abort.ts";
import { SpringhouseError } from "../../core/errors.ts";
import { noteStatement } from "../../core/statement-watch.ts";
import { assertChunkRows, type Database } from "../../sqlite/database.ts";
import { CHUNK_ROWS, type WireChunk, type WireResult } from "../../sqlite/protocol.ts";
import { collect, collectAll, publish } from "../../sqlite/results.ts";
import { checkRead } from "../../sqlite/statement-check.ts";
import { unitBytes } from "../../sqlite/unit-size.ts";
import { sendPieces, type WriterSend } from "../../sqlite/writer.ts";
import type {
  CallOptions,
  ResultSet,
  SqlValue,
  Statement,
  StoreTransaction,
  StreamOptions,
  TransactionOptions,
  UnitOptions,
  WriteManyOptions,
} from "../store.ts";
import { Deadline } from "./deadline.ts";
import { sendRows } from "./write-many.ts";

/** Where code runs: inside of a transaction, once that has begun. */
export interface Place {
  transaction: SqliteTransaction | undefined;
}

/** The place of the running code. */
export type TransactionContext = AsyncLocalStorage<Place>;

/** What all levels of one transaction share. */
export interface TransactionScope {
  readonly database: Database;
  readonly context: TransactionContext;
  readonly send: WriterSend;
  readonly deadlineMs: number;
}

type Run<T> = (transaction: StoreTransaction) => Promise<T>;

/** Runs `run` in a transaction on a writer that is held, and makes `place` the place of it. */
export async function runTransaction<T>(
  scope: TransactionScope,
  place: Place,
  run: Run<T>,
  options: TransactionOptions,
): Promise<T> {
  const { send, context } = scope;
  const { expects, foreignKeys } = options;
  await send({ kind: "begin", foreignKeys: foreignKeys !== "off", expects });
  // What is sent after the end would fall into the transaction of somebody else.
  const sendWithin: WriterSend = (request) =>
    transaction.ended ? Promise.reject(endedError()) : deadline.during(() => send(request));
  const transaction = new SqliteTransaction({ ...scope, send: sendWithin }, undefined);
  place.transaction = transaction;
  using deadline = new Deadline(scope.database.clock, scope.deadlineMs, options);
  try {
    const result = await Promise.race([
      context.run(place, () => run(transaction)),
      deadline.reached,
    ]);
    transaction.assertNothingOpen();
    transaction.end();
    await send({ kind: "commit" });
    return result;
  } catch (error) {
    transaction.end();
    // A thread that died, or a failure that ended the transaction, leaves nothing to roll back.
    await send({ kind: "rollback" }).catch(() => undefined);
    throw error;
  }
}

/** An open transaction, or a savepoint in one. */
export class SqliteTransaction implements StoreTransaction {
  readonly dialect = "sqlite";
  readonly depth: number;
  readonly parent: SqliteTransaction | undefined;
  readonly #scope: TransactionScope;
  #ended = false;
  /** The savepoint that is open on this level, and those that wait behind it. */
  #childTurn: Promise<void> | undefined;

  constructor(scope: TransactionScope, parent: SqliteTransaction | undefined) {
    this.#scope = scope;
    this.parent = parent;
    this.depth = (parent?.depth ?? 0) + 1;
  }

  get ended(): boolean {
    return this.#ended || (this.parent?.ended ?? false);
  }

  /** No use from here on. */
  end(): void {
    this.#ended = true;
  }

  /** Whether it was begun through this handle of the file, which other handles may share. */
  isOf(database: Database): boolean {
    return this.#scope.database === database;
  }

  isWrite(sql: string): boolean {
    return this.#scope.database.isWrite(sql);
  }

  async read(statement: Statement, options: CallOptions = {}): Promise<ResultSet> {
    const own = checkRead(statement);
    noteStatement(own);
    await this.#turn(options.signal);
    const { send, database } = this.#scope;
    const request = { kind: "query", statement: own, chunkRows: CHUNK_ROWS } as const;
    const result = await collect(send, await send<WireResult>(request), options.signal);
    return publish(database.log, "writer", statement.sql, result);
  }

  /** Rows written meanwhile by the same transaction may or may not be among them. */
  async *stream(
    statement: Statement,
    options: StreamOptions = {},
  ): AsyncGenerator<ResultSet, void, undefined> {
    const own = checkRead(statement);
    noteStatement(own);
    const { chunkRows = CHUNK_ROWS, signal } = options;
    assertChunkRows(chunkRows);
    await this.#turn(signal);
    const { send } = this.#scope;
    const first = await send<WireResult>({ kind: "query", statement: own, chunkRows });
    const { columns, cursor } = first;
    let done = cursor === undefined;
    try {
      yield { columns, rows: first.rows, changes: 0 };
      while (cursor !== undefined && !done) {
        await this.#turn(signal);
        const chunk = await send<WireChunk>({ kind: "fetch", cursor, chunkRows });
        done = chunk.done;
        if (chunk.rows.length > 0) yield { columns, rows: chunk.rows, changes: 0 };
      }
    } finally {
      if (cursor !== undefined && !done && !this.ended) await send({ kind: "dismiss", cursor });
    }
  }

  async write(
    unit: readonly Statement[],
    options: UnitOptions = {},
  ): Promise<readonly ResultSet[]> {
    const { send, database } = this.#scope;
    const { expects } = options;
    const own = database.checkWrites(unit);
    await this.#turn(options.signal);
    if (own.length === 0) return [];
    const results =
      unitBytes(own) === Number.POSITIVE_INFINITY
        ? await this.#asChild(() => sendPieces(send, own), options)
        : await collectAll(
            send,
            await send<WireResult[]>({ kind: "unit", statements: own, expects }),
          );
    return results.map((result, index) =>
      publish(database.log, "writer", own[index]?.sql ?? "", result),
    );
  }

  async writeMany(
    sql: string,
    rows: Iterable<readonly SqlValue[]> | AsyncIterable<readonly SqlValue[]>,
    options: WriteManyOptions = {},
  ): Promise<number> {
    this.#scope.database.checkWrites([{ sql, parameters: [] }]);
    return this.#asChild(() => sendRows(this.#scope, sql, rows, options), options);
  }

  transaction<T>(run: Run<T>, options: TransactionOptions = {}): Promise<T> {
    const { context } = this.#scope;
    if (options.foreignKeys === "off" || options.deadlineMs !== undefined) {
      return Promise.reject(
        new SpringhouseError(
          "INVALID_ARGUMENT",
          "A nested transaction has the deadline and the foreign keys of the outermost one: give " +
            "them there.",
        ),
      );
    }
    const place: Place = { transaction: undefined };
    const work = this.#asChild((child) => {
      place.transaction = child;
      return context.run(place, () => run(child));
    }, options);
    // Not before: the place that the caller was in tells whether it would wait for itself.
    if (options.entersCaller === true) context.enterWith(place);
    return work;
  }

  /** Throws when a nested transaction was left running: half of it would be committed. */
  assertNothingOpen(): void {
    if (this.#childTurn === undefined) return;
    throw new SpringhouseError(
      "TRANSACTION_ENDED",
      "The transaction was rolled back, because its function returned while a nested one was " +
        "still open. Await everything that uses it.",
    );
  }

  /** Runs `run` under a savepoint, after the children that came before. */
  async #asChild<T>(
    run: (child: SqliteTransaction) => Promise<T>,
    options: UnitOptions,
  ): Promise<T> {
    this.#assertUsable(options.signal);
    const before = this.#childTurn ?? Promise.resolve();
    const work = before.then(() => this.#runChild(run, options));
    const turn = work.then(
      () => undefined,
      () => undefined,
    );
    this.#childTurn = turn;
    try {
      return await work;
    } finally {
      if (this.#childTurn === turn) this.#childTurn = undefined;
    }
  }

  async #runChild<T>(
    run: (child: SqliteTransaction) => Promise<T>,
    { signal, expects }: UnitOptions,
  ): Promise<T> {
    this.#assertLive(signal);
    const { send } = this.#scope;
    const child = new SqliteTransaction(this.#scope, this);
    const { depth } = child;
    await send({ kind: "savepoint", depth, expects });
    try {
      const result = await run(child);
      child.assertNothingOpen();
      this.#assertLive(undefined);
      child.end();
      await send({ kind: "release", depth });
      return result;
    } catch (error) {
      child.end();
      if (!this.ended) await send({ kind: "rollbackTo", depth });
      throw error;
    }
  }

  /** Waits until no child is open; refuses what would wait for itself. */
  async #turn(signal: AbortSignal | undefined): Promise<void> {
    this.#assertUsable(signal);
    while (this.#childTurn !== undefined) {
      await this.#childTurn;
      this.#assertLive(signal);
    }
  }

  #assertLive(signal: AbortSignal | undefined): void {
    throwIfAborted(signal, "The statement");
    if (this.ended) throw endedError();
  }

  #assertUsable(signal: AbortSignal | undefined): void {
    this.#assertLive(signal);
    if (this.#childTurn === undefined) return;
    const { context } = this.#scope;
    let inner = context.getStore()?.transaction;
    for (; inner !== undefined; inner = inner.parent) {
      if (inner.parent !== this || inner.ended) continue;
      throw new SpringhouseError(
        "TRANSACTION_REENTRY",
        "The outer transaction waits for the nested one that this runs in: use the inner one.",
      );
    }
  }
}

function endedError(): SpringhouseError {
  return new SpringhouseError(
    "TRANSACTION_ENDED",
    "The transaction has ended. Await everything that uses it before its function returns.",
  );
}
