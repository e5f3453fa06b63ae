/**
 * What a guard is made of, from the outside to the inside: a bulkhead, repetition, cockatiel's
 * circuit breaker and its timeout. So one call has one place among those under way, each of its
 * attempts asks the circuit, and each has the whole time.
 *
 * Errors of cockatiel become ours where they arise. What it does otherwise than a caller expects is
 * done here: its retry waits on, and tries once more, when its caller has given up; and a call that
 * is given up closes its half-open circuit.
 */

import { setTimeout } from "node:timers/promises";
import type { CircuitBreakerPolicy, ExponentialBackoff, IBackoff, IPolicy } from "cockatiel";
import { abortable, abortError, throwIfAborted } from "../core/abort.ts";
import { formatDuration } from "../core/duration.ts";
import { isSpringhouseError, SpringhouseError } from "../core/errors.ts";
import { Bulkhead } from "./bulkhead.ts";
import { circuitChannel } from "./channels.ts";
import type { ErrorKind, ResolvedGuardOptions } from "./options.ts";
import type { CircuitState, GuardCounts } from "./statistics.ts";

type Cockatiel = typeof import("cockatiel");

/** One attempt of a call. */
export type Attempt<T> = (context: {
  readonly signal: AbortSignal;
  readonly attempt: number;
}) => Promise<T> | T;

const NEVER = new AbortController().signal;

/** Loads cockatiel, which costs nothing until something is guarded. */
export async function makePolicies(
  options: ResolvedGuardOptions,
  counts: () => GuardCounts,
): Promise<Policies> {
  return new Policies(await import("cockatiel"), options, counts);
}

/** The policies of one guard. */
export class Policies {
  readonly #cockatiel: Cockatiel;
  readonly #options: ResolvedGuardOptions;
  /** Asked each time, since the counters can be set back. */
  readonly #counts: () => GuardCounts;
  readonly #bulkhead: Bulkhead | undefined;
  readonly #backoff: ExponentialBackoff<unknown>;
  readonly #breaker: CircuitBreakerPolicy | undefined;
  readonly #timeout: IPolicy | undefined;
  #openUntilMs = 0;

