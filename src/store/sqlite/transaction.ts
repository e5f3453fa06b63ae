/**
 * An interactive transaction: the writer is held while the caller's code runs between statements.
 *
 * It ends by commit, by rollback, by its deadline, or by a failure that took the transaction with
 * it; after that every use is `TRANSACTION_ENDED`. A nested transaction is a savepoint. While one
 * is open, calls on its parent wait for its end, except from inside it, where they would wait for
 * themselves and are refused.
 */

import type { AsyncLocalStorage } from "node:async_hooks";
import { throwIfAborted } from "../../core/abort.ts";
import { SpringhouseError } from "../../core/errors.ts";
import { CHUNK_ROWS, type WireChunk, type WireResult } from "../../sqlite/protocol.ts";
import { collect } from "../../sqlite/results.ts";
import { refuseUnfit } from "../../sqlite/statement-text.ts";
import { toResultSet, type WriterSend } from "../../sqlite/writer.ts";
import type {
  CallOptions,
  ResultSet,
  SqlValue,
  Statement,
  StoreTransaction,
  StreamOptions,
  TransactionOptions,
  WriteManyOptions,
} from "../store.ts";
import { sendRows } from "./write-many.ts";

/** The transaction that the running code is inside of. */
export type TransactionContext = AsyncLocalStorage<SqliteTransaction>;

