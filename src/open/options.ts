/** What `open` takes, and how it becomes the options of the parts. */

import { assertFunction, assertText, wrongArgument } from "../core/arguments.ts";
import type { Clock } from "../core/clock.ts";
import { type Duration, parseDurationMs } from "../core/duration.ts";
import { SpringhouseError } from "../core/errors.ts";
import { refuseUnknownKeys } from "../core/options.ts";
import type { SchemaMode } from "../migrate/schema.ts";
import type { EventNames } from "../repository/event-types.ts";
import type { PermissionHook } from "../repository/permissions.ts";
import type { PageLimits } from "../repository/types.ts";
import type { Catalog } from "../schema/catalog.ts";
import type { Entity } from "../schema/types.ts";
import type { PoolOptions as PoolOptionsMs } from "../sqlite/pool-options.ts";
import type { Profile } from "../sqlite/pragmas.ts";
import type { Echo } from "../sqlite/query-log.ts";
import type { SqliteStoreOptions } from "../store/sqlite/store.ts";
import { type CachingOptions, checkCaching } from "./caching-options.ts";

/** How to open a database. */
export interface OpenOptions<
  Entities extends readonly Entity[] = readonly Entity[],
  Names extends EventNames = EventNames,
  Own extends object = object,
  Rollups extends readonly Entity[] = readonly Entity[],
> {
  /**
   * `sqlite:app.db` or `sqlite:///app.db` (relative), `sqlite:////var/app.db` (absolute),
   * `sqlite::memory:` (a private temporary file). No default.
   */
  readonly url: string;
  /** What the database holds. Default: none; then only Kysely and plain SQL are of use. */
  readonly entities?: Entities;
  /** Statistics of the entities' rows that are kept, made by `rollup()`. Default: none. */
  readonly rollups?: Rollups;
  /**
   * `"create"` makes the tables in an empty database and checks any other, `"check"` only checks,
   * `"ignore"` does neither. Nothing that exists is ever altered. Default: "create".
   */
  readonly schema?: SchemaMode;
  /** Folder of migrations, which tells how new a database is. Default: none. */
  readonly migrations?: string;
  /** Opens without a writer. Default: false. */
  readonly readOnly?: boolean;
  /** `"durable"` for what must last, `"fast"` for what can be made again. Default: "durable". */
  readonly profile?: Profile;
  /** How long a write, or the opening itself, waits for other processes. Default: "30s". */
  readonly busyTimeout?: Duration;
  /** How long a transaction may last when it does not say. Default: "5s". */
  readonly transactionDeadline?: Duration;
  /** How long a stream may hold back the write-ahead log. Default: "60s". */
  readonly snapshotMaxAge?: Duration;
  /** Slower statements go to the channel `springhouse:slow-query`. Default: "100ms". */
  readonly slowQueryThreshold?: Duration;
  /** Prints every statement without its values, to stderr or through a function. Default: false. */
  readonly echo?: boolean | Echo;
  /**
   * A file into which statements are recorded without their values, with counts and times, for
   * `springhouse advise`. What it holds is kept and added to. Default: nothing is recorded.
   */
  readonly recordWorkload?: string | undefined;
  /** Reader threads. Default: the defaults of `PoolOptions`. */
  readonly pool?: PoolOptions;
  /** Rows of a page or list when a call does not say. Default: 50. */
  readonly pageSize?: number;
  /** The most rows that a page or list may ask for. Default: 1,000. */
  readonly pageSizeMax?: number;
  /** Asked before every call of a repository. Default: everything is allowed. */
  readonly permissions?: PermissionHook;
  /** Names in domain events by table, `{ people: "person" }`. Default: the table's singular. */
  readonly eventNames?: Names;
  /**
   * The types of events that the program raises itself by `emit`. Without it, names that are no
   * entity's are refused. Default: none.
   */
  readonly events?: EventTypes<Own>;
  /**
   * How results of cached functions and of repositories are kept in memory; false for not at all.
   * Default: as `CachingOptions` say.
   */
  readonly cache?: CachingOptions | false;
  /** Where the present moment comes from. Default: the machine's clock. */
  readonly clock?: Clock;
}

/** Reader threads: how many, and how long. */
export interface PoolOptions {
  /** Threads that are kept when idle. They are started when needed, not before. Default: 3. */
  readonly minSize?: number;
  /** Threads at most. Default: 10. */
  readonly maxSize?: number;
  /** How long a read waits for a thread before `POOL_TIMEOUT`. Default: "5s". */
  readonly connectionTimeout?: Duration;
  /** A thread above `minSize` that is idle for longer is ended. Default: "300s". */
  readonly idleTimeout?: Duration;
  /** A thread that is older is replaced between two uses. Default: "3600s". */
  readonly maxLifetime?: Duration;
  /** A stream open for longer is reported with its origin; 0 for never. Default: "60s". */
  readonly leakDetectionThreshold?: Duration;
}

/** Types of a program's own events; made by `eventTypes`. */
export interface EventTypes<Own extends object> {
  /** Only a type; there is nothing at run time. */
  readonly types?: Own;
}

/**
 * Says which events a program raises itself.
 *
 * @example
 * const events = eventTypes<{ statisticsUpdated: { weekId: number } }>();
 * const db = await open({ url: "sqlite:app.db", entities: [Week], events });
 * db.emit("statisticsUpdated", { weekId: 7 });
 */
export function eventTypes<Own extends object>(): EventTypes<Own> {
  return {};
}

