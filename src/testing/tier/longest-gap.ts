/**
 * How long the event loop was held, leaving out what other programs took of the processor: on a
 * busy machine a thread that is ready waits longer for its turn than any of our work takes.
 *
 * Linux tells how long a thread has been ready without running (`run_delay` in
 * `/proc/thread-self/schedstat`). Waiting for a disk is no such time, and counts.
 */

import { closeSync, openSync, readSync } from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";

const SCHEDSTAT = "/proc/thread-self/schedstat";
const NS_PER_MS = 1e6;

/** The longest time between two turns of the event loop while `work` runs. */
export async function longestGapMs(work: () => Promise<unknown>): Promise<number> {
  using waiting = processorWait();
  let longestMs = 0;
  let running = true;
  const watch = async (): Promise<void> => {
    let lastMs = performance.now() - waiting.totalMs();
    while (running) {
      await nextTurn();
      const nowMs = performance.now() - waiting.totalMs();
      longestMs = Math.max(longestMs, nowMs - lastMs);
      lastMs = nowMs;
    }
  };
  const watching = watch();
  try {
    await work();
  } finally {
    running = false;
    await watching;
  }
  return longestMs;
}

/** How long this thread has waited for a processor; always 0 where nobody tells. */
function processorWait(): Disposable & { totalMs(): number } {
  let fd: number;
  try {
    fd = openSync(SCHEDSTAT, "r");
  } catch {
    return { totalMs: () => 0, [Symbol.dispose]: () => undefined };
  }
  const buffer = Buffer.alloc(100);
  return {
    totalMs: () => {
      const count = readSync(fd, buffer, 0, buffer.byteLength, 0);
      return Number(buffer.toString("latin1", 0, count).split(" ")[1]) / NS_PER_MS;
    },
    [Symbol.dispose]: () => closeSync(fd),
  };
}
