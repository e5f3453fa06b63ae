/**
 * The last good answer, for when there is no new one: what a guarded call gave is kept under
 * "fallback:" and its key, much longer than a cache keeps things that are fresh, and is given out,
 * marked as stale, while the call fails.
 */

import { assertFunction, assertMethods, assertText } from "../core/arguments.ts";
import { warn } from "../core/channels.ts";
import { type Duration, parseDurationMs } from "../core/duration.ts";
import { messageOf } from "../core/errors.ts";
import { refuseUnknownKeys } from "../core/options.ts";
import type { AttemptContext, Guard, GuardCallOptions } from "./guard.ts";

/** The part of a category of the cache that is needed. */
export interface FallbackCategory {
  lookup(
    key: string,
    options?: { readonly allowStale?: boolean },
  ): Promise<{ readonly hit: boolean; readonly value: unknown }>;
  set(key: string, value: unknown, options?: { readonly ttl?: Duration }): Promise<void>;
}

/** How to fall back. */
export interface CacheFallbackOptions {
  /** How long an answer is kept for the case; longer than an outage lasts. Default: "7d". */
  readonly keepFor?: Duration;
}

/** An answer. */
export interface FallbackResult<T> {
  readonly value: T;
  /** Whether it is an earlier one. */
  readonly stale: boolean;
  /** Why there is no new one; `undefined` when there is. */
  readonly error: unknown;
}

/** Made by `withCacheFallback`. */
export type CacheFallback = <T>(
  key: string,
  run: (context: AttemptContext) => Promise<T> | T,
  options?: GuardCallOptions,
) => Promise<FallbackResult<T>>;

/**
 * Puts a category of the cache behind a guard. A failure of what is called (see `isFailure` of the
 * guard), an open circuit and a full bulkhead are answered with what was kept; any other error, and
 * one for which there is nothing, is thrown. The first such answer of an outage is a warning
 * `STALE_FALLBACK`.
 *
 * @throws `INVALID_ARGUMENT` for options that cannot work.
 * @example
 * const weather = withCacheFallback(cache.category("weather"), guard({ circuitBreaker: {} }));
 * const { value, stale } = await weather("seoul", ({ signal }) => fetchWeather("seoul", signal));
 */
export function withCacheFallback(
  category: FallbackCategory,
  guard: Guard,
  options: CacheFallbackOptions = {},
): CacheFallback {
  const what = "withCacheFallback";
  assertMethods(`${what}: category`, "a category of a cache", category, ["lookup", "set"]);
  assertMethods(`${what}: guard`, "a guard", guard, ["execute", "isFailure"]);
  refuseUnknownKeys(options, ["keepFor"], what);
  const { keepFor = "7d" } = options;
  const ttl = keepFor === Number.POSITIVE_INFINITY ? keepFor : parseDurationMs(keepFor, "keepFor");
  let isTold = false;
  return async (key, run, call) => {
    assertText("key", key);
    assertFunction("run", run);
    const cacheKey = `fallback:${key}`;
    let value: Awaited<ReturnType<typeof run>>;
    try {
      value = await guard.execute(run, call);
    } catch (error) {
      const kept = guard.isFailure(error) ? await lookUp(category, cacheKey) : undefined;
      if (kept === undefined) throw error;
      if (!isTold) warnOfStale(guard, key, error);
      isTold = true;
      return { value: kept.value as typeof value, stale: true, error };
    }
    isTold = false;
    // `undefined` is no value that a cache could keep.
    if (value !== undefined) await keep(category, cacheKey, value, ttl);
    return { value, stale: false, error: undefined };
  };
}

/** What the cache cannot give must not stand in the place of the failure. */
async function lookUp(
  category: FallbackCategory,
  key: string,
): Promise<{ readonly value: unknown } | undefined> {
  try {
    const { hit, value } = await category.lookup(key, { allowStale: true });
    return hit ? { value } : undefined;
  } catch {
    return undefined;
  }
}

/** There is a good answer: that it could not be kept is no failure of the call. */
async function keep(
  category: FallbackCategory,
  key: string,
  value: unknown,
  ttl: Duration,
): Promise<void> {
  try {
    await category.set(key, value, { ttl });
  } catch (error) {
    warn("FALLBACK_NOT_KEPT", `"${key}" could not be kept: ${messageOf(error)}`, { key });
  }
}

function warnOfStale(guard: Guard, key: string, error: unknown): void {
  warn(
    "STALE_FALLBACK",
    `${guard.name} fails (${messageOf(error)}); "${key}" is answered with what was kept.`,
    { guard: guard.name, key },
  );
}
