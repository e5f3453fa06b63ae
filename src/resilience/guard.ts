/**
 * A guard: calls of something that may fail or hang, with a limit of time, repetition, a circuit
 * breaker and a limit of how many are under way. One guard for each thing that is called, since its
 * circuit is that thing's.
 */

import { throwIfAborted } from "../core/abort.ts";
import { assertFunction } from "../core/arguments.ts";
import { isSpringhouseError } from "../core/errors.ts";
import { refuseUnknownKeys } from "../core/options.ts";
import { type GuardOptions, type ResolvedGuardOptions, resolveGuardOptions } from "./options.ts";
import { kindFor, makePolicies, type Policies } from "./policies.ts";
import {
  type CircuitState,
  type GuardCounts,
  type GuardStatistics,
  noGuardCounts,
} from "./statistics.ts";

/** What an attempt is given. */
export interface AttemptContext {
  /** Fires when the attempt takes too long or the caller gives up. */
  readonly signal: AbortSignal;
  /** From 1. */
  readonly attempt: number;
}

/** Options of one call. */
export interface GuardCallOptions {
  /** Gives the call up. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Whether the call may be made twice. With `false` only what has not begun, because what is
   * called was busy, is repeated: a write that took too long may have been done. Default: true.
   */
  readonly isRepeatable?: boolean;
}

/** Made by `guard`. */
export interface Guard {
  readonly name: string;
  /** How the circuit is; "closed" without one. */
  readonly state: CircuitState;
  /**
   * Makes a call.
   *
   * @throws what `run` throws at last; `TIMEOUT`, `CIRCUIT_OPEN`, `BULKHEAD_FULL`, `ABORTED`.
   */
  execute<T>(
    run: (context: AttemptContext) => Promise<T> | T,
    options?: GuardCallOptions,
  ): Promise<T>;
  /** Whether an error of `execute` is a failure of what is called, or of reaching it. */
  isFailure(error: unknown): boolean;
  statistics(): GuardStatistics;
  resetStatistics(): void;
}

/**
 * Makes a guard.
 *
 * @throws `INVALID_ARGUMENT` for options that cannot work, naming them.
 * @example
 * const api = guard({ name: "api", timeout: "2s", retry: {}, circuitBreaker: { failures: 5 } });
 * const user = await api.execute(({ signal }) => fetch("https://api.test/user", { signal }));
 */
export function guard(options: GuardOptions = {}): Guard {
  return new PolicyGuard(resolveGuardOptions(options));
}

class PolicyGuard implements Guard {
  readonly #options: ResolvedGuardOptions;
  #making: Promise<Policies> | undefined;
  #policies: Policies | undefined;
  #counts: GuardCounts = noGuardCounts();
  #running = 0;

  constructor(options: ResolvedGuardOptions) {
    this.#options = options;
  }

  get name(): string {
    return this.#options.name;
  }

  get state(): CircuitState {
    return this.#policies?.state ?? "closed";
  }

  async execute<T>(
    run: (context: AttemptContext) => Promise<T> | T,
    options: GuardCallOptions = {},
  ): Promise<T> {
    assertFunction(`${this.name}.execute: run`, run);
    refuseUnknownKeys(options, ["signal", "isRepeatable"], `${this.name}.execute`);
    const { signal, isRepeatable = true } = options;
    throwIfAborted(signal, `The call of ${this.name}`);
    this.#counts.calls++;
    this.#running++;
    try {
      const policies = this.#policies ?? (await this.#make());
      const value = await policies.run(run, isRepeatable, signal);
      this.#counts.successes++;
      return value;
    } catch (error) {
      if (isSpringhouseError(error, "ABORTED")) this.#counts.aborted++;
      else this.#counts.failures++;
      if (isSpringhouseError(error, "BULKHEAD_FULL")) this.#counts.rejectedByBulkhead++;
      throw error;
    } finally {
      this.#running--;
    }
  }

  isFailure(error: unknown): boolean {
    return kindFor(this.#options, error) !== "answer";
  }

  statistics(): GuardStatistics {
    const queued = this.#policies?.queued ?? 0;
    return { ...this.#counts, state: this.state, running: this.#running - queued, queued };
  }

  resetStatistics(): void {
    this.#counts = noGuardCounts();
  }

  async #make(): Promise<Policies> {
    this.#making ??= makePolicies(this.#options, () => this.#counts);
    this.#policies = await this.#making;
    return this.#policies;
  }
}
