/** Who may go on: a bounded number at once, one at a time for each key, and nobody for too long. */

import { setImmediate as nextTurn } from "node:timers/promises";

/** Lets a bounded number of calls run at once; the others wait in order. */
export class Gate {
  readonly #max: number;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(max: number) {
    this.#max = max;
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#max) {
      // Whoever leaves hands its place on, so nobody can step in between.
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else {
      this.#running++;
    }
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running--;
      else next();
    }
  }
}

/** Runs what concerns one key in the order in which it came. A key without work costs nothing. */
export class KeyedTurns {
  readonly #last = new Map<string, Promise<unknown>>();

  run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key);
    const mine = before === undefined ? work() : before.then(work, work);
    this.#last.set(key, mine);
    const end = (): void => {
      if (this.#last.get(key) === mine) this.#last.delete(key);
    };
    mine.then(end, end);
    return mine;
  }
}

/**
 * Runs `work` for each item, so many at once. The first failure ends it and is thrown; so does the
 * signal, but for whoever waits (see `abortable`).
 */
export async function forEachAtOnce<T>(
  items: readonly T[],
  atOnce: number,
  work: (item: T, index: number) => Promise<void>,
  signal?: AbortSignal,
): Promise<void> {
  let next = 0;
  let failed = false;
  const runner = async (): Promise<void> => {
    while (next < items.length && !failed && signal?.aborted !== true) {
      const index = next++;
      try {
        await work(items[index] as T, index);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const runners = Array.from({ length: Math.min(atOnce, items.length) }, runner);
  const outcomes = await Promise.allSettled(runners);
  for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
}

/** A slice of work is at most so long; the event loop stays free in between. */
const SLICE_MS = 2;

/** Work that is done in slices. */
export class Slices {
  #sinceMs = performance.now();

  /** Whether it is time for others; then `await pause()`. Asking is cheap, waiting is not. */
  get isOver(): boolean {
    return performance.now() - this.#sinceMs > SLICE_MS;
  }

  async pause(): Promise<void> {
    await nextTurn();
    this.#sinceMs = performance.now();
  }
}
