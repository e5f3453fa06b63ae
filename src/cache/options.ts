/** Options of a cache and of its categories, validated and filled. */

import {
  assertClock,
  assertFlag,
  assertFunction,
  assertList,
  assertText,
  assertTexts,
  wrongArgument,
} from "../core/arguments.ts";
import type { ByteSize } from "../core/bytes.ts";
import { parseBytes } from "../core/bytes.ts";
import { type Clock, systemClock } from "../core/clock.ts";
import { type Duration, parseDurationMs } from "../core/duration.ts";
import { SpringhouseError } from "../core/errors.ts";
import { refuseUnknownKeys } from "../core/options.ts";
import { shown } from "../core/shown.ts";
import { checkMaxEntries, checkPolicy } from "../tier/memory/options.ts";
import type { ValueMode } from "../tier/memory/partition.ts";
import type { PolicyName } from "../tier/memory/policy.ts";
import type { Compression } from "../tier/payload.ts";
import type { Tier } from "../tier/tier.ts";
import {
  DEFAULT_LIFE,
  LIFE_KEYS,
  type LifeOptions,
  type ResolvedLife,
  refuseUnknownLife,
  resolveLife,
} from "./life.ts";
import { REFRESH_AHEAD_PART, resolveSource, type Source, type SourceOptions } from "./strategy.ts";

/** How the entries of one category are kept. */
export interface CategoryOptions extends LifeOptions, SourceOptions {
  /** What it is for, for whoever reads these options: the cache itself makes no use of it. */
  readonly description?: string;
  /** Other names of it. */
  readonly aliases?: readonly string[];
  /** The names of its tiers, fastest first. Default: all tiers of the cache. */
  readonly tiers?: readonly string[];
  /** Its own limit in memory, within the tier's. Default: it shares the tier's. */
  readonly maxEntries?: number;
  /** Its own budget in each of its tiers, within theirs. Default: it shares the tiers'. */
  readonly maxBytes?: ByteSize;
  /** Which of its entries goes first in memory, when it has limits of its own. */
  readonly policy?: PolicyName;
  /** Another compression than the tier's. */
  readonly compression?: Compression;
  /** Tags of every entry. Default: none. */
  readonly tags?: readonly string[];
  /**
   * "frozen": values are copied and frozen, and who reads them cannot change them. "shared": the
   * caller's own objects, of any class, in memory only and not counted by bytes. Default: "frozen".
   */
  readonly values?: ValueMode;
  /** Of several processes one loads a missing key, where a tier can lease keys. Default: true. */
  readonly lease?: boolean;
}

/** How to make a cache. */
export interface CacheOptions {
  /** Where entries are kept, fastest first. Default: `[memoryTier()]`. */
  readonly tiers?: readonly Tier[];
  /** Keeps caches that share a tier apart. Default: "cache". */
  readonly namespace?: string;
  /** Part of every key: raise it when the shape of values changes. Default: "1". */
  readonly version?: string;
  /** Categories by their names. Default: only "default". */
  readonly categories?: Readonly<Record<string, CategoryOptions>>;
  /** What holds for every category that does not say otherwise. */
  readonly defaults?: LifeOptions;
  /** Where write-behind notes what it has not saved yet. Default: "cache/journal.db". */
  readonly journal?: string;
  /** Fills memory at the start with what it had at the end, from the tier below. Default: false. */
  readonly warmStart?: boolean;
  /** Failures of tiers reach the caller. Default: false. */
  readonly strict?: boolean;
  /** A call of a tier that takes longer counts as failed. Default: "1s". */
  readonly tierTimeout?: Duration;
  /** Failures in a row after which a tier is left alone for a while. Default: 5. */
  readonly tierFailures?: number;
  /** For how long. Default: "5s". */
  readonly tierPause?: Duration;
  /** Where the present moment comes from. Default: the machine's clock. */
  readonly clock?: Clock;
  /** Where chance comes from. Default: `Math.random`. */
  readonly random?: () => number;
}

