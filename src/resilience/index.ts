/** Calls that may fail: `springhouse/resilience`. */

export { type CircuitEvent, circuitChannel } from "./channels.ts";
export {
  type CacheFallback,
  type CacheFallbackOptions,
  type FallbackCategory,
  type FallbackResult,
  withCacheFallback,
} from "./fallback.ts";
export { type AttemptContext, type Guard, type GuardCallOptions, guard } from "./guard.ts";
export type {
  BulkheadOptions,
  CircuitBreakerOptions,
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
