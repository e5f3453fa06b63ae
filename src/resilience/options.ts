/** Options of a guard, validated and filled. */

import { type Duration, parseDurationMs } from "../core/duration.ts";
import { SpringhouseError } from "../core/errors.ts";
import { refuseUnknownKeys } from "../core/options.ts";
import { shown } from "../core/shown.ts";

/** How a failed attempt is repeated. The pause grows, with chance in it. */
export interface RetryOptions {
  /** Attempts in all. Default: 3. */
  readonly attempts?: number;
  /** About the pause before the second attempt; later ones double it. Default: "100ms". */
  readonly delay?: Duration;
  /** No pause is longer. Default: "5s". */
  readonly maxDelay?: Duration;
}

/** When calls are no longer made for a while. */
export interface CircuitBreakerOptions {
  /** Failures in a row that open the circuit. Default: 5. */
  readonly failures?: number;
  /** The part of the last `calls` whose failure opens it, 0 to 1. Default: `failures` decides. */
  readonly failureRate?: number;
  /** How many calls `failureRate` looks at. Default: 20. */
  readonly calls?: number;
  /** How long an open circuit lets nothing through; then one call tries. Default: "30s". */
  readonly pause?: Duration;
}

/** How many calls may be under way. */
export interface BulkheadOptions {
  /** Calls at the same time. Default: 10. */
  readonly maxConcurrent?: number;
  /** Further calls that wait for one of those to end. Default: 100. */
  readonly maxQueued?: number;
}

/** How to guard calls. Whatever is left out is not done. */
export interface GuardOptions {
  /** Its name in messages and events. Default: "guard". */
  readonly name?: string;
  /** How long one attempt may take; its signal fires then. Default: as long as it takes. */
  readonly timeout?: Duration;
  readonly retry?: RetryOptions;
  readonly circuitBreaker?: CircuitBreakerOptions;
  readonly bulkhead?: BulkheadOptions;
  /**
   * Whether an error is a failure of what is called: such are repeated and counted by the circuit.
   * The others are answers, "no such user" for one. Default: every error is one.
   */
  readonly isFailure?: (error: unknown) => boolean;
  /**
   * The same with more to say, instead of `isFailure`. Default: "failure" for what `isFailure` says
   * is one, "answer" for the rest.
   */
  readonly classify?: (error: unknown) => ErrorKind;
}

/**
 * What an error of a call means. "failure": it is repeated, and the circuit counts it. "busy": what
 * is called is well and has not begun; it is repeated, and the circuit does not count it. "broken":
 * to repeat it would not help, or might do it twice; the circuit counts it. "answer": neither.
 */
export type ErrorKind = "failure" | "busy" | "broken" | "answer";

/** Options with nothing left open. */
export interface ResolvedGuardOptions {
  readonly name: string;
  readonly timeoutMs: number | undefined;
  readonly retry:
    | { readonly attempts: number; readonly delayMs: number; readonly maxDelayMs: number }
    | undefined;
  readonly circuitBreaker:
    | {
        readonly failures: number;
        readonly failureRate: number | undefined;
        readonly calls: number;
        readonly pauseMs: number;
      }
    | undefined;
  readonly bulkhead: { readonly maxConcurrent: number; readonly maxQueued: number } | undefined;
  readonly classify: (error: unknown) => ErrorKind;
}

const KEYS = [
  "name",
  "timeout",
  "retry",
  "circuitBreaker",
  "bulkhead",
  "isFailure",
  "classify",
] as const;

/** Fills the defaults. @throws `INVALID_ARGUMENT` naming the option. */
export function resolveGuardOptions(options: GuardOptions): ResolvedGuardOptions {
  refuseUnknownKeys(options, KEYS, "guard");
  const { name = "guard", timeout, retry, circuitBreaker, bulkhead } = options;
  const timeoutMs = timeout === undefined ? undefined : parseDurationMs(timeout, "timeout");
  if (timeoutMs === 0) throw invalid("timeout", timeout, "It is more than 0.");
  return {
    name,
    timeoutMs,
    retry: retry === undefined ? undefined : resolveRetry(retry),
    circuitBreaker: circuitBreaker === undefined ? undefined : resolveBreaker(circuitBreaker),
    bulkhead: bulkhead === undefined ? undefined : resolveBulkhead(bulkhead),
    classify: resolveClassify(options),
  };
}

function resolveClassify({ isFailure, classify }: GuardOptions): (error: unknown) => ErrorKind {
  for (const [name, given] of Object.entries({ isFailure, classify })) {
    if (given === undefined || typeof given === "function") continue;
    throw invalid(name, given, "It is a function.");
  }
  if (classify === undefined) {
    return (error) => (isFailure === undefined || isFailure(error) ? "failure" : "answer");
  }
  if (isFailure === undefined) return classify;
  throw invalid("isFailure", isFailure, "Give it or classify, not both.");
}

function resolveRetry(options: RetryOptions): NonNullable<ResolvedGuardOptions["retry"]> {
  refuseUnknownKeys(options, ["attempts", "delay", "maxDelay"], "guard retry");
  const { attempts = 3, delay = "100ms", maxDelay = "5s" } = options;
  return {
    attempts: count("retry.attempts", attempts, 1),
    delayMs: parseDurationMs(delay, "retry.delay"),
    maxDelayMs: parseDurationMs(maxDelay, "retry.maxDelay"),
  };
}

function resolveBreaker(
  options: CircuitBreakerOptions,
): NonNullable<ResolvedGuardOptions["circuitBreaker"]> {
  const known = ["failures", "failureRate", "calls", "pause"];
  refuseUnknownKeys(options, known, "guard circuitBreaker");
  const { failures = 5, failureRate, calls = 20, pause = "30s" } = options;
  if (failureRate !== undefined && !(failureRate > 0 && failureRate < 1)) {
    throw invalid("circuitBreaker.failureRate", failureRate, "It is between 0 and 1.");
  }
  return {
    failures: count("circuitBreaker.failures", failures, 1),
    failureRate,
    calls: count("circuitBreaker.calls", calls, 1),
    pauseMs: parseDurationMs(pause, "circuitBreaker.pause"),
  };
}

function resolveBulkhead(options: BulkheadOptions): NonNullable<ResolvedGuardOptions["bulkhead"]> {
  refuseUnknownKeys(options, ["maxConcurrent", "maxQueued"], "guard bulkhead");
  const { maxConcurrent = 10, maxQueued = 100 } = options;
  return {
    maxConcurrent: count("bulkhead.maxConcurrent", maxConcurrent, 1),
    maxQueued: count("bulkhead.maxQueued", maxQueued, 0),
  };
}

function count(name: string, value: number, min: number): number {
  if (Number.isSafeInteger(value) && value >= min) return value;
  throw invalid(name, value, `It is a whole number from ${min}.`);
}

function invalid(name: string, value: unknown, advice: string): SpringhouseError {
  const message = `guard ${name}: ${shown(value)} is refused. ${advice}`;
  return new SpringhouseError("INVALID_ARGUMENT", message, { fields: { name } });
}
