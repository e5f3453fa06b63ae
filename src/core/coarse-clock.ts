/**
 * A clock for hot paths: reading it costs about a nanosecond, where the machine's costs thirty.
 *
 * It is right to a millisecond or to 64 readings, whichever is more: a timer marks the reading as
 * old, and code that never gives way to timers uses it up by counting.
 */

import type { Clock } from "./clock.ts";

/** Readings that share one look at the real clock when no timer can run. */
const READINGS_MAX = 64;
const OLD_AFTER_MS = 1;

/**
 * Milliseconds of one tick. Ticks are small integers, which the engine keeps in place where a
 * number of milliseconds is an object to follow; at this length they last for four years.
 */
const TICK_MS = 64;
export const TICK_MAX: number = 2 ** 31 - 1;

/** Milliseconds that never decrease, read often. */
export class CoarseClock implements Disposable {
  readonly #clock: Clock;
  readonly #startMs: number;
  /** In an array of its own, since a number in a field is an object anew with each change. */
  readonly #nowMs = new Float64Array(1);
  #tick = 0;
  #left = 0;
  #timer: Disposable | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#startMs = clock.monotonicMs();
  }

  /** As `monotonicMs`, at most a millisecond or 64 readings late. */
  nowMs(): number {
    return --this.#left > 0 ? (this.#nowMs[0] as number) : this.refresh();
  }

  /** The tick of now, as late as `nowMs`. */
  tick(): number {
    if (--this.#left <= 0) this.refresh();
    return this.#tick;
  }

  /** The tick in which a moment lies; never after it. */
  tickOf(ms: number): number {
    return Math.min(TICK_MAX, Math.max(0, Math.floor((ms - this.#startMs) / TICK_MS)));
  }

  /** Looks at the real clock. */
  refresh(): number {
    const nowMs = this.#clock.monotonicMs();
    this.#nowMs[0] = nowMs;
    this.#tick = this.tickOf(nowMs);
    this.#left = READINGS_MAX;
    if (this.#timer === undefined) this.#mark();
    return nowMs;
  }

  /** Apart from `refresh`, which would make room for the closure at each call. */
  #mark(): void {
    this.#timer = this.#clock.schedule(() => {
      this.#timer = undefined;
      this.#left = 0;
    }, OLD_AFTER_MS);
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    this.#left = 0;
  }
}
