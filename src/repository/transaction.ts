/**
 * Transactions across repositories: everything that is done through `tx` happens together or not at
 * all, and its events are delivered when it has happened.
 */

import type { Kysely } from "kysely";
import { type Duration, parseDurationMs } from "../core/duration.ts";
import { refuseUnknownKeys } from "../core/options.ts";
import type { Entity, TablesOf } from "../schema/types.ts";
import { kyselyFor } from "../store/kysely.ts";
import type { CallOptions, StreamOptions, WriteManyOptions } from "../store/store.ts";
import type { EventsOf } from "./event-types.ts";
import {
  executeManySql,
  executeSql,
  type Parameter,
  type RawResult,
  type RawRow,
  streamSql,
} from "./raw.ts";
import { Repository } from "./repository.ts";
import { type Scope, transact } from "./scope.ts";
import { UnitOfWork } from "./unit-of-work.ts";

/** For `transaction`. */
export interface TransactionSettings extends CallOptions {
  /** How long the transaction may take until it is rolled back. Default: that of the database. */
  readonly deadline?: Duration;
}

/**
 * An open transaction. Every use after its end is `TRANSACTION_ENDED`.
 *
 * @example
 * await db.transaction(async (tx) => {
 *   const week = await tx.repository(Week).create({ label: "2025-W47" });
 *   await tx.repository(Task).create({ weekId: week.id, title: "Atlas" });
 *   tx.emit("statisticsUpdated", { weekId: week.id });
 * });
 */
export class Transaction<
  Entities extends readonly Entity[],
  Events extends object = EventsOf<Entities>,
> {
  readonly #scope: Scope;
  readonly #repositories = new Map<Entity, Repository<Entity>>();
  #query: Kysely<TablesOf<Entities>> | undefined;

  constructor(scope: Scope) {
    this.#scope = scope;
  }

  /** The rows of an entity, read and written inside the transaction. */
  repository<E extends Entities[number]>(entity: E): Repository<E> {
    const known = this.#repositories.get(entity) ?? new Repository<Entity>(entity, this.#scope);
    this.#repositories.set(entity, known);
    return known as unknown as Repository<E>;
  }

  /** Kysely inside the transaction, by SQL names. */
  get query(): Kysely<TablesOf<Entities>> {
    const { session, models } = this.#scope;
    this.#query ??= kyselyFor<TablesOf<Entities>>(session, models.catalog);
    return this.#query;
  }

  /** Runs one SQL statement with `?` (on PostgreSQL `$1`) for the parameters. */
  execute<R = RawRow>(
    sql: string,
    parameters: readonly Parameter[] = [],
    options: CallOptions = {},
  ): Promise<RawResult<R>> {
    return executeSql<R>(this.#scope, sql, parameters, options);
  }

  /** Runs one SQL statement for each row of parameters; the number of rows changed. */
  executeMany(
    sql: string,
    rows: Iterable<readonly Parameter[]> | AsyncIterable<readonly Parameter[]>,
    options: WriteManyOptions = {},
  ): Promise<number> {
    return executeManySql(this.#scope, sql, rows, options);
  }

  /** The rows of a reading statement, in chunks. */
  stream<R = RawRow>(
    sql: string,
    parameters: readonly Parameter[] = [],
    options: StreamOptions = {},
  ): AsyncGenerator<R, void, undefined> {
    return streamSql<R>(this.#scope, sql, parameters, options);
  }

  /** Raises an event of the program's own; it is delivered after the outermost commit. */
  emit<Name extends keyof Events & string>(name: Name, event: Events[Name]): void {
    this.#scope.events.raise(name, event);
  }

  /** Changes in memory, written by one commit inside this transaction. */
  unitOfWork(): UnitOfWork<Entities> {
    return new UnitOfWork<Entities>(this.#scope);
  }

  /** A savepoint: when `run` rejects, what was done inside it is undone, and the rest stands. */
  transaction<T>(run: (inner: Transaction<Entities, Events>) => Promise<T>): Promise<T> {
    return runTransaction(this.#scope, run);
  }
}

/**
 * Runs `run` in a transaction. It is committed when the promise of `run` resolves, and rolled back
 * when it rejects, with the same error.
 *
 * @throws `TRANSACTION_TIMEOUT` beyond the deadline; `TRANSACTION_REENTRY` inside another one.
 */
export function runTransaction<Entities extends readonly Entity[], Events extends object, T>(
  scope: Scope,
  run: (transaction: Transaction<Entities, Events>) => Promise<T>,
  settings: TransactionSettings = {},
): Promise<T> {
  refuseUnknownKeys(settings, ["deadline", "signal"], "transaction");
  const { deadline, signal } = settings;
  const options = {
    ...(deadline === undefined ? {} : { deadlineMs: parseDurationMs(deadline, "deadline") }),
    ...(signal === undefined ? {} : { signal }),
  };
  return transact(scope, options, (inner) => run(new Transaction<Entities, Events>(inner)));
}
