/**
 * Loads: the functions of the caller that make a value, and what they may say about it.
 */

import { type Life, parseLifeMs } from "./life.ts";

/** What was kept of a value whose time is over. */
export interface StaleValue<T> {
  readonly value: T;
  readonly ageMs: number;
  readonly etag: string | undefined;
}

/** What a load is given, and how it can say more than the value. */
export interface LoadContext<T> {
  readonly key: string;
  /** Fires when nobody waits for the value any more, or its time is over. */
  readonly signal: AbortSignal;
  /** What is at hand, for a conditional request. */
  readonly stale: StaleValue<T> | undefined;
  /** Sets the time to live of this value. */
  ttl(ttl: Life): void;
  /** Adds tags to this value. */
  tags(...tags: readonly string[]): void;
  /** Notes the revision of this value, for the next conditional request. */
  etag(etag: string | undefined): void;
  /** The value is returned to who waits and is not kept. */
  skip(): void;
  /** There is nothing: null, kept for `ttl`. `return context.negative("30s")`. */
  negative(ttl?: Life): null;
  /** What is stale still holds and is fresh again. `return context.notModified()`. */
  notModified(): T;
}

/** Makes the value of a key. `undefined` is returned to who waits and is not kept. */
export type Load<T> = (context: LoadContext<T>) => Promise<T> | T;

/** For loads of many keys at once. */
export interface LoadManyContext {
  readonly signal: AbortSignal;
}

/**
 * Makes the values of several keys: in the order of the keys, or by key. An `Error` in place of a
 * value fails that key alone, and `undefined` or a missing key is not kept.
 */
export type LoadMany<T> = (
  keys: readonly string[],
  context: LoadManyContext,
) => Promise<LoadedMany<T>> | LoadedMany<T>;

/** What a load of many keys gives. */
export type LoadedMany<T> =
  | readonly (T | Error | undefined)[]
  | ReadonlyMap<string, T | Error | undefined>;

/** What is known of a value after its load. */
export interface Loaded {
  readonly value: unknown;
  /** Whether it is kept. */
  readonly kept: boolean;
  readonly ttlMs: number | undefined;
  readonly tags: readonly string[];
  readonly etag: string | undefined;
}

/** Runs a load with its context and gathers what it says. */
export async function runLoad<T>(
  load: Load<T>,
  key: string,
  signal: AbortSignal,
  stale: StaleValue<T> | undefined,
): Promise<Loaded> {
  let ttlMs: number | undefined;
  let kept = true;
  let etag: string | undefined;
  const tags: string[] = [];
  const context: LoadContext<T> = {
    key,
    signal,
    stale,
    ttl: (ttl) => {
      ttlMs = parseLifeMs(ttl, "ttl");
    },
    tags: (...names) => void tags.push(...names),
    etag: (revision) => {
      etag = revision;
    },
    skip: () => {
      kept = false;
    },
    negative: (ttl) => {
      if (ttl !== undefined) ttlMs = parseLifeMs(ttl, "ttl");
      return null;
    },
    notModified: () => {
      if (stale === undefined) throw new Error("notModified() without anything stale at hand");
      etag ??= stale.etag;
      return stale.value;
    },
  };
  const value = await load(context);
  return { value, kept: kept && value !== undefined, ttlMs, tags, etag };
}
