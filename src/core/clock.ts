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
  /** Runs `callback` once after `delayMs`; the timer does not keep the process alive. */
  schedule(callback: () => void, delayMs: number): Disposable;
}

/** The clock of the machine. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  schedule(callback, delayMs) {
    const timer = setTimeout(callback, delayMs);
    timer.unref();
    return { [Symbol.dispose]: () => clearTimeout(timer) };
  },
};
