/**
 * How long the event loop was held by what ran on it. The time that other programs took is left
 * out: on a busy machine a thread waits longer for a processor, or for a lock whose owner waits for
 * one, than any of our work takes. So are the pauses of the collector.
 *
 * Linux tells the time that a thread has run, in `/proc/thread-self/schedstat`; elsewhere the time
 * of the clock is taken. A call that waits for a disk on the thread of the event loop is therefore
 * not seen on Linux: tests of a tier that makes such calls look for them by themselves.
 */

import { closeSync, openSync, readSync } from "node:fs";
import { PerformanceObserver } from "node:perf_hooks";
import { setImmediate as nextTurn } from "node:timers/promises";

const SCHEDSTAT = "/proc/thread-self/schedstat";
const NS_PER_MS = 1e6;
/** Shorter gaps are not looked into. */
const GAP_MS_MIN = 1;

/** Between two turns of the event loop. */
interface Gap {
  readonly startMs: number;
  readonly endMs: number;
  /** How long the thread ran. */
  readonly ranMs: number;
}

/** The longest time that the event loop was held while `work` runs, milliseconds. */
export async function longestGapMs(work: () => Promise<unknown>): Promise<number> {
  using processor = processorTime();
  using pauses = collectorPauses();
  const gaps: Gap[] = [];
  let running = true;
  const watch = async (): Promise<void> => {
    let startMs = performance.now();
    let ranBeforeMs = processor.totalMs();
    while (running) {
      await nextTurn();
      const endMs = performance.now();
      const totalMs = processor.totalMs();
      if (endMs - startMs > GAP_MS_MIN) gaps.push({ startMs, endMs, ranMs: totalMs - ranBeforeMs });
      startMs = endMs;
      ranBeforeMs = totalMs;
    }
  };
  const watching = watch();
  try {
    await work();
  } finally {
    running = false;
    await watching;
  }
  const collections = await pauses.all();
  const longest = (max: number, gap: Gap): number => Math.max(max, heldMs(gap, collections));
  return gaps.reduce(longest, 0);
}

/** When the collector paused the thread. */
interface Pause {
  readonly startTime: number;
  readonly duration: number;
}

function heldMs({ startMs, endMs, ranMs }: Gap, pauses: readonly Pause[]): number {
  let freeOfPausesMs = endMs - startMs;
  for (const { startTime, duration } of pauses) {
    const overlapMs = Math.min(endMs, startTime + duration) - Math.max(startMs, startTime);
    if (overlapMs > 0) freeOfPausesMs -= overlapMs;
  }
  return Math.min(ranMs, freeOfPausesMs);
}

/** The pauses of the collector from now on. */
function collectorPauses(): Disposable & { all(): Promise<readonly Pause[]> } {
  const pauses: Pause[] = [];
  const observer = new PerformanceObserver((list) => pauses.push(...list.getEntries()));
  observer.observe({ entryTypes: ["gc"] });
  return {
    all: async () => {
      // They are told in a later turn than they happen.
      for (let turn = 0; turn < 3; turn++) await nextTurn();
      return pauses;
    },
    [Symbol.dispose]: () => observer.disconnect(),
  };
}

/** How long this thread has run, or the time of the clock. */
function processorTime(): Disposable & { totalMs(): number } {
  let fd: number;
  try {
    fd = openSync(SCHEDSTAT, "r");
  } catch {
    return { totalMs: () => performance.now(), [Symbol.dispose]: () => undefined };
  }
  const buffer = Buffer.alloc(100);
  return {
    totalMs: () => {
      const count = readSync(fd, buffer, 0, buffer.byteLength, 0);
      return Number.parseInt(buffer.toString("latin1", 0, count), 10) / NS_PER_MS;
    },
    [Symbol.dispose]: () => closeSync(fd),
  };
}
