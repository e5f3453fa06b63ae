/**
 * The composition root, the only file that knows all parts: it reads like a table of contents.
 */

import { rollupKeeperOf } from "./coherence/rollup-keeper.ts";
import { RollupSession } from "./coherence/rollup-session.ts";
import { TrackedSession } from "./coherence/tracked-session.ts";
import { type Clock, systemClock } from "./core/clock.ts";
import { ensureSchema } from "./migrate/schema.ts";
import { Database } from "./open/database.ts";
import { LazyCaching } from "./open/lazy-caching.ts";
import {
  checkEventNames,
  checkOpenOptions,
  type OpenOptions,
  pageLimits,
  sqliteStoreOptions,
} from "./open/options.ts";
import { EventBus } from "./repository/event-bus.ts";
import type { EventNames, EventsOf } from "./repository/event-types.ts";
import { Models } from "./repository/models.ts";
import { type Catalog, createCatalog } from "./schema/catalog.ts";
import type { Entity } from "./schema/types.ts";
import { systemContext } from "./schema/validate-plan.ts";
import { openSqliteStore, type SqliteStore } from "./store/sqlite/store.ts";
import type { Session } from "./store/store.ts";

/**
 * Opens a database, and makes it when there is none.
 *
 * @throws `INVALID_URL`, `UNOPENABLE`, `NOT_A_DATABASE`, `CORRUPT` and `SQLITE_TOO_OLD` for what
 * cannot be opened; `SCHEMA_MISMATCH` and `SCHEMA_NEWER` when the file is not as declared.
 * @example
 * await using db = await open({ url: "sqlite:app.db", entities: [Week, Task] });
 * await db.repository(Task).create({ weekId: 7 });
 */
export async function open<
  const Entities extends readonly Entity[] = readonly [],
  // biome-ignore lint/complexity/noBannedTypes: it is the empty set of names, not any object.
  const Names extends EventNames = {},
  Own extends object = object,
  const Rollups extends readonly Entity[] = readonly [],
>(
  options: OpenOptions<Entities, Names, Own, Rollups>,
): Promise<Database<readonly [...Entities, ...Rollups], EventsOf<Entities, Names> & Own>> {
  checkOpenOptions(options);
  const {
    entities = [],
    rollups = [],
    schema = "create",
    migrations,
    eventNames,
    permissions,
  } = options;
  const limits = pageLimits(options);
  const catalog = createCatalog(entities, rollups);
  checkEventNames(eventNames, catalog);
  const store = await openSqliteStore(sqliteStoreOptions(options));
  let kept: Session = store;
  try {
    const folder = migrations === undefined ? {} : { migrationsDirectory: migrations };
    await ensureSchema(store, catalog, schema, folder);
    if (rollups.length > 0) kept = await keepRollups(store, catalog);
  } catch (error) {
    await store.close();
    throw error;
  }
  const clock = options.clock ?? systemClock;
  const recorder = await recordWorkload(store, options.recordWorkload, clock);
  const session = new TrackedSession(kept);
  const caching = new LazyCaching(store, catalog, clock, options.cache ?? {});
  const bus = new EventBus<EventsOf<Entities, Names> & Own>();
  const models = new Models(catalog, store.dialect, eventNames);
  const validation = { ...systemContext, clock };
  const scope = {
    session,
    models,
    limits,
    events: bus,
    hasOwnEvents: options.events !== undefined,
    validation,
    actor: undefined,
    permissions,
    coherence: caching.coherence,
    cache: options.cache === false ? undefined : caching,
  };
  return new Database<readonly [...Entities, ...Rollups], EventsOf<Entities, Names> & Own>({
    store,
    session,
    scope,
    bus,
    caching,
    recorder,
  });
}

/** Begins to record what is asked, for advice. */
async function recordWorkload(
  store: SqliteStore,
  path: string | undefined,
  clock: Clock,
): Promise<AsyncDisposable | undefined> {
  if (path === undefined) return undefined;
  const { WorkloadRecorder } = await import("./advisor/recorder.ts");
  return new WorkloadRecorder(store.file.log, path, clock);
}

/** Marks rollups that writes have passed by, and sees to it while the database is open. */
async function keepRollups(store: SqliteStore, catalog: Catalog): Promise<Session> {
  const keeper = rollupKeeperOf(store, catalog);
  await keeper.keep();
  return new RollupSession(store, keeper);
}
