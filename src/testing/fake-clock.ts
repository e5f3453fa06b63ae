/**
 * Time that stands still until a test moves it.
 *
 * Wall time and monotonic time are apart, as they are in life: `advance` moves both, `setBack`
 * moves the wall clock alone, as an operator or a time server does.
 */

import type { Clock } from "../core/clock.ts";

/** Any moment will do; not 0, so that a forgotten time shows. */
const START_MS = 1_000_000;

interface Timer {
  readonly dueMs: number;
  readonly callback: () => void;
}

/**
 * A clock for tests.
 *
 * @example
 * const clock = new FakeClock();
 * const tier = sqliteTier({ path, clock });
 * clock.advance(60_000); // whatever falls due within the minute has run
 */
export class FakeClock implements Clock {
  #monotonicMs: number;
  #wallAheadMs = 0;
  #timers: Timer[] = [];

  /** @param startMs the first moment of both times, milliseconds. Default: 1,000,000. */
  constructor(startMs: number = START_MS) {
    this.#monotonicMs = startMs;
  }

  nowMs(): number {
    return this.#monotonicMs + this.#wallAheadMs;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  schedule(callback: () => void, delayMs: number): Disposable {
    const timer = { dueMs: this.#monotonicMs + delayMs, callback };
    this.#timers.push(timer);
    return {
      [Symbol.dispose]: () => {
        this.#timers = this.#timers.filter((other) => other !== timer);
      },
    };
  }

  /** Moves on, running what falls due in its order. */
  advance(ms: number): void {
    const endMs = this.#monotonicMs + ms;
    for (;;) {
      const [next] = this.#timers
        .filter(({ dueMs }) => dueMs <= endMs)
        .sort((a, b) => a.dueMs - b.dueMs);
      if (next === undefined) break;
      this.#timers = this.#timers.filter((other) => other !== next);
      this.#monotonicMs = Math.max(this.#monotonicMs, next.dueMs);
      next.callback();
    }
    this.#monotonicMs = endMs;
  }

  /** Sets the wall clock back; timers and monotonic time do not notice. */
  setBack(ms: number): void {
    this.#wallAheadMs -= ms;
  }
}
