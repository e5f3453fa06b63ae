/**
 * Time as a parameter, so that no test sleeps.
 *
 * `nowMs` is wall time, for what is stored; `monotonicMs` never goes back, for measuring and for
 * deadlines.
 */
export interface Clock {
  /** UTC milliseconds since 1970. */
  nowMs(): number;
  /** Milliseconds since some fixed moment; never decreases. */
  monotonicMs(): number;
  /**
   * Runs `callback` once after `delayMs`. The timer keeps the process alive only when it is told
   * to, because somebody waits for it.
   */
  schedule(callback: () => void, delayMs: number, keepsAlive?: boolean): Disposable;
}

/** The clock of the machine. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  schedule(callback, delayMs, keepsAlive = false) {
    const timer = setTimeout(callback, delayMs);
    if (!keepsAlive) timer.unref();
    return { [Symbol.dispose]: () => clearTimeout(timer) };
  },
};
