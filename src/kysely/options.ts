/** What the dialect takes: of the options of `open` those that are about the file and the cache. */

import { SpringhouseError } from "../core/errors.ts";
import { refuseUnknownKeys } from "../core/options.ts";
import type { CachingOptions } from "../open/caching-options.ts";
import { checkStoreOptions, type OpenOptions } from "../open/options.ts";

type StoreKey =
  | "url"
  | "readOnly"
  | "profile"
  | "busyTimeout"
  | "transactionDeadline"
  | "snapshotMaxAge"
  | "slowQueryThreshold"
  | "echo"
  | "pool"
  | "clock";

/** How to open a database for Kysely. The options mean what they mean for `open`. */
export interface SpringhouseDialectOptions extends Pick<OpenOptions, StoreKey> {
  /** How results of cached functions are kept. Default: the defaults. */
  readonly cache?: CachingOptions;
}

/** The names of the options. */
export const DIALECT_KEYS: readonly (keyof SpringhouseDialectOptions)[] = [
  "url",
  "readOnly",
  "profile",
  "busyTimeout",
  "transactionDeadline",
  "snapshotMaxAge",
  "slowQueryThreshold",
  "echo",
  "pool",
  "cache",
  "clock",
];

/** Options that people bring along from elsewhere, and what to do instead. */
const FOREIGN: ReadonlyMap<string, string> = new Map([
  ["database", 'We open the file ourselves: give url: "sqlite:app.db" in its place.'],
  ["onCreateConnection", "There are several connections, and their settings are ours."],
  ["entities", "They belong to open() of springhouse; here Kysely's own table types count."],
]);

/**
 * Refuses what is no option, and values that would fail later.
 *
 * @throws `INVALID_ARGUMENT`.
 */
export function checkDialectOptions(options: SpringhouseDialectOptions): void {
  for (const [key, hint] of FOREIGN) {
    if (typeof options !== "object" || options === null || !(key in options)) continue;
    throw invalid(`unknown option "${key}". ${hint}`);
  }
  refuseUnknownKeys(options, DIALECT_KEYS, WHAT);
  checkStoreOptions(options, WHAT);
  // What a program in JavaScript may bring along from open().
  const cache: unknown = options.cache ?? {};
  if (cache === false) throw invalid("cache cannot be false. Leave it out, and cache nothing.");
}

const WHAT = "springhouseDialect";

function invalid(what: string): SpringhouseError {
  return new SpringhouseError("INVALID_ARGUMENT", `${WHAT}: ${what}`);
}
