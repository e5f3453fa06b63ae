/** Options of cached functions; here, so that checking them loads nothing. */

import type { Freshness } from "../coherence/change-feed.ts";
import { wrongArgument } from "../core/arguments.ts";
import type { ByteSize } from "../core/bytes.ts";
import { refuseUnknownKeys } from "../core/options.ts";

/** How results are kept. */
export interface CachingOptions {
  /**
   * How soon a result from memory tells of what other processes have written: `"strict"` at once,
   * `"turn"` at the next turn of the event loop, a millisecond later at most, `"exclusive"` never,
   * for files that nobody else writes. What this process has written is always seen. Default:
   * "turn".
   */
  readonly freshness?: Freshness;
  /** Results in memory. Default: 10,000. */
  readonly maxEntries?: number;
  /** Heap bytes of all results. Default: "100MB". */
  readonly maxBytes?: ByteSize;
}

/** For one cached function. */
export interface CachedOptions {
  /** Default: that of the database. */
  readonly freshness?: Freshness;
}

/** The names of the options of `cache`. */
export const CACHING_KEYS: readonly string[] = ["freshness", "maxEntries", "maxBytes"];

const FRESHNESS: readonly unknown[] = ["strict", "turn", "exclusive"];

/** Refuses what is no way to keep results. */
export function checkCaching(options: CachingOptions | false | undefined, what: string): void {
  if (options === undefined || options === false) return;
  refuseUnknownKeys(options, CACHING_KEYS, `${what}: cache`);
  if (options.freshness !== undefined) checkFreshness(`${what}: cache`, options.freshness);
}

/** Refuses what is no freshness. */
export function checkFreshness(where: string, freshness: unknown): void {
  if (FRESHNESS.includes(freshness)) return;
  const wanted = FRESHNESS.map((each) => JSON.stringify(each)).join(", ");
  throw wrongArgument(`${where}: freshness`, `one of ${wanted}`, freshness);
}