/** A category with nothing left open. */
export interface ResolvedCategory {
  readonly name: string;
  readonly description: string;
  readonly aliases: readonly string[];
  readonly tiers: readonly string[] | undefined;
  readonly room:
    | { readonly maxEntries?: number; readonly maxBytes?: ByteSize; readonly policy?: PolicyName }
    | undefined;
  readonly maxBytes: number;
  readonly tags: readonly string[];
  readonly values: ValueMode;
  readonly lease: boolean;
  readonly compression: Compression | undefined;
  readonly source: Source;
  readonly life: ResolvedLife;
}

/** Options with nothing left open. */
export interface ResolvedCacheOptions {
  readonly namespace: string;
  readonly version: string;
  readonly categories: readonly ResolvedCategory[];
  readonly journal: string;
  readonly warmStart: boolean;
  readonly strict: boolean;
  readonly tierTimeoutMs: number;
  readonly tierFailures: number;
  readonly tierPauseMs: number;
  readonly clock: Clock;
  readonly random: () => number;
}

const UNLIMITED = Number.POSITIVE_INFINITY;
export const DEFAULT_CATEGORY = "default";

export const CACHE_KEYS: readonly string[] = [
  "tiers",
  "namespace",
  "version",
  "categories",
  "defaults",
  "journal",
  "warmStart",
  "strict",
  "tierTimeout",
  "tierFailures",
  "tierPause",
  "clock",
  "random",
];
export const CATEGORY_KEYS: readonly string[] = [
  "description",
  "aliases",
  "tiers",
  "maxEntries",
  "maxBytes",
  "policy",
  "compression",
  "tags",
  "values",
  "lease",
  "strategy",
  "load",
  "save",
];

const COMPRESSIONS: readonly (Compression | undefined)[] = ["zstd", "lz4", "none", undefined];

/** Fills the defaults. @throws `INVALID_ARGUMENT`. */
export function resolveCacheOptions(options: CacheOptions): ResolvedCacheOptions {
  refuseUnknownKeys(options, CACHE_KEYS, "createCache");
  const { namespace = "cache", version = "1", strict = false, tierFailures = 5 } = options;
  const { categories = {}, defaults = {}, clock = systemClock, random = Math.random } = options;
  const { journal = "cache/journal.db", warmStart = false } = options;
  const { tierTimeout = "1s", tierPause = "5s" } = options;
  for (const [name, value] of Object.entries({ namespace, version })) assertName(name, value);
  for (const [name, value] of Object.entries({ strict, warmStart })) assertFlag(name, value);
  assertText("journal", journal);
  if (journal === "") throw invalid("journal", journal, "It is the path of a file.");
  if (options.tiers !== undefined) assertList("tiers", options.tiers);
  assertClock("clock", clock);
  assertFunction("random", random);
  assertNamed("categories", "an object of categories by their names", categories);
  if (!Number.isInteger(tierFailures) || tierFailures < 1) {
    throw invalid("tierFailures", tierFailures, "It is a whole number from 1.");
  }
  const tierTimeoutMs = parseDurationMs(tierTimeout, "tierTimeout");
  if (tierTimeoutMs === 0) throw invalid("tierTimeout", tierTimeout, "It is more than 0.");
  assertNamed("defaults", "an object of options", defaults);
  refuseUnknownLife(defaults, [], "defaults");
  const life = resolveLife(defaults, DEFAULT_LIFE, "defaults: ");
  const all = { [DEFAULT_CATEGORY]: {}, ...categories };
  return {
    namespace,
    version,
    categories: Object.entries(all).map(([name, given]) => resolveCategory(name, given, life)),
    journal,
    warmStart,
    strict,
    tierTimeoutMs,
    tierFailures,
    tierPauseMs: parseDurationMs(tierPause, "tierPause"),
    clock,
    random,
  };
}

