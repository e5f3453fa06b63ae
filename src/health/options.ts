/** Options of health, validated and filled. */

import { assertFlag, assertFunction, assertMethods, assertText } from "../core/arguments.ts";
import { type Duration, parseDurationMs } from "../core/duration.ts";
import { SpringhouseError } from "../core/errors.ts";
import { refuseUnknownKeys } from "../core/options.ts";
import { BackupFolder } from "./backup-folder.ts";
import type {
  HealthBackups,
  HealthCache,
  HealthDatabase,
  HealthGuard,
  HealthProbe,
  HealthSources,
} from "./sources.ts";
import { resolveThresholds, type ThresholdOptions, type Thresholds } from "./thresholds.ts";

/** What is looked at, how often, and what is too much. The section `monitoring` fits. */
export interface HealthOptions {
  /** Whether `start()` looks at intervals. Default: true. */
  readonly enabled?: boolean;
  /** How often. Default: "60s". */
  readonly healthCheckInterval?: Duration;
  /** How long one look may take before what has not answered counts as unhealthy. Default: "5s". */
  readonly checkTimeout?: Duration;
  /** How far back slow statements count. Default: "5m". */
  readonly slowQueryWindow?: Duration;
  /** How often `start()` has `quick_check` read all pages; 0 for never. Default: "7d". */
  readonly quickCheckInterval?: Duration;
  /** From when on a figure is a warning, or unhealthy. Default: see docs/guide/health.md. */
  readonly thresholds?: ThresholdOptions;
  /** The folder of the backups. Default: backups are not looked at. */
  readonly backups?: string | HealthBackups | undefined;
  /** Caches by their names, from `createCache`. Default: none. */
  readonly caches?: Readonly<Record<string, HealthCache>>;
  /** Guards, from `guard`. Default: none. */
  readonly guards?: readonly HealthGuard[];
  /** Checks of your own, by their names. Default: none. */
  readonly probes?: Readonly<Record<string, HealthProbe>>;
  /** Whether the delay of the event loop is measured. Default: true. */
  readonly eventLoop?: boolean;
}

/** For `createHealth`. */
export interface CreateHealthOptions extends HealthOptions {
  /** What to look at; an open database has `db.health()` instead. Default: none. */
  readonly database?: HealthDatabase | undefined;
  /** The counters of the database's cached functions. Default: none. */
  readonly results?: HealthSources["results"];
}

/** Options with nothing left open. */
export interface ResolvedHealthOptions {
  readonly enabled: boolean;
  readonly intervalMs: number;
  readonly checkTimeoutMs: number;
  readonly slowQueryWindowMs: number;
  readonly quickCheckIntervalMs: number;
  readonly thresholds: Thresholds;
  readonly eventLoop: boolean;
  readonly sources: HealthSources;
}

/** The names of the options of `db.health()`. */
export const HEALTH_KEYS = [
  "enabled",
  "healthCheckInterval",
  "checkTimeout",
  "slowQueryWindow",
  "quickCheckInterval",
  "thresholds",
  "backups",
  "caches",
  "guards",
  "probes",
  "eventLoop",
] as const;

const DATABASE_METHODS = ["vitals", "read", "write", "queryStatistics", "slowQueries"];

/** Fills the defaults. @throws `INVALID_ARGUMENT` naming the option. */
export function resolveHealthOptions(options: CreateHealthOptions): ResolvedHealthOptions {
  refuseUnknownKeys(options, [...HEALTH_KEYS, "database", "results"], "health");
  const {
    enabled = true,
    eventLoop = true,
    slowQueryWindow = "5m",
    quickCheckInterval = "7d",
  } = options;
  assertFlag("health enabled", enabled);
  assertFlag("health eventLoop", eventLoop);
  return {
    enabled,
    intervalMs: positive("healthCheckInterval", options.healthCheckInterval ?? "60s"),
    checkTimeoutMs: positive("checkTimeout", options.checkTimeout ?? "5s"),
    slowQueryWindowMs: positive("slowQueryWindow", slowQueryWindow),
    quickCheckIntervalMs: parseDurationMs(quickCheckInterval, "health quickCheckInterval"),
    thresholds: resolveThresholds(options.thresholds),
    eventLoop,
    sources: resolveSources(options),
  };
}

function positive(name: string, value: Duration): number {
  const ms = parseDurationMs(value, `health ${name}`);
  if (ms > 0) return ms;
  const message = `health ${name}: 0 is refused. It is more than 0.`;
  throw new SpringhouseError("INVALID_ARGUMENT", message, { fields: { name } });
}

function resolveSources(options: CreateHealthOptions): HealthSources {
  const { database, results, backups, caches = {}, guards = [], probes = {} } = options;
  if (database !== undefined) {
    assertMethods("health database", "an open database", database, DATABASE_METHODS);
  }
  for (const [name, cache] of Object.entries(caches)) {
    assertMethods(`health caches.${name}`, "a cache", cache, ["cacheStatistics"]);
  }
  for (const [index, guard] of guards.entries()) {
    assertMethods(`health guards.${index}`, "a guard", guard, ["statistics"]);
    assertText(`health guards.${index}.name`, guard.name);
  }
  for (const [name, probe] of Object.entries(probes)) {
    assertFunction(`health probes.${name}`, probe);
  }
  return { database, results, backups: resolveBackups(backups), caches, guards, probes };
}

function resolveBackups(given: HealthOptions["backups"]): HealthBackups | undefined {
  if (given === undefined) return undefined;
  if (typeof given === "string") return new BackupFolder(given);
  assertMethods("health backups", "a folder, or a source of backups", given, ["list", "sizeBytes"]);
  return given;
}