/** The names of all options. */
export const OPEN_KEYS: readonly string[] = [
  "url",
  "entities",
  "rollups",
  "schema",
  "migrations",
  "readOnly",
  "profile",
  "busyTimeout",
  "transactionDeadline",
  "snapshotMaxAge",
  "slowQueryThreshold",
  "echo",
  "recordWorkload",
  "pool",
  "pageSize",
  "pageSizeMax",
  "permissions",
  "eventNames",
  "events",
  "cache",
  "clock",
];

/** The names of the options of the pool. */
export const POOL_KEYS: readonly string[] = [
  "minSize",
  "maxSize",
  "connectionTimeout",
  "idleTimeout",
  "maxLifetime",
  "leakDetectionThreshold",
];

const SCHEMA_MODES: readonly SchemaMode[] = ["create", "check", "ignore"];

/** Refuses misspelt keys of the options and of their pool, and values that would fail later. */
export function checkOpenOptions(options: OpenOptions): void {
  refuseUnknownKeys(options, OPEN_KEYS, "open");
  checkStoreOptions(options, "open");
  const { schema, migrations, permissions, events, recordWorkload } = options;
  if (recordWorkload !== undefined) assertText("open: recordWorkload", recordWorkload);
  if (migrations !== undefined) assertText("open: migrations", migrations);
  if (permissions !== undefined) assertFunction("open: permissions", permissions);
  if (events !== undefined && !isObject(events)) {
    throw wrongArgument("open: events", "what eventTypes() gives", events);
  }
  if (schema !== undefined && !SCHEMA_MODES.includes(schema)) {
    throw invalid("schema", schema, 'It is "create", "check" or "ignore".');
  }
}

/** The part of it that is about the file and the cache. @param what the function that opens. */
export function checkStoreOptions({ pool = {}, cache, clock }: OpenOptions, what: string): void {
  refuseUnknownKeys(pool, POOL_KEYS, `${what}: pool`);
  checkCaching(cache, what);
  if (clock !== undefined && !isClock(clock)) {
    const methods = "an object with nowMs(), monotonicMs(), schedule()";
    throw wrongArgument(`${what}: clock`, methods, clock);
  }
}

/** Refuses names of tables that are not declared: their events would keep the usual name. */
export function checkEventNames(names: EventNames | undefined, { entities }: Catalog): void {
  if (names === undefined) return;
  if (!isObject(names)) throw wrongArgument("open: eventNames", "an object by table", names);
  const tables = entities.map(({ table }) => table);
  refuseUnknownKeys(names, tables, "open: eventNames");
  for (const [table, name] of Object.entries(names)) {
    if (typeof name === "string" && name !== "") continue;
    throw invalid(`eventNames.${table}`, name, 'It is the name of one row, such as "person".');
  }
}

function isClock(clock: Clock): boolean {
  const methods = isObject(clock) ? [clock.nowMs, clock.monotonicMs, clock.schedule] : [undefined];
  return methods.every((method) => typeof method === "function");
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null;
}

/** The options of the SQLite store: durations become milliseconds. */
export function sqliteStoreOptions(options: OpenOptions): SqliteStoreOptions {
  const { url, readOnly, profile, echo, pool } = options;
  return defined({
    url,
    readOnly,
    profile,
    echo,
    pool: pool === undefined ? undefined : poolOptions(pool),
    busyTimeoutMs: ms(options.busyTimeout, "busyTimeout"),
    transactionDeadlineMs: ms(options.transactionDeadline, "transactionDeadline"),
    snapshotMaxAgeMs: ms(options.snapshotMaxAge, "snapshotMaxAge"),
    slowQueryThresholdMs: ms(options.slowQueryThreshold, "slowQueryThreshold"),
  }) as SqliteStoreOptions;
}

/** How many rows a page may have. */
export function pageLimits({ pageSize = 50, pageSizeMax = 1_000 }: OpenOptions): PageLimits {
  const sizes = { pageSize, pageSizeMax };
  for (const [name, value] of Object.entries(sizes)) {
    if (Number.isSafeInteger(value) && value >= 1) continue;
    throw invalid(name, value, "It is a whole number from 1.");
  }
  if (pageSize > pageSizeMax) throw invalid("pageSize", pageSize, "It is at most pageSizeMax.");
  return { size: pageSize, sizeMax: pageSizeMax };
}

function invalid(name: string, value: unknown, rule: string): SpringhouseError {
  const message = `open: ${name} cannot be ${JSON.stringify(value)}. ${rule}`;
  return new SpringhouseError("INVALID_ARGUMENT", message, { fields: { name, value } });
}

function poolOptions(pool: PoolOptions): PoolOptionsMs {
  return defined({
    minSize: pool.minSize,
    maxSize: pool.maxSize,
    connectionTimeoutMs: ms(pool.connectionTimeout, "pool.connectionTimeout"),
    idleTimeoutMs: ms(pool.idleTimeout, "pool.idleTimeout"),
    maxLifetimeMs: ms(pool.maxLifetime, "pool.maxLifetime"),
    leakDetectionThresholdMs: ms(pool.leakDetectionThreshold, "pool.leakDetectionThreshold"),
  });
}

function ms(duration: Duration | undefined, name: string): number | undefined {
  return duration === undefined ? undefined : parseDurationMs(duration, name);
}

type Defined<T> = { readonly [P in keyof T]?: Exclude<T[P], undefined> };

/** Only what is given, so that each part fills in its own defaults. */
function defined<T extends object>(options: T): Defined<T> {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given) as Defined<T>;
}
