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

/** So much the clocks of two machines may differ, or one that is set right by a time server. */
const SKEW_MS = 5 * 60_000;

/** Whether a moment that was written down has yet to come: the clock was wrong then, or is now. */
export function isOfFuture(atMs: number, nowMs: number): boolean {
  return atMs > nowMs + SKEW_MS;
}

/** Node's own timers take no more, 24.8 days, and fire at once instead. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/** The clock of the machine. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  schedule(callback, delayMs, keepsAlive = false) {
    let timer: NodeJS.Timeout;
    const wait = (leftMs: number): void => {
      const next = (): void => (leftMs > TIMER_MS_MAX ? wait(leftMs - TIMER_MS_MAX) : callback());
      timer = setTimeout(next, Math.min(leftMs, TIMER_MS_MAX));
      if (!keepsAlive) timer.unref();
    };
    wait(delayMs);
    return { [Symbol.dispose]: () => clearTimeout(timer) };
  },
};
