/** Calls that may fail: `springhouse/resilience`. */

export { type CircuitEvent, circuitChannel } from "./channels.ts";
export {
  classifyDatabaseError,
  type DatabaseGuardOptions,
  databaseGuard,
} from "./database-guard.ts";
export {
  type CacheFallback,
  type CacheFallbackOptions,
  type FallbackCategory,
  type FallbackResult,
  withCacheFallback,
} from "./fallback.ts";
export { type AttemptContext, type Guard, type GuardCallOptions, guard } from "./guard.ts";
export {
  checkedFetch,
  classifyHttpError,
  type Fetch,
  guardedFetch,
  type HttpGuardOptions,
  httpGuard,
} from "./http-guard.ts";
export type {
  BulkheadOptions,
  CircuitBreakerOptions,
  ErrorKind,
  GuardOptions,
  RetryOptions,
} from "./options.ts";
export {
  type RateLimit,
  type RateLimitedCall,
  type RateLimitedCategory,
  type RateLimitedOptions,
  type RateLimiter,
  rateLimited,
} from "./rate-limited.ts";
export type { CircuitState, GuardCounts, GuardStatistics } from "./statistics.ts";