/** Runs `run` in a transaction on a writer that is held. */
export async function runTransaction<T>(
  send: WriterSend,
  context: TransactionContext,
  run: (transaction: StoreTransaction) => Promise<T>,
  options: TransactionOptions & { readonly deadlineMs: number },
): Promise<T> {
  await send({ kind: "begin", foreignKeys: options.foreignKeys !== "off" });
  const transaction = new SqliteTransaction(send, context, undefined);
  const { promise: deadline, reject } = Promise.withResolvers<never>();
  const onTimeout = (): void => {
    reject(
      new SpringhouseError(
        "TRANSACTION_TIMEOUT",
        `The transaction was rolled back after ${options.deadlineMs} ms. Do slow work outside of ` +
          "it, or give it a longer deadlineMs.",
        { fields: { deadlineMs: options.deadlineMs } },
      ),
    );
  };
  const timer = setTimeout(onTimeout, options.deadlineMs);
  try {
    const result = await Promise.race([context.run(transaction, () => run(transaction)), deadline]);
    transaction.end();
    await send({ kind: "commit" });
    return result;
  } catch (error) {
    transaction.end();
    await send({ kind: "rollback" }).catch(() => undefined);
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** An open transaction, or a savepoint in one. */
export class SqliteTransaction implements StoreTransaction {
  readonly dialect = "sqlite";
  readonly depth: number;
  readonly parent: SqliteTransaction | undefined;
  readonly #send: WriterSend;
  readonly #context: TransactionContext;
  #ended = false;
  #childTurn: Promise<unknown> | undefined;

  constructor(
    send: WriterSend,
    context: TransactionContext,
    parent: SqliteTransaction | undefined,
  ) {
    this.#send = send;
    this.#context = context;
    this.parent = parent;
    this.depth = parent === undefined ? 0 : parent.depth + 1;
  }

  get ended(): boolean {
    return this.#ended || (this.parent?.ended ?? false);
  }

  /** No use from here on. */
  end(): void {
    this.#ended = true;
  }

  isWrite(sql: string): boolean {
    return refuseUnfit(sql).write;
  }

  async read(statement: Statement, options: CallOptions = {}): Promise<ResultSet> {
    this.#assertRead(statement.sql);
    await this.#turn(options.signal);
    const request = { kind: "query", statement, chunkRows: CHUNK_ROWS } as const;
    const first = await this.#send<WireResult>(request);
    return toResultSet((await collect((next) => this.#send(next), first)) as WireResult);
  }

  async *stream(statement: Statement, options: StreamOptions = {}): AsyncGenerator<ResultSet> {
    this.#assertRead(statement.sql);
    await this.#turn(options.signal);
    const chunkRows = options.chunkRows ?? CHUNK_ROWS;
    const first = await this.#send<WireResult>({ kind: "query", statement, chunkRows });
    const { columns, cursor } = first;
    let done = cursor === undefined;
    try {
      yield toResultSet(first);
      while (cursor !== undefined && !done) {
        await this.#turn(options.signal);
        const chunk = await this.#send<WireChunk>({ kind: "fetch", cursor, chunkRows });
        done = chunk.done;
        yield { columns, rows: chunk.rows, changes: 0 };
      }
    } finally {
      if (cursor !== undefined && !done && !this.ended) {
        await this.#send({ kind: "dismiss", cursor });
      }
    }
  }

  async write(
    unit: readonly Statement[],
    options: CallOptions = {},
  ): Promise<readonly ResultSet[]> {
    for (const { sql } of unit) refuseUnfit(sql);
    await this.#turn(options.signal);
    if (unit.length === 0) return [];
    const results = await this.#send<WireResult[]>({ kind: "unit", statements: unit });
    const whole: ResultSet[] = [];
    for (const result of results) {
      whole.push(toResultSet((await collect((next) => this.#send(next), result)) as WireResult));
    }
    return whole;
  }

  async writeMany(
    sql: string,
    rows: Iterable<readonly SqlValue[]> | AsyncIterable<readonly SqlValue[]>,
    options: WriteManyOptions = {},
  ): Promise<number> {
    refuseUnfit(sql);
    return this.#asChild(() => sendRows(this.#send, sql, rows, options), options.signal);
  }

  transaction<T>(
    run: (transaction: StoreTransaction) => Promise<T>,
    options: TransactionOptions = {},
  ): Promise<T> {
    return this.#asChild((child) => this.#context.run(child, () => run(child)), options.signal);
  }

  /** Runs `run` under a savepoint, after the children that came before. */
  async #asChild<T>(
    run: (child: SqliteTransaction) => Promise<T>,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    this.#assertUsable(signal);
    const before = this.#childTurn ?? Promise.resolve();
    const turn = before.then(() => this.#runChild(run, signal));
    const settled = turn.then(
      () => undefined,
      () => undefined,
    );
    this.#childTurn = settled;
    try {
      return await turn;
    } finally {
      if (this.#childTurn === settled) this.#childTurn = undefined;
    }
  }

  async #runChild<T>(
    run: (child: SqliteTransaction) => Promise<T>,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    this.#assertUsable(signal);
    const child = new SqliteTransaction(this.#send, this.#context, this);
    const { depth } = child;
    await this.#send({ kind: "savepoint", depth });
    try {
      const result = await run(child);
      this.#assertUsable(undefined);
      child.end();
      await this.#send({ kind: "release", depth });
      return result;
    } catch (error) {
      child.end();
      if (!this.ended) await this.#send({ kind: "rollbackTo", depth });
      throw error;
    }
  }

  /** Waits until no child is open; refuses what would wait for itself. */
  async #turn(signal: AbortSignal | undefined): Promise<void> {
    this.#assertUsable(signal);
    while (this.#childTurn !== undefined) {
      await this.#childTurn;
      this.#assertUsable(signal);
    }
  }

  #assertUsable(signal: AbortSignal | undefined): void {
    throwIfAborted(signal, "The statement");
    if (this.ended) {
      throw new SpringhouseError(
        "TRANSACTION_ENDED",
        "The transaction has ended. Await everything that uses it before its function returns.",
      );
    }
    if (this.#childTurn === undefined) return;
    for (let inner = this.#context.getStore(); inner !== undefined; inner = inner.parent) {
      if (inner.parent === this && !inner.ended) {
        throw new SpringhouseError(
          "TRANSACTION_REENTRY",
          "A nested transaction is open here: use the inner one, the outer one waits for its end.",
        );
      }
    }
  }

  #assertRead(sql: string): void {
    if (!refuseUnfit(sql).write) return;
    throw new SpringhouseError("STATEMENT_REFUSED", "The statement may write: use write().", {
      fields: { sql },
    });
  }
}
