/**
 * Loads: the functions of the caller that make a value, and what they may say about it.
 */

import { SpringhouseError } from "../core/errors.ts";
import { shown } from "../core/shown.ts";
import type { TierEntry } from "../tier/tier.ts";
import { type Life, parseLifeMs } from "./life.ts";
import { wholeTag } from "./whole-key.ts";

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
  /** Sets the time to live of this value; in a tier with a `tierTtl` that is shorter, that. */
  ttl(ttl: Life): void;
  /** Adds tags to this value. */
  tags(...tags: readonly string[]): void;
  /**
   * Notes the revision of this value, for the next conditional request.
   *
   * @throws `INVALID_ARGUMENT` for what is neither a text nor `undefined`.
   */
  etag(etag: string | undefined): void;
  /** The value is returned to who waits and is not kept. */
  skip(): void;
  /** There is nothing: null, kept for `ttl`. `return context.negative("30s")`. */
  negative(ttl?: Life): null;
  /** What is stale still holds and is fresh again, tags and all. `return context.notModified()`. */
  notModified(): never;
}

/**
 * Makes the value of a key. `undefined` is returned to who waits and is not kept.
 *
 * @typeParam U what this load makes, of what the category holds.
 */
export type Load<T, U extends T = T> = (context: LoadContext<T>) => Promise<U> | U;

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
  /** A time to live of its own. */
  readonly ttlMs: number | undefined;
  /** As the tiers know them. */
  readonly tags: readonly string[];
  readonly etag: string | undefined;
}

/** What a load runs for. */
export interface LoadTask {
  readonly key: string;
  readonly signal: AbortSignal;
  readonly stale: TierEntry | undefined;
  readonly namespace: string;
  readonly nowMs: number;
}

/** Runs a load with its context and gathers what it says. */
export async function runLoad(
  load: Load<unknown>,
  { key, signal, stale, namespace, nowMs }: LoadTask,
): Promise<Loaded> {
  let ttlMs: number | undefined;
  let kept = true;
  let etag: string | undefined;
  const tags: string[] = [];
  const context: LoadContext<unknown> = {
    key,
    signal,
    stale:
      stale === undefined
        ? undefined
        : { value: stale.value, ageMs: nowMs - stale.createdMs, etag: stale.etag },
    ttl: (ttl) => {
      ttlMs = parseLifeMs(ttl, "ttl");
    },
    tags: (...names) => void tags.push(...names.map((name) => wholeTag(namespace, name))),
    etag: (revision) => {
      etag = checkedEtag(key, revision);
    },
    skip: () => {
      kept = false;
    },
    negative: (ttl) => {
      if (ttl !== undefined) ttlMs = parseLifeMs(ttl, "ttl");
      return null;
    },
    notModified: () => {
      if (stale === undefined) throw nothingStale(key);
      etag ??= stale.etag;
      tags.push(...stale.tags);
      // Who returns it returns the value; the type says that it is none of the load's own.
      return stale.value as never;
    },
  };
  const value = await load(context);
  return { value, kept: kept && value !== undefined, ttlMs, tags, etag };
}

/** What a load of many keys gave, in their order. @throws `INVALID_ARGUMENT` for no such thing. */
export function loadedOf(keys: readonly string[], given: LoadedMany<unknown>): readonly unknown[] {
  if (Array.isArray(given)) {
    if (given.length === keys.length) return given;
    throw new SpringhouseError(
      "INVALID_ARGUMENT",
      `A load of many keys gave ${given.length} values for ${keys.length} keys. A list has one ` +
        "for each key, undefined where there is none; rows of a query fit a Map by their keys.",
    );
  }
  if (given instanceof Map) return keys.map((key) => given.get(key));
  const what = given === null ? "null" : typeof given;
  const message = `A load of many keys gave ${what}; it gives a list in their order, or a Map.`;
  throw new SpringhouseError("INVALID_ARGUMENT", message);
}

/** No tier could keep anything else, and would learn of it only when the load is over. */
function checkedEtag(key: string, revision: unknown): string | undefined {
  if (revision === undefined || typeof revision === "string") return revision;
  const message = `etag() for "${key}" takes a text or undefined, and not ${shown(revision)}.`;
  throw new SpringhouseError("INVALID_ARGUMENT", message, { fields: { key } });
}

function nothingStale(key: string): SpringhouseError {
  const message = `notModified() for "${key}", of which nothing is at hand: look at context.stale.`;
  return new SpringhouseError("INVALID_ARGUMENT", message, { fields: { key } });
}
