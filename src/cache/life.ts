/**
 * How long an entry lives, and all arithmetic with it. Milliseconds inside; `Infinity` is for ever
 * and 0 is not at all.
 */

import { wrongArgument } from "../core/arguments.ts";
import { type Duration, parseDurationMs } from "../core/duration.ts";
import { SpringhouseError } from "../core/errors.ts";
import { refuseUnknownKeys } from "../core/options.ts";
import { shown } from "../core/shown.ts";
import type { EntryLook, TierEntry } from "../tier/tier.ts";

/** A duration, or `Infinity`. */
export type Life = Duration;

/** The life of entries, as people write it. */
export interface LifeOptions {
  /** How long an entry is fresh; `Infinity` for ever, 0 for not cached. Default: "300s". */
  readonly ttl?: Life;
  /**
   * Another time to live in one tier, by its name; what comes from a tier below lives no longer
   * than there. A `ttl` said nearer holds in all tiers. That of one value, said by its load or for
   * null, shortens its life in a tier and never prolongs it: `tierTtl` is what other processes may
   * rely on. Default: `ttl`.
   */
  readonly tierTtl?: Readonly<Record<string, Life>>;
  /** Each hit makes it fresh for `ttl` again. Default: false. */
  readonly sliding?: boolean;
  /** Shortens lives by up to this part, so that entries do not end at once. Default: 0. */
  readonly jitter?: number;
  /**
   * How long an entry is kept when it is no longer fresh, for when its load fails or takes longer
   * than `softTimeout`. Default: 0.
   */
  readonly keepStale?: Life;
  /**
   * For so long after its end an entry is served at once, stale, while it is loaded anew behind it;
   * part of `keepStale`, which it raises where it is shorter. Default: 0.
   */
  readonly staleWhileRevalidate?: Life;
  /**
   * The `ttl` of null, which says that there is nothing; a call's own `ttl` comes before that of
   * its category. Default: `ttl`.
   */
  readonly negativeTtl?: Life;
  /** With something stale at hand a load is waited for so long. Default: Infinity. */
  readonly softTimeout?: Life;
  /** A load is waited for so long; then the call fails with `TIMEOUT`. Default: "30s". */
  readonly hardTimeout?: Life;
  /** After a failed load what is stale counts as fresh for so long. Default: "10s". */
  readonly retryAfter?: Life;
  /** A hit after this part of the life loads anew behind it, 0 to 1. Default: 0, never. */
  readonly refreshAhead?: number;
  /**
   * Loads anew before the end by chance, the more likely the costlier the load: the β of XFetch,
   * 1 for its optimum. Default: 0, never.
   */
  readonly earlyRefresh?: number;
}

/** Milliseconds and parts, with nothing left open. */
export interface ResolvedLife {
  readonly ttlMs: number;
  readonly tierTtlMs: Readonly<Record<string, number>>;
  readonly sliding: boolean;
  readonly jitter: number;
  readonly keepStaleMs: number;
  readonly staleWhileRevalidateMs: number;
  readonly negativeTtlMs: number | undefined;
  readonly softTimeoutMs: number;
  readonly hardTimeoutMs: number;
  readonly retryAfterMs: number;
  readonly refreshAhead: number;
  readonly earlyRefresh: number;
}

export const LIFE_KEYS: readonly (keyof LifeOptions)[] = [
  "ttl",
  "tierTtl",
  "sliding",
  "jitter",
  "keepStale",
  "staleWhileRevalidate",
  "negativeTtl",
  "softTimeout",
  "hardTimeout",
  "retryAfter",
  "refreshAhead",
  "earlyRefresh",
];

export const DEFAULT_LIFE: ResolvedLife = {
  ttlMs: 300_000,
  tierTtlMs: {},
  sliding: false,
  jitter: 0,
  keepStaleMs: 0,
  staleWhileRevalidateMs: 0,
  negativeTtlMs: undefined,
  softTimeoutMs: Number.POSITIVE_INFINITY,
  hardTimeoutMs: 30_000,
  retryAfterMs: 10_000,
  refreshAhead: 0,
  earlyRefresh: 0,
};

/** An entry in use is told of in every half of its life, as it is used at any moment of it. */
const SLIDE_TOLD_PART = 1 / 2;

/** Milliseconds of a life. @throws `INVALID_ARGUMENT`. */
export function parseLifeMs(value: Life, name: string): number {
  return value === Number.POSITIVE_INFINITY ? value : parseDurationMs(value, name);
}

/**
 * Lays options over what holds otherwise.
 *
 * @param what whose options they are; stands before their names in messages.
 * @throws `INVALID_ARGUMENT` naming the option.
 */
export function resolveLife(options: LifeOptions, base: ResolvedLife, what = ""): ResolvedLife {
  const life = (name: keyof LifeOptions, otherwise: number): number => {
    const value = options[name] as Life | undefined;
    return value === undefined ? otherwise : parseLifeMs(value, what + name);
  };
  const staleWhileRevalidateMs = life("staleWhileRevalidate", base.staleWhileRevalidateMs);
  const { negativeTtl } = options;
  return {
    ttlMs: life("ttl", base.ttlMs),
    tierTtlMs: tierLives(options, base, what),
    sliding: flag(options.sliding, `${what}sliding`, base.sliding),
    jitter: part(options.jitter, `${what}jitter`, base.jitter),
    keepStaleMs: Math.max(life("keepStale", base.keepStaleMs), staleWhileRevalidateMs),
    staleWhileRevalidateMs,
    negativeTtlMs:
      negativeTtl === undefined
        ? base.negativeTtlMs
        : parseLifeMs(negativeTtl, `${what}negativeTtl`),
    softTimeoutMs: life("softTimeout", base.softTimeoutMs),
    hardTimeoutMs: life("hardTimeout", base.hardTimeoutMs),
    retryAfterMs: life("retryAfter", base.retryAfterMs),
    refreshAhead: part(options.refreshAhead, `${what}refreshAhead`, base.refreshAhead),
    earlyRefresh: positive(options.earlyRefresh, `${what}earlyRefresh`, base.earlyRefresh),
  };
}