function resolveCategory(
  name: string,
  given: CategoryOptions,
  base: ResolvedLife,
): ResolvedCategory {
  assertName("category", name);
  const what = `category "${name}": `;
  refuseUnknownLife(given, CATEGORY_KEYS, `category "${name}"`);
  const { maxEntries, maxBytes, policy, values = "frozen" } = given;
  const { description = "", aliases = [], tags = [], lease = true } = given;
  assertCategory(what, { ...given, description, aliases, tags, lease });
  if (values !== "frozen" && values !== "shared") {
    throw invalid(`${what}values`, values, 'It is "frozen" or "shared".');
  }
  if (!COMPRESSIONS.includes(given.compression)) {
    throw invalid(`${what}compression`, given.compression, 'It is "zstd", "lz4" or "none".');
  }
  const bytes = maxBytes === undefined ? UNLIMITED : parseBytes(maxBytes, `${what}maxBytes`);
  const source = resolveSource(name, given);
  const life = resolveLife(given, base, what);
  const room = {
    ...(maxEntries === undefined ? {} : { maxEntries }),
    ...(bytes === UNLIMITED ? {} : { maxBytes: bytes }),
    ...(policy === undefined ? {} : { policy }),
  };
  return {
    name,
    description,
    aliases,
    tiers: given.tiers,
    room: Object.keys(room).length > 0 ? room : undefined,
    maxBytes: bytes,
    tags,
    values,
    lease,
    compression: given.compression,
    source,
    life:
      source.strategy === "refresh-ahead" && life.refreshAhead === 0
        ? { ...life, refreshAhead: REFRESH_AHEAD_PART }
        : life,
  };
}

/** Throws for what is of another type than the options of a category have. */
function assertCategory(
  what: string,
  { description, aliases, tags, lease, tiers, maxEntries, policy }: CategoryOptions,
): void {
  assertText(`${what}description`, description);
  assertTexts(`${what}aliases`, aliases);
  assertTexts(`${what}tags`, tags);
  assertFlag(`${what}lease`, lease);
  if (maxEntries !== undefined) checkMaxEntries(maxEntries, what);
  if (policy !== undefined) checkPolicy(policy, what);
  if (tiers === undefined) return;
  assertTexts(`${what}tiers`, tiers);
  if (tiers.length > 0) return;
  const advice = 'Name one at least; strategy: "none" keeps nothing.';
  throw invalid(`${what}tiers`, tiers, advice);
}

/** Options of one call. */
export interface CallOptions extends LifeOptions {
  readonly tags?: readonly string[];
  readonly signal?: AbortSignal | undefined;
}

/** Options of one read. */
export interface ReadOptions extends CallOptions {
  /** Loads whatever there is, by the load of the call or the category. Default: false. */
  readonly refresh?: boolean;
  /** A value past its time will do where nothing else is at hand. Default: false. */
  readonly allowStale?: boolean;
}

/** What a call may say beside the life of its entries. */
const CALL_KEYS = { set: ["tags", "signal"], read: ["tags", "signal", "refresh", "allowStale"] };

/** The life that a call gives its entries. */
export function callLife(
  options: ReadOptions,
  verb: "read" | "set",
  base: ResolvedLife,
  what: string,
): ResolvedLife {
  refuseUnknownLife(options, CALL_KEYS[verb], what);
  const { refresh = false, allowStale = false } = options;
  for (const [name, value] of Object.entries({ refresh, allowStale })) assertFlag(name, value);
  if (LIFE_KEYS.every((key) => options[key] === undefined)) return base;
  // The nearest counts: whoever says how long this one lives says it of null, too.
  const { negativeTtlMs } = options.ttl === undefined ? base : DEFAULT_LIFE;
  return resolveLife(options, { ...base, negativeTtlMs });
}

const NAME = /^[\p{L}\p{N}._-]{1,100}$/u;

/** Names stand between separators in whole keys. */
function assertName(what: string, name: unknown): void {
  if (typeof name === "string" && NAME.test(name)) return;
  throw invalid(what, name, "It has letters, digits, dots, dashes and underscores, 1 to 100.");
}

function assertNamed(name: string, wanted: string, given: unknown): void {
  if (typeof given === "object" && given !== null && !Array.isArray(given)) return;
  throw wrongArgument(name, wanted, given);
}

function invalid(name: string, value: unknown, advice: string): SpringhouseError {
  const message = `${name}: ${shown(value)} is refused. ${advice}`;
  return new SpringhouseError("INVALID_ARGUMENT", message, { fields: { name, value } });
}
