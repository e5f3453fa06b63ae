/** Options of an open file, validated and filled. */

import { SpringhouseError } from "../core/errors.ts";
import { refuseUnknownKeys } from "../core/options.ts";
import { assertMilliseconds } from "./milliseconds.ts";
import { type PoolOptions, type ResolvedPoolOptions, resolvePoolOptions } from "./pool-options.ts";
import type { Profile } from "./pragmas.ts";
import type { Echo } from "./query-log.ts";

/** How to open a SQLite file. */
export interface DatabaseOptions {
  /** `durable` for what must last, `fast` for caches. Default: "durable". */
  readonly profile?: Profile;
  /** Opens without a writer. Default: false. */
  readonly readOnly?: boolean;
  /** Reader threads. Default: the defaults of `PoolOptions`. */
  readonly pool?: PoolOptions;
  /** How long a write, or opening, waits for other processes, milliseconds. Default: 30,000. */
  readonly busyTimeoutMs?: number;
  /**
   * How long a stream or a snapshot may hold back the log, milliseconds; then it ends with
   * `TRANSACTION_TIMEOUT`. Default: 60,000.
   */
  readonly snapshotMaxAgeMs?: number;
  /** Statements that take longer go to the slow-query channel, milliseconds. Default: 100. */
  readonly slowQueryThresholdMs?: number;
  /** Memory for pages, of each connection. Default: 32 MB to write, 4 to 16 MB to read. */
  readonly cacheSizeBytes?: number;
  /** Prints every statement, to stderr or through a function, without values. Default: false. */
  readonly echo?: boolean | Echo;
  /** Only "wal" works; anything else is refused with the reason. Default: "wal". */
  readonly journalMode?: string;
  /** Decided by the profile; anything weaker is refused with the reason. Default: by profile. */
  readonly synchronous?: string;
}

/** Options with nothing left open. */
export interface ResolvedDatabaseOptions {
  readonly profile: Profile;
  readonly readOnly: boolean;
  readonly pool: ResolvedPoolOptions;
  readonly busyTimeoutMs: number;
  readonly snapshotMaxAgeMs: number;
  readonly slowQueryThresholdMs: number;
  /** Undefined for what suits each connection. */
  readonly cacheSizeBytes: number | undefined;
  readonly echo: Echo | undefined;
}

/** The names of the options, for layers that add their own. */
export const DATABASE_OPTION_KEYS: readonly string[] = [
  "profile",
  "readOnly",
  "pool",
  "busyTimeoutMs",
  "snapshotMaxAgeMs",
  "slowQueryThresholdMs",
  "cacheSizeBytes",
  "echo",
  "journalMode",
  "synchronous",
];

/**
 * Fills the defaults.
 *
 * @throws `INVALID_ARGUMENT` for an unknown key, a wrong value, or a setting that would endanger
 * the file.
 */
export function resolveDatabaseOptions(options: DatabaseOptions): ResolvedDatabaseOptions {
  refuseUnknownKeys(options, DATABASE_OPTION_KEYS, "SQLite");
  const { profile = "durable", readOnly = false, echo = false } = options;
  if (profile !== "durable" && profile !== "fast") {
    throw invalid("profile", profile, 'It is "durable" or "fast".');
  }
  if (typeof readOnly !== "boolean") throw invalid("readOnly", readOnly, "It is true or false.");
  if (typeof echo !== "boolean" && typeof echo !== "function") {
    throw invalid("echo", echo, "It is true, false, or a function that takes a line.");
  }
  refuseUnsafe(options, profile);
  const resolved = {
    profile,
    readOnly,
    pool: resolvePoolOptions(options.pool),
    busyTimeoutMs: options.busyTimeoutMs ?? 30_000,
    snapshotMaxAgeMs: options.snapshotMaxAgeMs ?? 60_000,
    slowQueryThresholdMs: options.slowQueryThresholdMs ?? 100,
    cacheSizeBytes: options.cacheSizeBytes,
    echo: echo === true ? printToStderr : echo === false ? undefined : echo,
  };
  assertMilliseconds("busyTimeoutMs", resolved.busyTimeoutMs);
  assertMilliseconds("snapshotMaxAgeMs", resolved.snapshotMaxAgeMs);
  assertMilliseconds("slowQueryThresholdMs", resolved.slowQueryThresholdMs);
  assertCacheSize(resolved.cacheSizeBytes);
  return resolved;
}

function printToStderr(line: string): void {
  process.stderr.write(`${line}\n`);
}

function refuseUnsafe(options: DatabaseOptions, profile: Profile): void {
  const { journalMode = "wal", synchronous } = options;
  if (journalMode.toLowerCase() !== "wal") {
    throw invalid(
      "journalMode",
      journalMode,
      "Only the write-ahead log lets readers and the writer work at once. MEMORY and OFF keep no " +
        "journal on disk: a killed process leaves a damaged file, and they are not faster than " +
        'profile "fast".',
    );
  }
  const given = synchronous?.toLowerCase();
  const allowed = profile === "durable" ? ["full"] : ["normal"];
  if (given === undefined || allowed.includes(given)) return;
  throw invalid(
    "synchronous",
    synchronous,
    `Profile "${profile}" has ${allowed.join(", ").toUpperCase()}. OFF would leave a damaged ` +
      'file behind a power failure; for NORMAL choose profile "fast".',
  );
}

function assertCacheSize(bytes: unknown): void {
  if (bytes === undefined || (typeof bytes === "number" && bytes >= 0)) return;
  throw invalid("cacheSizeBytes", bytes, "It is a number of bytes.");
}

function invalid(name: string, value: unknown, advice: string): SpringhouseError {
  const message = `${name}: ${String(value)} is refused. ${advice}`;
  return new SpringhouseError("INVALID_ARGUMENT", message, {
    fields: { name, value: String(value) },
  });
}
