/** Options of cached functions; here, so that checking them loads nothing. */

import type { Freshness } from "../coherence/change-feed.ts";
import { assertList, assertMethods, assertText, wrongArgument } from "../core/arguments.ts";
import type { ByteSize } from "../core/bytes.ts";
import { SpringhouseError } from "../core/errors.ts";
import { refuseUnknownKeys } from "../core/options.ts";
import type { Tier } from "../tier/tier.ts";

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
  /**
   * Where results of functions with a `version` are kept beside memory, for the next process and
   * for others: the fastest first. They are closed with the database. Default: none.
   */
  readonly tiers?: readonly Tier[];
  /**
   * The share of the hits of each function, 0 to 1, that are computed again behind the caller's
   * back and compared; what differs is a warning `CACHE_WRONG`. Default: 0.
   */
  readonly shadow?: number;
}

/** For one cached function. */
export interface CachedOptions {
  /** Default: that of the database. */
  readonly freshness?: Freshness;
  /**
   * What the function's code is known by, a number or a text: change it when the function gives
   * something else for the same rows. Only functions with a version go into the tiers below
   * memory, for what is read there may be the work of an older program. Default: none.
   */
  readonly version?: number | string;
  /** As the option of the database. Default: that of the database. */
  readonly shadow?: number;
}

/** The names of the options of `cache`. */
export const CACHING_KEYS: readonly string[] = [
  "freshness",
  "maxEntries",
  "maxBytes",
  "tiers",
  "shadow",
];

/** The names of the options of a cached function. */
export const CACHED_KEYS: readonly string[] = ["freshness", "version", "shadow"];

const FRESHNESS: readonly unknown[] = ["strict", "turn", "exclusive"];

/** Refuses what is no way to keep results. */
export function checkCaching(options: CachingOptions | false | undefined, what: string): void {
  if (options === undefined || options === false) return;
  refuseUnknownKeys(options, CACHING_KEYS, `${what}: cache`);
  const { freshness, tiers, shadow } = options;
  if (freshness !== undefined) checkFreshness(`${what}: cache`, freshness);
  if (tiers !== undefined) checkTiers(tiers);
  if (shadow !== undefined) checkShare(`${what}: cache: shadow`, shadow);
}

/** Refuses what is no option of a cached function. */
export function checkCached(options: CachedOptions): void {
  refuseUnknownKeys(options, CACHED_KEYS, "cached");
  const { freshness, version, shadow } = options;
  if (freshness !== undefined) checkFreshness("cached", freshness);
  if (shadow !== undefined) checkShare("cached: shadow", shadow);
  const isName = typeof version === "string" ? version !== "" : Number.isFinite(version);
  if (version === undefined || isName) return;
  throw wrongArgument("cached: version", "a number, or a text that is not empty", version);
}

/** Refuses what is no freshness. */
function checkFreshness(where: string, freshness: unknown): void {
  if (FRESHNESS.includes(freshness)) return;
  const wanted = FRESHNESS.map((each) => JSON.stringify(each)).join(", ");
  if (typeof freshness !== "string") {
    throw wrongArgument(`${where}: freshness`, `one of ${wanted}`, freshness);
  }
  throw new SpringhouseError(
    "INVALID_ARGUMENT",
    `${where}: freshness must be one of ${wanted}, not ${JSON.stringify(freshness)}.`,
    { fields: { freshness } },
  );
}

function checkShare(where: string, share: unknown): void {
  if (typeof share === "number" && share >= 0 && share <= 1) return;
  throw wrongArgument(where, "a share of the hits, 0 to 1", share);
}

const TIER_METHODS: readonly (string & keyof Tier)[] = [
  "getMany",
  "setMany",
  "dropMany",
  "dropPrefix",
  "statistics",
  "close",
];

function checkTiers(tiers: readonly Tier[]): void {
  assertList("open: cache: tiers", tiers);
  const names = new Set<string>();
  for (const [index, tier] of tiers.entries()) {
    const where = `open: cache: tiers.${index}`;
    assertMethods(where, "a tier", tier, TIER_METHODS);
    assertText(`${where}.name`, tier.name);
    if (tier.name === "memory") {
      throw misfit("memory always comes first and is no tier of this list: set maxBytes instead");
    }
    if (names.has(tier.name)) throw misfit(`two tiers have the name "${tier.name}"`);
    names.add(tier.name);
  }
}

function misfit(why: string): SpringhouseError {
  return new SpringhouseError("INVALID_ARGUMENT", `open: cache: tiers: ${why}.`);
}
