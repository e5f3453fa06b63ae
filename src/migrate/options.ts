/** Options of a migrator, validated and filled. */

import { type Clock, systemClock } from "../core/clock.ts";
import { SpringhouseError } from "../core/errors.ts";
import { refuseUnknownKeys } from "../core/options.ts";
import { openSqliteStore } from "../store/sqlite/store.ts";
import type { Store } from "../store/store.ts";
import type { MigratorOptions } from "./migrator.ts";

/** Options with nothing left open. */
export interface ResolvedMigratorOptions
  extends Omit<MigratorOptions, keyof Filled>,
    Required<Filled> {}

interface Filled {
  readonly migrations: NonNullable<MigratorOptions["migrations"]>;
  readonly batchSize: number;
  readonly timeoutMs: number;
  readonly latencyBudgetMs: number;
  readonly clock: Clock;
  readonly openCopy: (path: string) => Promise<Store>;
}

/** The options of `db.migrator`, which brings its own store and catalog. */
export const MIGRATOR_KEYS: readonly string[] = [
  "directory",
  "migrations",
  "batchSize",
  "timeoutMs",
  "latencyBudgetMs",
  "onProgress",
  "beforeDestructive",
  "openCopy",
  "clock",
];
/** A larger batch holds the write lock for longer than anybody wants to wait. */
const BATCH_SIZE_MAX = 100_000;
/** A day: beyond that somebody has mistaken the unit. */
const TIMEOUT_MS_MAX = 86_400_000;

/**
 * Fills the defaults.
 *
 * @throws `INVALID_ARGUMENT` for an unknown key or a value out of range.
 */
export function resolveMigratorOptions(options: MigratorOptions): ResolvedMigratorOptions {
  refuseUnknownKeys(options, ["store", "catalog", ...MIGRATOR_KEYS], "createMigrator");
  return {
    ...options,
    migrations: options.migrations ?? [],
    batchSize: within("batchSize", options.batchSize ?? 1_000, BATCH_SIZE_MAX),
    timeoutMs: within("timeoutMs", options.timeoutMs ?? 30_000, TIMEOUT_MS_MAX),
    latencyBudgetMs: within("latencyBudgetMs", options.latencyBudgetMs ?? 10, TIMEOUT_MS_MAX),
    clock: options.clock ?? systemClock,
    openCopy: options.openCopy ?? openCopy,
  };
}

function within(name: string, value: number, max: number): number {
  if (Number.isInteger(value) && value >= 1 && value <= max) return value;
  throw new SpringhouseError(
    "INVALID_ARGUMENT",
    `migrator: ${name} must be a whole number from 1 to ${max}, got ${String(value)}.`,
    { fields: { name, value } },
  );
}

function openCopy(path: string): Promise<Store> {
  return openSqliteStore({ url: { kind: "file", path } });
}
