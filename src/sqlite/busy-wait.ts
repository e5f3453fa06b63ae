/**
 * Waiting for the locks of another process, at a constant interval. SQLite's own handler waits
 * longer and longer, which is unfair to whoever has waited longest.
 */

import type { Clock } from "../core/clock.ts";
import { isSpringhouseError } from "../core/errors.ts";

/** Mean of the interval; jitter keeps two waiting processes from staying in step. */
const INTERVAL_MS = 1;

const cell = new Int32Array(new SharedArrayBuffer(4));

/** Stops this thread. Only for worker threads. */
export function sleep(ms: number): void {
  Atomics.wait(cell, 0, 0, ms);
}

/** Runs `attempt` until it does not fail with `BUSY`, or the time is over. */
export function retryWhileBusy<T>(
  attempt: () => T,
  timeoutMs: number,
  pause: (ms: number) => void = sleep,
): T {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    try {
      return attempt();
    } catch (error) {
      if (!isSpringhouseError(error, "BUSY") || performance.now() >= deadline) throw error;
    }
    pause(intervalMs());
  }
}

/** The same on a thread that must not stop: other work goes on between two attempts. */
export async function awaitWhileBusy<T>(
  attempt: () => T,
  timeoutMs: number,
  clock: Clock,
): Promise<T> {
  const deadlineMs = clock.monotonicMs() + timeoutMs;
  for (;;) {
    try {
      return attempt();
    } catch (error) {
      if (!isSpringhouseError(error, "BUSY") || clock.monotonicMs() >= deadlineMs) throw error;
    }
    const pause = Promise.withResolvers<void>();
    clock.schedule(pause.resolve, intervalMs(), true);
    await pause.promise;
  }
}

function intervalMs(): number {
  return INTERVAL_MS * (0.5 + Math.random());
}
