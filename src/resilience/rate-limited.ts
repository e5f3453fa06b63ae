/**
 * Calls of an interface that allows a user only so many: the cache is asked first, so that an
 * answer that is there costs nothing of what is allowed.
 */

import { assertFunction, assertMethods } from "../core/arguments.ts";
import { type Duration, parseDurationMs } from "../core/duration.ts";
import { SpringhouseError } from "../core/errors.ts";
import { importOptional } from "../core/lazy.ts";
import { refuseUnknownKeys } from "../core/options.ts";

/** Any limiter of rate-limiter-flexible, or one that does the same. */
export interface RateLimiter {
  /**
   * Counts a call of a user. Rejects with `{ msBeforeNext }` when it is one too many; any other
   * rejection is a failure of the limiter and is thrown as it is.
   */
  consume(user: string): Promise<unknown>;
}

/** A limiter in the memory of this process; it needs the package rate-limiter-flexible. */
export interface RateLimit {
  /** Calls of a user. */
  readonly points: number;
  /** The time within which they count. */
  readonly per: Duration;
}

/** The part of a category of the cache that is needed, whatever its values are said to be. */
export interface RateLimitedCategory {
  getOrSet(
    key: readonly string[],
    load: (context: { readonly signal: AbortSignal }) => Promise<never>,
    options?: { readonly ttl?: Duration; readonly signal?: AbortSignal | undefined },
  ): Promise<unknown>;
}

/** How to keep the answers. */
export interface RateLimitedOptions {
  /** How long an answer serves. Default: "300s". */
  readonly ttl?: Duration;
}

/** Made by `rateLimited`. */
export type RateLimitedCall = <T>(
  endpoint: string,
  user: string | number,
  run: (context: { readonly signal: AbortSignal }) => Promise<T> | T,
  options?: { readonly signal?: AbortSignal | undefined },
) => Promise<T>;

/**
 * Puts a cache and a limiter before calls. An answer is kept under "api:", the endpoint and the
 * user; whoever asks for one at the same time shares a call, and its cost.
 *
 * A call that is one too many throws `RATE_LIMITED`, whose field `retryAfterMs` says how long to
 * wait. In a category with `keepStale` the last answer is served instead.
 *
 * @throws `INVALID_ARGUMENT` for options that cannot work; the first call `MISSING_DEPENDENCY` for
 *   a `RateLimit` without the package.
 * @example
 * const api = rateLimited(cache.category("api"), { points: 60, per: "1m" });
 * const me = await api("users/me", userId, ({ signal }) => client.get("users/me", { signal }));
 */
export function rateLimited(
  category: RateLimitedCategory,
  limiter: RateLimiter | RateLimit,
  options: RateLimitedOptions = {},
): RateLimitedCall {
  assertMethods("rateLimited: category", "a category of a cache", category, ["getOrSet"]);
  refuseUnknownKeys(options, ["ttl"], "rateLimited");
  const { ttl = "300s" } = options;
  const ttlMs = ttl === Number.POSITIVE_INFINITY ? ttl : parseDurationMs(ttl, "ttl");
  const limiterOf = lazyLimiter(limiter);
  return async <T>(
    endpoint: string,
    user: string | number,
    run: (context: { readonly signal: AbortSignal }) => Promise<T> | T,
    call: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<T> => {
    assertFunction("rateLimited: run", run);
    const name = String(user);
    const load = async (context: { readonly signal: AbortSignal }): Promise<never> => {
      await consume(await limiterOf(), endpoint, name);
      return (await run(context)) as never;
    };
    // As parts, so that no user's key can look like another's.
    const key = ["api", endpoint, name];
    return (await category.getOrSet(key, load, { ...call, ttl: ttlMs })) as T;
  };
}

function lazyLimiter(limiter: RateLimiter | RateLimit): () => Promise<RateLimiter> {
  if (isLimiter(limiter)) return async () => limiter;
  refuseUnknownKeys(limiter, ["points", "per"], "rateLimited limiter");
  const { points, per } = limiter;
  const perMs = parseDurationMs(per, "per");
  if (!Number.isSafeInteger(points) || points < 1 || perMs === 0) {
    const message = `rateLimited: ${points} calls per ${per}: both must be more than 0.`;
    throw new SpringhouseError("INVALID_ARGUMENT", message, { fields: { points, per } });
  }
  let making: Promise<RateLimiter> | undefined;
  return () => {
    making ??= memoryLimiter(points, perMs);
    return making;
  };
}

function isLimiter(limiter: RateLimiter | RateLimit): limiter is RateLimiter {
  return typeof limiter === "object" && limiter !== null && "consume" in limiter;
}

async function memoryLimiter(points: number, perMs: number): Promise<RateLimiter> {
  const { RateLimiterMemory } = await importOptional(
    "rate-limiter-flexible",
    "to count calls",
    () => import("rate-limiter-flexible"),
  );
  return new RateLimiterMemory({ points, duration: perMs / 1_000 });
}

async function consume(limiter: RateLimiter, endpoint: string, user: string): Promise<void> {
  try {
    await limiter.consume(user);
  } catch (denial) {
    const retryAfterMs = waitMsOf(denial);
    if (retryAfterMs === undefined) throw denial;
    throw new SpringhouseError(
      "RATE_LIMITED",
      `User ${user} has called "${endpoint}" too often. Try again in ${retryAfterMs} ms.`,
      { fields: { endpoint, user, retryAfterMs } },
    );
  }
}

/** A denial is told by plain data, a failure of the limiter by an error. */
function waitMsOf(denial: unknown): number | undefined {
  if (typeof denial !== "object" || denial === null || denial instanceof Error) return undefined;
  const { msBeforeNext } = denial as { readonly msBeforeNext?: unknown };
  return typeof msBeforeNext === "number" ? msBeforeNext : undefined;
}
