/** How late the event loop is: what the callers of this process feel, whatever keeps it busy. */

import { type ELDHistogram, monitorEventLoopDelay } from "node:perf_hooks";

/** How often the loop is asked to come back. */
const RESOLUTION_MS = 10;
const NS_PER_MS = 1e6;

/** The part of Node's histogram that is needed; times are in nanoseconds. */
export type DelayHistogram = Pick<
  ELDHistogram,
  "percentile" | "max" | "count" | "enable" | "disable" | "reset"
>;

/** Delays since the last reset. */
export interface EventLoopDelays {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** Measures until it is closed. Its timer does not keep the process alive. */
export class EventLoopMonitor implements Disposable {
  readonly #histogram: DelayHistogram;

  constructor(histogram: DelayHistogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS })) {
    this.#histogram = histogram;
    histogram.enable();
  }

  /** The histogram holds the time between two turns, which is the resolution when all is well. */
  read(): EventLoopDelays {
    const { count, max } = this.#histogram;
    const delayMs = (ns: number): number =>
      count === 0 ? 0 : Math.max(0, ns / NS_PER_MS - RESOLUTION_MS);
    return {
      p50Ms: delayMs(this.#histogram.percentile(50)),
      p99Ms: delayMs(this.#histogram.percentile(99)),
      maxMs: delayMs(max),
    };
  }

  reset(): void {
    this.#histogram.reset();
  }

  [Symbol.dispose](): void {
    this.#histogram.disable();
  }
}