  constructor(cockatiel: Cockatiel, options: ResolvedGuardOptions, counts: () => GuardCounts) {
    this.#cockatiel = cockatiel;
    this.#options = options;
    this.#counts = counts;
    const { name, bulkhead, retry, timeoutMs } = options;
    this.#bulkhead = bulkhead && new Bulkhead({ ...bulkhead, name });
    this.#backoff = new cockatiel.ExponentialBackoff(
      retry && { initialDelay: retry.delayMs, maxDelay: retry.maxDelayMs },
    );
    this.#breaker = this.#makeBreaker();
    const strategy = cockatiel.TimeoutStrategy.Aggressive;
    // What was returned may be a stream that the signal would cut off.
    this.#timeout =
      timeoutMs === undefined
        ? undefined
        : cockatiel.timeout(timeoutMs, { strategy, abortOnReturn: false });
  }

  get state(): CircuitState {
    const { CircuitState: states } = this.#cockatiel;
    switch (this.#breaker?.state) {
      case states.Open:
        return "open";
      case states.HalfOpen:
        return "half-open";
      default:
        return "closed";
    }
  }

  /** Calls that wait for a place. */
  get queued(): number {
    return this.#bulkhead?.queued ?? 0;
  }

  /** Runs a call through all of them. */
  async run<T>(
    attempt: Attempt<T>,
    isRepeatable: boolean,
    signal: AbortSignal = NEVER,
  ): Promise<T> {
    const work = (): Promise<T> => this.#repeat(attempt, isRepeatable, signal);
    return this.#bulkhead === undefined ? await work() : await this.#bulkhead.run(work, signal);
  }

  async #repeat<T>(attempt: Attempt<T>, isRepeatable: boolean, signal: AbortSignal): Promise<T> {
    const attempts = this.#options.retry?.attempts ?? 1;
    let backoff: IBackoff<unknown> | undefined;
    for (let number = 1; ; number++) {
      try {
        return await this.#ask(attempt, number, signal);
      } catch (error) {
        if (number >= attempts || !this.#isWorthRepeating(error, isRepeatable)) throw error;
        backoff = backoff === undefined ? this.#backoff.next() : backoff.next(undefined);
        await this.#pause(Math.max(backoff.duration, retryAfterMs(error)), signal);
      }
    }
  }

  /** What has been told to wait for longer than any pause is left to its caller. */
  #isWorthRepeating(error: unknown, isRepeatable: boolean): boolean {
    const { retry } = this.#options;
    if (isSpringhouseError(error, "CIRCUIT_OPEN")) return false;
    if (retry !== undefined && retryAfterMs(error) > retry.maxDelayMs) return false;
    const kind = kindFor(this.#options, error);
    return kind === "busy" || (kind === "failure" && isRepeatable);
  }

  async #pause(ms: number, signal: AbortSignal): Promise<void> {
    try {
      await setTimeout(ms, undefined, { signal });
    } catch {
      throw abortError(signal, this.#what);
    }
  }

  async #ask<T>(attempt: Attempt<T>, number: number, signal: AbortSignal): Promise<T> {
    throwIfAborted(signal, this.#what);
    if (number > 1) this.#counts().retries++;
    try {
      const asking = through(this.#breaker, () => this.#try(attempt, number, signal), signal);
      // While a circuit is half-open, a call waits for another to decide.
      return await abortable(asking, signal, this.#what);
    } catch (error) {
      if (!this.#cockatiel.isBrokenCircuitError(error)) throw error;
      this.#counts().rejectedByCircuit++;
      const retryAfterMs = Math.max(0, this.#openUntilMs - Date.now());
      throw new SpringhouseError(
        "CIRCUIT_OPEN",
        `${this.#options.name} has failed too often and is not called for another ` +
          `${formatDuration(retryAfterMs)}.`,
        { cause: this.#lastFailure, fields: { guard: this.#options.name, retryAfterMs } },
      );
    }
  }

  async #try<T>(attempt: Attempt<T>, number: number, signal: AbortSignal): Promise<T> {
    // A circuit may have had it wait for longer than its caller did.
    throwIfAborted(signal, this.#what);
    try {
      const trying = through(
        this.#timeout,
        async (context) => await attempt({ signal: context.signal, attempt: number }),
        signal,
      );
      // The circuit and the bulkhead hear of it even when the attempt does not heed its signal.
      return await abortable(trying, signal, this.#what);
    } catch (error) {
      if (signal.aborted) throw abortError(signal, this.#what);
      if (this.#timeout === undefined || !this.#cockatiel.isTaskCancelledError(error)) throw error;
      const { name, timeoutMs } = this.#options;
      this.#counts().timeouts++;
      throw new SpringhouseError(
        "TIMEOUT",
        `${name} took longer than ${timeoutMs} ms. Make it faster or raise timeout.`,
        { cause: error, fields: { guard: name, timeoutMs } },
      );
    }
  }

  #makeBreaker(): CircuitBreakerPolicy | undefined {
    const { circuitBreaker, name } = this.#options;
    if (circuitBreaker === undefined) return undefined;
    const { failures, failureRate, calls, pauseMs } = circuitBreaker;
    const { handleWhen, ConsecutiveBreaker, CountBreaker } = this.#cockatiel;
    const breaker = this.#cockatiel.circuitBreaker(
      // A call that was given up says nothing; when it was to decide, the circuit stays open.
      handleWhen((error) => {
        const kind = kindFor(this.#options, error);
        return kind === "failure" || kind === "broken" || this.state === "half-open";
      }),
      {
        halfOpenAfter: pauseMs,
        breaker:
          failureRate === undefined
            ? new ConsecutiveBreaker(failures)
            : new CountBreaker({ threshold: failureRate, size: calls }),
      },
    );
    breaker.onBreak(() => {
      this.#openUntilMs = Date.now() + pauseMs;
    });
    breaker.onStateChange(() => {
      if (circuitChannel.hasSubscribers) circuitChannel.publish({ guard: name, state: this.state });
    });
    return breaker;
  }

  get #lastFailure(): unknown {
    const last = this.#breaker?.lastFailure;
    return last !== undefined && "error" in last ? last.error : undefined;
  }

  get #what(): string {
    return `The call of ${this.#options.name}`;
  }
}

const OWN_FAILURES = ["TIMEOUT", "CIRCUIT_OPEN", "BULKHEAD_FULL"] as const;

/** What a guard raises itself is a failure whatever `classify` says; a call given up is none. */
export function kindFor(
  { classify }: Pick<ResolvedGuardOptions, "classify">,
  error: unknown,
): ErrorKind {
  if (isSpringhouseError(error, "ABORTED")) return "answer";
  if (OWN_FAILURES.some((code) => isSpringhouseError(error, code))) return "failure";
  return classify(error);
}

/** How long what was called wants to be left alone: `Retry-After` of HTTP, the limit of a rate. */
function retryAfterMs(error: unknown): number {
  const ms = isSpringhouseError(error) ? error.fields["retryAfterMs"] : undefined;
  return typeof ms === "number" ? ms : 0;
}

function through<T>(
  policy: IPolicy | undefined,
  run: (context: { readonly signal: AbortSignal }) => Promise<T> | T,
  signal: AbortSignal,
): Promise<T> {
  return policy === undefined ? Promise.resolve(run({ signal })) : policy.execute(run, signal);
}