/** Throws for options of a life that do not exist. */
export function refuseUnknownLife(options: object, further: readonly string[], what: string): void {
  refuseUnknownKeys(options, [...LIFE_KEYS, ...further], what);
}

/**
 * The time to live of a new value in one tier.
 *
 * @param isOwn whether the value has its own, which holds within that of the tier: memory with a
 *   short one is how a category bounds for how long what another process drops is served.
 */
export function tierTtlMs(
  tier: string,
  ttlMs: number,
  isOwn: boolean,
  { tierTtlMs: lives }: ResolvedLife,
): number {
  const tierMs = lives[tier] ?? ttlMs;
  return isOwn ? Math.min(tierMs, ttlMs) : tierMs;
}

/** The entry of a tier below as another tier keeps it: for what is left of its life at most. */
export function promoted(
  entry: TierEntry,
  tier: string,
  nowMs: number,
  { ttlMs, tierTtlMs: lives, keepStaleMs }: ResolvedLife,
): TierEntry {
  // Without a word on tiers a life is the same in all of them, and the entry has its own.
  if (Object.keys(lives).length === 0) return entry;
  const tierMs = lives[tier] ?? ttlMs;
  const untilMs = Math.min(entry.freshUntilMs, nowMs + tierMs);
  return {
    ...entry,
    freshUntilMs: untilMs,
    keepUntilMs: Math.min(entry.keepUntilMs, untilMs + keepStaleMs),
    slidingMs: entry.slidingMs > 0 ? tierMs : 0,
  };
}

/**
 * How often the tiers below are to be told that an entry is used whose hits memory has, so that it
 * outlasts none of its lives there.
 *
 * @param slidingMs its lives in all tiers; 0 where it is not kept.
 */
export function tellEveryMs(slidingMs: readonly number[], { jitter }: ResolvedLife): number {
  // The first life may be shorter than those to come.
  return Math.min(...slidingMs.filter((ms) => ms > 0)) * (1 - jitter) * SLIDE_TOLD_PART;
}

/**
 * The same entry with its time over, kept for as long as it would have been.
 *
 * @param atMs since when; no later than now, which the clock may have been set back to.
 */
export function asStale<Entry extends EntryLook>(entry: Entry, atMs: number): Entry {
  return { ...entry, freshUntilMs: Math.min(entry.freshUntilMs, atMs) };
}

/**
 * In how many milliseconds a fresh entry is to be loaded anew behind a hit.
 *
 * A. Vattani, F. Chierichetti, K. Lowenstein, "Optimal Probabilistic Cache Stampede Prevention"
 * (XFetch, VLDB 2015): each request refreshes when now − Δ·β·ln(random) passes the end, Δ being the
 * cost of the load. One draw when the entry is made replaces a draw at each hit: within a process
 * one flight serves all callers, and processes draw each for themselves.
 */
export function attentionInMs(
  { createdMs, freshUntilMs, loadMs }: TierEntry,
  nowMs: number,
  { refreshAhead, earlyRefresh }: ResolvedLife,
  random: () => number,
): number {
  const leftMs = freshUntilMs - nowMs;
  const byPart =
    refreshAhead > 0
      ? createdMs + (freshUntilMs - createdMs) * refreshAhead - nowMs
      : Number.POSITIVE_INFINITY;
  // 1 − random is above 0, so that its logarithm is finite.
  const byChance =
    earlyRefresh > 0
      ? leftMs + loadMs * earlyRefresh * Math.log(1 - random())
      : Number.POSITIVE_INFINITY;
  return Math.max(0, Math.min(byPart, byChance));
}

/** Whoever says a time to live says it for all tiers, unless for some of them in particular. */
function tierLives(
  { ttl, tierTtl: lives }: LifeOptions,
  base: ResolvedLife,
  what: string,
): Readonly<Record<string, number>> {
  if (lives === undefined) return ttl === undefined ? base.tierTtlMs : {};
  if (typeof lives !== "object" || lives === null || Array.isArray(lives)) {
    throw wrongArgument(`${what}tierTtl`, "an object of lives by the names of tiers", lives);
  }
  return Object.fromEntries(
    Object.entries(lives).map(([tier, life]) => [
      tier,
      parseLifeMs(life, `${what}tierTtl.${tier}`),
    ]),
  );
}

function flag(value: boolean | undefined, name: string, otherwise: boolean): boolean {
  if (value === undefined || typeof value === "boolean") return value ?? otherwise;
  throw invalid(name, value, "It is true or false.");
}

function part(value: number | undefined, name: string, otherwise: number): number {
  if (value === undefined) return otherwise;
  if (typeof value === "number" && value >= 0 && value <= 1) return value;
  throw invalid(name, value, "It is a part of the life, from 0 to 1.");
}

function positive(value: number | undefined, name: string, otherwise: number): number {
  if (value === undefined) return otherwise;
  if (Number.isFinite(value) && value >= 0) return value;
  throw invalid(name, value, "It is a number from 0.");
}

function invalid(name: string, value: unknown, advice: string): SpringhouseError {
  const message = `${name}: ${shown(value)} is refused. ${advice}`;
  return new SpringhouseError("INVALID_ARGUMENT", message, { fields: { name, value } });
}
