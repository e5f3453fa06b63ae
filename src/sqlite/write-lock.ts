/**
 * How long writes wait for other processes, in the writer thread.
 *
 * The time of a write counts from when it was asked for, so that those that queue behind one that
 * waits do not begin to wait when it gives up. What the writes of this process take does not count:
 * whenever the lock was ours, the time of all that still wait begins anew.
 */

import { retryWhileBusy, sleep } from "./busy-wait.ts";

/** What this thread's own clock is behind the one that all threads of the process share. */
const OFFSET_MS = Number(process.hrtime.bigint()) / 1e6 - performance.now();

/** Milliseconds of a clock that all threads of the process share. */
export function processMs(): number {
  return performance.now() + OFFSET_MS;
}

/** The patience with other processes. It lives as long as its thread, longer than a session. */
export class WriteLock {
  readonly #timeoutMs: number;
  readonly #onWait: () => void;
  #lockedOutSinceMs: number | undefined;

  /** @param onWait is called once for each write that finds the lock taken. */
  constructor(timeoutMs: number, onWait: () => void = () => undefined) {
    this.#timeoutMs = timeoutMs;
    this.#onWait = onWait;
  }

  /**
   * Runs `attempt` until it does not fail with `BUSY`, or the time is over.
   *
   * @param askedMs when the write was asked for, by `processMs`.
   */
  wait<T>(attempt: () => T, askedMs: number = processMs()): T {
    this.#lockedOutSinceMs ??= processMs();
    let isTold = false;
    const pause = (ms: number): void => {
      if (!isTold) this.#onWait();
      isTold = true;
      sleep(ms);
    };
    const result = retryWhileBusy(attempt, this.#dueMs(askedMs) - processMs(), pause);
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
