/**
 * How long writes wait for other processes, in the writer thread.
 *
 * The time of a write counts from when it was asked for, so that those that queue behind one that
 * waits do not begin to wait when it gives up. What the writes of this process take does not count:
 * whenever the lock was ours, the time of all that still wait begins anew.
 */

import { retryWhileBusy } from "./busy-wait.ts";

/** What this thread's own clock is behind the one that all threads of the process share. */
const OFFSET_MS = Number(process.hrtime.bigint()) / 1e6 - performance.now();

/** Milliseconds of a clock that all threads of the process share. */
export function processMs(): number {
  return performance.now() + OFFSET_MS;
}

/** The patience with other processes. It lives as long as its thread, longer than a session. */
export class WriteLock {
  readonly #timeoutMs: number;
  #lockedOutSinceMs: number | undefined;

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  /**
   * Runs `attempt` until it does not fail with `BUSY`, or the time is over.
   *
   * @param askedMs when the write was asked for, by `processMs`.
   */
  wait<T>(attempt: () => T, askedMs: number = processMs()): T {
    this.#lockedOutSinceMs ??= processMs();
    const result = retryWhileBusy(attempt, this.#dueMs(askedMs) - processMs());
    this.#lockedOutSinceMs = undefined;
    return result;
  }

  /** Whether a write that was asked for then has waited long enough. */
  isOver(askedMs: number): boolean {
    return processMs() >= this.#dueMs(askedMs);
  }

  #dueMs(askedMs: number): number {
    return Math.max(askedMs, this.#lockedOutSinceMs ?? askedMs) + this.#timeoutMs;
  }
}
