/**
 * How long the event loop stands still.
 *
 * A gap is the time between two ticks of a timer of 1 ms. Time in which this thread could have run
 * but the machine ran other programs is none of ours; Linux counts it for each thread, and it is
 * taken off.
 */

import { closeSync, openSync, readSync } from "node:fs";

/** The longest gap of some work. */
export interface Gap {
  readonly ownMs: number;
  /** By the clock on the wall. */
  readonly wallMs: number;
}

/** Runs `work` and gives the longest time for which the event loop stood still. */
export async function longestGap(work: () => Promise<unknown>): Promise<Gap> {
  using waiting = new WaitingTime();
  let last = performance.now();
  let waitedMs = waiting.readMs();
  const longest = { ownMs: 0, wallMs: 0 };
  const look = (): void => {
    const now = performance.now();
    const waitedNowMs = waiting.readMs();
    longest.wallMs = Math.max(longest.wallMs, now - last);
    longest.ownMs = Math.max(longest.ownMs, now - last - (waitedNowMs - waitedMs));
    last = now;
    waitedMs = waitedNowMs;
  };
  const timer = setInterval(look, 1);
  try {
    await work();
  } finally {
    clearInterval(timer);
  }
  look();
  return longest;
}

/** How long this thread has waited for a core so far, where the system tells; 0 elsewhere. */
class WaitingTime implements Disposable {
  readonly #buffer = Buffer.alloc(128);
  readonly #file: number | undefined;

  constructor() {
    try {
      this.#file = openSync(`/proc/self/task/${process.pid}/schedstat`, "r");
    } catch {
      this.#file = undefined;
    }
  }

  readMs(): number {
    if (this.#file === undefined) return 0;
    const length = readSync(this.#file, this.#buffer, 0, this.#buffer.length, 0);
    return Number(this.#buffer.toString("latin1", 0, length).split(" ")[1]) / 1e6;
  }

  [Symbol.dispose](): void {
    if (this.#file !== undefined) closeSync(this.#file);
  }
}
