/** An open database: everything that can be done with it, handed to the part that does it. */

import type { ExplainedQuery } from "../advisor/slow.ts";
import type { CachedFunction } from "../coherence/cached-function.ts";
import type { LiveQuery } from "../coherence/live-query.ts";
import { rollupKeeperOf } from "../coherence/rollup-keeper.ts";
import type { CachedStatistics } from "../coherence/statistics.ts";
import type { TrackedSession } from "../coherence/tracked-session.ts";
import { currentRun } from "../coherence/tracking.ts";
import { assertFunction } from "../core/arguments.ts";
import { type Duration, parseDurationMs } from "../core/duration.ts";
import { SpringhouseError } from "../core/errors.ts";
import { refuseUnknownKeys } from "../core/options.ts";
import type { Health } from "../health/health.ts";
import type { HealthOptions } from "../health/options.ts";
import type { Migrator, MigratorOptions } from "../migrate/migrator.ts";
import { sessionAs } from "../repository/actor.ts";
import { AuditReader } from "../repository/audit-log.ts";
import type { EventBus, EventListener } from "../repository/event-bus.ts";
import type { EventQueueOptions } from "../repository/event-queue.ts";
import type { EventsOf } from "../repository/event-types.ts";
import { refuseUnknownEvent } from "../repository/known-events.ts";
import type { Scope } from "../repository/scope.ts";
import {
  runTransaction,
  type Transaction,
  type TransactionSettings,
} from "../repository/transaction.ts";
import { Workspace } from "../repository/workspace.ts";
import { Rollups } from "../rollup/rollups.ts";
import type { Entity, TablesOf } from "../schema/types.ts";
import type { DatabaseFacts } from "../sqlite/describe.ts";
import type { PoolStatistics } from "../sqlite/pool.ts";
import type { QueryStatistics } from "../sqlite/query-log.ts";
import type { SlowQuery } from "../sqlite/slow-queries.ts";
import { kyselyFor } from "../store/kysely.ts";
import type { SqliteStore } from "../store/sqlite/store.ts";
import type { CachedQuery } from "./caching.ts";
import type { CachedOptions } from "./caching-options.ts";
import type { LazyCaching } from "./lazy-caching.ts";

/** What a database is made of. */
export interface DatabaseParts<Events extends object> {
  readonly store: SqliteStore;
  /** The store, as cached functions may use it. */
  readonly session: TrackedSession;
  readonly scope: Scope;
  readonly bus: EventBus<Events>;
  /** Shared with those that `as` gives. */
  readonly caching: LazyCaching;
  /** Records what is asked, until the database is closed. */
  readonly recorder: AsyncDisposable | undefined;
}

/**
 * An open database. Close it, or open it with `await using`.
 *
 * @example
 * await using db = await open({ url: "sqlite:app.db", entities: [Week, Task] });
 * await db.repository(Task).create({ weekId: 7 });
 */
