/**
 * Our store as a dialect of the application's own Kysely: it compiles and introspects with the
 * classes of its own version, and values go both ways as they are stored, as with Kysely's dialect
 * for SQLite. Ours is the driver, so that cached functions see what `db` reads inside of them.
 *
 * This folder is the only one that imports Kysely itself: it is the peer, the one instance that
 * the application has.
 */

import {
  CompiledQuery,
  createQueryId,
  type DatabaseIntrospector,
  type DatabaseMetadataOptions,
  type Dialect,
  type DialectAdapter,
  type Driver,
  IdentifierNode,
  type Kysely,
  type QueryCompiler,
  RawNode,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type TableMetadata,
} from "kysely";
import type { CachedFunction } from "../coherence/cached-function.ts";
import type { LiveQuery } from "../coherence/live-query.ts";
import { TrackedSession } from "../coherence/tracked-session.ts";
import type { Caching } from "../open/caching.ts";
import type { CachedOptions } from "../open/caching-options.ts";
import { type Catalog, createCatalog } from "../schema/catalog.ts";
import { SessionDriver } from "../store/kysely-driver.ts";
import { ownBytesCompiler } from "../store/kysely-own-bytes.ts";
import type { KyselyValues } from "../store/kysely-values.ts";
import { rowsOf } from "../store/rows.ts";
import type { SqliteStore } from "../store/sqlite/store.ts";
import type { SqlValue } from "../store/store.ts";

/** The tables are the application's alone. */
export const NOTHING_DECLARED: Catalog = createCatalog([]);

/** Every value as SQLite stores it; the store refuses what SQLite has no type for. */
const storedValues: KyselyValues = {
  encode: (parameter) => parameter as SqlValue,
  rows: (result, options) => rowsOf(result, NOTHING_DECLARED, "sqlite", options),
};

/** A dialect for `new Kysely`, with a cache. Made by `springhouseDialect`. */
export class SpringhouseDialect implements Dialect, AsyncDisposable {
  readonly #store: SqliteStore;
  readonly #caching: Caching;
  readonly #adapter = new Adapter();

  constructor(store: SqliteStore, caching: Caching) {
    this.#store = store;
    this.#caching = caching;
  }

  createDriver(): Driver {
    return new SessionDriver({
      session: new TrackedSession(this.#store),
      values: storedValues,
      kysely: { CompiledQuery, IdentifierNode, RawNode, createQueryId },
      tellsInsertId: true,
      destroy: () => this.close(),
    });
  }

  createQueryCompiler(): QueryCompiler {
    return ownBytesCompiler(new SqliteQueryCompiler());
  }

  createAdapter(): DialectAdapter {
    return this.#adapter;
  }

  createIntrospector(db: Kysely<unknown>): DatabaseIntrospector {
    return new Introspector(db);
  }

  /**
   * A function whose results are kept by its arguments, until a commit changes what it has read:
   * by this process or another one, by whatever means. It reads through `db`, all on one snapshot;
   * it cannot write.
   *
   * What a function reads elsewhere (the clock, files, variables) is not seen: pass it as an
   * argument. Make each function once.
   *
   * @param name for explanations and statistics; each may be used once.
   * @throws `INVALID_ARGUMENT` for a name that is taken.
   * @example
   * const busiest = springhouse.cached("busiest", (week: number) =>
   *   db.selectFrom("tasks").selectAll().where("week", "=", week).execute());
   * await busiest(7);
   */
  cached<Args extends readonly unknown[], Result>(
    name: string,
    compute: (...args: Args) => Promise<Result>,
    options: CachedOptions = {},
  ): CachedFunction<Args, Result> {
    return this.#caching.cached(name, compute, options);
  }

  /**
   * What a cached function gives now, and again each time that it gives something else. Iterate
   * over it, or take `changes()` for differences of rows. Leaving the loop ends it.
   *
   * @example
   * for await (const rows of springhouse.live(busiest, 7)) render(rows);
   */
  live<Args extends readonly unknown[], Result>(
    cached: CachedFunction<Args, Result>,
    ...args: Args
  ): LiveQuery<Result> {
    return this.#caching.live(cached, args);
  }

  /** What `db.destroy()` does as well. Waits for what is under way; twice is fine. */
  close(): Promise<void> {
    const behind = this.#caching.close(this.#store.path);
    return behind === undefined ? this.#store.close() : behind.then(() => this.#store.close());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** Kysely's own, for a database that many use at the same time. */
class Adapter extends SqliteAdapter {
  #migrations: Promise<void> = Promise.resolve();
  #endOfMigration: (() => void) | undefined;

  override get supportsMultipleConnections(): boolean {
    return true;
  }

  /** Kysely's lets in one migrator by having one connection. */
  override async acquireMigrationLock(): Promise<void> {
    const before = this.#migrations;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#migrations = promise;
    await before;
    this.#endOfMigration = resolve;
  }

  override async releaseMigrationLock(): Promise<void> {
    this.#endOfMigration?.();
  }
}

/** Kysely's own, without our tables. */
class Introspector extends SqliteIntrospector {
  override async getTables(options?: DatabaseMetadataOptions): Promise<TableMetadata[]> {
    const tables = await super.getTables(options);
    return tables.filter(({ name }) => !OURS.test(name));
  }
}

/** The log of changes. */
const OURS = /^springhouse_/;
