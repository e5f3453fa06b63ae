/**
 * The timers of one load. They keep the process alive while somebody waits for one of its flights,
 * and not when it loads behind everybody's back: a program that has nothing left to do ends.
 */

import type { Clock } from "../core/clock.ts";
import type { Flight } from "./flight.ts";

interface Timer {
  readonly run: () => void;
  readonly dueMs: number;
  scheduled: Disposable;
}

/** Timers of one load. */
export class LoadTimers {
  readonly #clock: Clock;
  readonly #flights: readonly Flight[];
  readonly #timers = new Set<Timer>();
  #awaited = 0;

  constructor(clock: Clock, flights: readonly Flight[]) {
    this.#clock = clock;
    this.#flights = flights;
    const onAwaited = (isAwaited: boolean): void => this.#count(isAwaited ? 1 : -1);
    for (const flight of flights) {
      flight.onAwaited = onAwaited;
      if (flight.isAwaited) this.#awaited++;
    }
  }

  /** Runs `callback` once after `delayMs`, unless they are stopped before. */
  start(callback: () => void, delayMs: number): void {
    const run = (): void => {
      this.#timers.delete(timer);
      callback();
    };
    const scheduled = this.#clock.schedule(run, delayMs, this.#awaited > 0);
    const timer: Timer = { run, dueMs: this.#clock.monotonicMs() + delayMs, scheduled };
    this.#timers.add(timer);
  }

  stop(): void {
    for (const { scheduled } of this.#timers) scheduled[Symbol.dispose]();
    this.#timers.clear();
  }

  #count(change: 1 | -1): void {
    const wasAlive = this.#awaited > 0;
    this.#awaited += change;
    const isAlive = this.#awaited > 0;
    if (isAlive === wasAlive || this.#timers.size === 0) return;
    // Those of a load that has ended are stopped at once.
    if (!isAlive && this.#flights.every(({ landed }) => landed)) return;
    const nowMs = this.#clock.monotonicMs();
    for (const timer of this.#timers) {
      timer.scheduled[Symbol.dispose]();
      timer.scheduled = this.#clock.schedule(timer.run, Math.max(0, timer.dueMs - nowMs), isAlive);
    }
  }
}