export class Database<
    Entities extends readonly Entity[] = readonly Entity[],
    Events extends object = EventsOf<Entities>,
  >
  extends Workspace<Entities, Events>
  implements AsyncDisposable
{
  readonly #parts: DatabaseParts<Events>;

  constructor(parts: DatabaseParts<Events>) {
    super(parts.scope);
    this.#parts = parts;
  }

  /**
   * Runs `run` in a transaction: it is committed when the promise resolves, and leaves no trace
   * when it rejects. Domain events are told after the commit.
   *
   * Writes through the database itself while `run` is under way are refused with
   * `TRANSACTION_REENTRY`: they would wait for the transaction that waits for them.
   */
  transaction<T>(
    run: (transaction: Transaction<Entities, Events>) => Promise<T>,
    settings: TransactionSettings = {},
  ): Promise<T> {
    return runTransaction(this.scope, run, settings);
  }

  /**
   * A function whose results are kept by its arguments, until a commit changes what it has read:
   * by this process or another one, by whatever means. It reads through the query builder that it
   * is given, or through this database in any way, and all on one snapshot; it cannot write.
   *
   * What a function reads elsewhere (the clock, files, variables) is not seen: pass it as an
   * argument. Make each function once.
   *
   * @param name for explanations and statistics; each may be used once.
   * @throws `INVALID_ARGUMENT` for a name that is taken, and with `cache: false`.
   * @example
   * const busiest = db.cached("busiest", (q, weekId: number) =>
   *   q.selectFrom("tasks").selectAll().where("week_id", "=", weekId)
   *     .orderBy("duration_seconds", "desc").limit(3).execute());
   * await busiest(7);
   */
  cached<Args extends readonly unknown[], Result>(
    name: string,
    compute: (query: CachedQuery<TablesOf<Entities>>, ...args: Args) => Promise<Result>,
    options: CachedOptions = {},
  ): CachedFunction<Args, Result> {
    assertFunction("cached: the function", compute);
    const withQuery = (...args: Args): Promise<Result> => compute(this.#queryOfRun, ...args);
    return this.#parts.caching.get().cached(name, withQuery, options);
  }

  /**
   * What a cached function gives now, and again each time that it gives something else. Iterate
   * over it, or take `changes()` for differences of rows. Leaving the loop ends it.
   *
   * @example
   * for await (const rows of db.live(busiest, 7)) render(rows);
   */
  live<Args extends readonly unknown[], Result>(
    cached: CachedFunction<Args, Result>,
    ...args: Args
  ): LiveQuery<Result> {
    return this.#parts.caching.get().live(cached, args);
  }

  /**
   * Where the history of the database is now, as an opaque text. Take it before you read what you
   * show, keep both together (in a form, in a header), and give it as `since` to the write that
   * comes back: it fails with `CONFLICT` when somebody was faster.
   *
   * @throws `READ_ONLY` for a file without a log of changes that cannot be given one; with
   * `cache: false` `INVALID_ARGUMENT`.
   * @example
   * const since = await db.position();
   * const task = await db.repository(Task).get(1);
   * // In a later request, perhaps of another process:
   * await db.repository(Task).patch(1, { title }, { since });
   */
  async position(): Promise<string> {
    return this.#parts.caching.get().position();
  }

  /**
   * The same database for one user: permissions are asked and changes are logged in that name.
   *
   * @throws `INVALID_ARGUMENT` for what is not a name: such changes would be logged as nobody's.
   */
  as(actor: string): Database<Entities, Events> {
    if (typeof actor !== "string" || actor === "") {
      throw new SpringhouseError("INVALID_ARGUMENT", "as() takes the name of a user, not empty.");
    }
    const { scope } = this;
    const session = sessionAs(this.#parts.session, scope.models, actor);
    return new Database({ ...this.#parts, scope: { ...scope, actor, session } });
  }

  /**
   * Calls `listener` after each commit with such a change; disposing of the result ends it.
   *
   * @throws `INVALID_ARGUMENT` for an unknown name, unless `open` was given `events`.
   */
  on<Name extends keyof Events & string>(
    name: Name,
    listener: EventListener<Events[Name]>,
  ): Disposable {
    refuseUnknownEvent(this.scope, name);
    return this.#parts.bus.on(name, listener);
  }

  /** Ends what `on` began. */
  off<Name extends keyof Events & string>(name: Name, listener: EventListener<Events[Name]>): void {
    refuseUnknownEvent(this.scope, name);
    this.#parts.bus.off(name, listener);
  }

  /** The events of one name as an async iterable. */
  events<Name extends keyof Events & string>(
    name: Name,
    options?: EventQueueOptions,
  ): AsyncIterable<Events[Name]> {
    refuseUnknownEvent(this.scope, name);
    return this.#parts.bus.events(name, options);
  }

  /** The audit log: who changed which row, when, and from what to what. */
  get audit(): AuditReader {
    return new AuditReader(this.scope);
  }

  /**
   * Migrates this database: status, plan, up, down, verify. Open it with `schema: "ignore"` when it
   * may be behind, since `"create"` and `"check"` refuse such a file.
   *
   * @example
   * await using db = await open({ url: "sqlite:app.db", entities: [Week], schema: "ignore" });
   * const migrator = await db.migrator({ directory: "migrations" });
   * await migrator.up();
   */
  async migrator(options: Omit<MigratorOptions, "store" | "catalog"> = {}): Promise<Migrator> {
    const { createMigrator } = await import("../migrate/run.ts");
    const { MIGRATOR_KEYS } = await import("../migrate/options.ts");
    refuseUnknownKeys(options, MIGRATOR_KEYS, "migrator");
    return createMigrator({
      ...options,
      store: this.#parts.store,
      catalog: this.scope.models.catalog,
    });
  }

  /**
   * Looks after this database: whether it answers and has room, who waits, what is safe, how well
   * results are kept. Close what it gives before the database.
   *
   * @param options the section `monitoring` of a configuration fits.
   * @throws `INVALID_ARGUMENT` for options that cannot work.
   * @example
   * await using health = await db.health({ ...config.monitoring, backups: "backups" });
   * health.start();
   * createServer(healthListener(health)).listen(9_100, "127.0.0.1");
   */
  async health(options: HealthOptions = {}): Promise<Health> {
    const { createHealth } = await import("../health/health.ts");
    const { HEALTH_KEYS } = await import("../health/options.ts");
    refuseUnknownKeys(options, HEALTH_KEYS, "health");
    const { store, caching } = this.#parts;
    const results = () => caching.present;
    const { clock } = this.scope.validation;
    return createHealth({ ...options, database: store, results }, { clock });
  }

  /** The rollups: how they are kept, compared with a recount, made anew. */
  get rollups(): Rollups {
    const { store } = this.#parts;
    const { catalog } = this.scope.models;
    return new Rollups(store, catalog, () => rollupKeeperOf(store, catalog).keep());
  }

  /** What has become of the results of cached functions, and of the tiers they are kept in. */
  cacheStatistics(): CachedStatistics {
    return this.#parts.caching.statistics();
  }

  /** The reader threads: how many, how busy, how long callers waited. */
  statistics(): PoolStatistics {
    return this.#parts.store.statistics();
  }

  /** What was run, how often and how long, without values; the costliest text first. */
  queryStatistics(): QueryStatistics {
    return this.#parts.store.queryStatistics();
  }

  /**
   * Statements that took longer than `slowQueryThreshold`, at most the last hundred, without
   * values; the latest first.
   *
   * @param window only those that ended so lately. Default: all of them.
   * @example db.slowQueries("5m").length
   */
  slowQueries(window?: Duration): readonly SlowQuery[] {
    if (window === undefined) return this.#parts.store.slowQueries();
    return this.#parts.store.slowQueries(parseDurationMs(window, "slowQueries: window"));
  }

  /**
   * The same with the plans of the statements, as they would be found now. Nothing of them is run.
   *
   * @example for (const { sql, ms, plan } of await db.explainSlowQueries("5m")) log(sql, ms, plan);
   */
  async explainSlowQueries(window?: Duration): Promise<readonly ExplainedQuery[]> {
    const { explainSlow } = await import("../advisor/slow.ts");
    return explainSlow(this.#parts.store, this.slowQueries(window));
  }

  /** Facts for a diagnosis: path, permissions, settings in force, sizes. */
  describe(): Promise<DatabaseFacts> {
    return this.#parts.store.describe();
  }

  /** The query builder for the cached function that begins: it carries the run along. */
  get #queryOfRun(): CachedQuery<TablesOf<Entities>> {
    const run = currentRun();
    if (run === undefined) return this.query;
    return kyselyFor(this.#parts.session.of(run), this.scope.models.catalog);
  }

  /** Waits for what is under way; later calls are `CLOSED`. Closing twice is fine. */
  close(): Promise<void> {
    const { caching, store, recorder } = this.#parts;
    const behind = caching.close();
    const closed = behind === undefined ? store.close() : behind.then(() => store.close());
    // Last, so that what was under way is recorded as well.
    return recorder === undefined ? closed : closed.then(() => recorder[Symbol.asyncDispose]());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
