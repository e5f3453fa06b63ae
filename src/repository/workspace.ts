/**
 * What a database and a transaction have in common: repositories, Kysely and plain SQL on one
 * session. Repositories use property names, SQL uses SQL names.
 */

import type { Kysely } from "kysely";
import type { Entity, TablesOf } from "../schema/types.ts";
import { kyselyFor } from "../store/kysely.ts";
import type { CallOptions, StreamOptions, WriteManyOptions } from "../store/store.ts";
import type { EventsOf } from "./event-types.ts";
import { refuseUnknownEvent } from "./known-events.ts";
import {
  executeManySql,
  executeSql,
  type Parameter,
  type RawResult,
  type RawRow,
  streamSql,
} from "./raw.ts";
import { Repository } from "./repository.ts";
import { runUnitOfWork, type UnitSettings } from "./run-unit.ts";
import type { Scope } from "./scope.ts";
import { UnitOfWork } from "./unit-of-work.ts";

/** One database or one transaction to work in. */
export abstract class Workspace<
  Entities extends readonly Entity[],
  Events extends object = EventsOf<Entities>,
> {
  protected readonly scope: Scope;
  readonly #repositories = new Map<Entity, Repository<Entity>>();
  #query: Kysely<TablesOf<Entities>> | undefined;

  constructor(scope: Scope) {
    this.scope = scope;
  }

  /**
   * The rows of an entity.
   *
   * @throws `INVALID_ARGUMENT` when the entity is not one of this database.
   */
  repository<E extends Entities[number]>(entity: E): Repository<E> {
    const known = this.#repositories.get(entity) ?? new Repository<Entity>(entity, this.scope);
    this.#repositories.set(entity, known);
    return known as unknown as Repository<E>;
  }

  /** Kysely by SQL names, loaded when it is first used. */
  get query(): Kysely<TablesOf<Entities>> {
    const { session, models } = this.scope;
    this.#query ??= kyselyFor<TablesOf<Entities>>(session, models.catalog);
    return this.#query;
  }

  /** Runs one SQL statement with `?` or `?1` (on PostgreSQL `$1`) for the parameters. */
  execute<R = RawRow>(
    sql: string,
    parameters: readonly Parameter[] = [],
    options: CallOptions = {},
  ): Promise<RawResult<R>> {
    return executeSql<R>(this.scope, sql, parameters, options);
  }

  /** Runs one SQL statement for each row of parameters; the number of rows changed. */
  executeMany(
    sql: string,
    rows: Iterable<readonly Parameter[]> | AsyncIterable<readonly Parameter[]>,
    options: WriteManyOptions = {},
  ): Promise<number> {
    return executeManySql(this.scope, sql, rows, options);
  }

  /** The rows of a reading statement, in chunks. */
  stream<R = RawRow>(
    sql: string,
    parameters: readonly Parameter[] = [],
    options: StreamOptions = {},
  ): AsyncGenerator<R, void, undefined> {
    return streamSql<R>(this.scope, sql, parameters, options);
  }

  /**
   * Raises an event of the program's own; it is delivered after the outermost commit.
   *
   * @throws `INVALID_ARGUMENT` for an unknown name, unless `open` was given `events`.
   */
  emit<Name extends keyof Events & string>(name: Name, event: Events[Name]): void {
    refuseUnknownEvent(this.scope, name);
    this.scope.events.raise(name, event);
  }

  /**
   * Changes of rows gathered in memory and written by one `commit()`; nothing without it. With a
   * function the commit follows when that is done, and `retry` runs it again after `CONFLICT`.
   *
   * @example
   * await db.unitOfWork(async (unit) => {
   *   const task = await unit.repository(Task).get(1);
   *   if (task !== undefined) task.score += 1;
   * }, { retry: 3 });
   */
  unitOfWork<T>(
    run: (unit: UnitOfWork<Entities>) => Promise<T>,
    settings?: UnitSettings,
  ): Promise<T>;
  unitOfWork(): UnitOfWork<Entities>;
  unitOfWork<T>(
    run?: (unit: UnitOfWork<Entities>) => Promise<T>,
    settings: UnitSettings = {},
  ): UnitOfWork<Entities> | Promise<T> {
    if (run === undefined) return new UnitOfWork<Entities>(this.scope);
    return runUnitOfWork(this.scope, run, settings);
  }
}
