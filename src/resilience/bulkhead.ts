/**
 * A limit of calls under way, with a line of those that wait, first in first out.
 *
 * Not cockatiel's: there a call that was given up keeps its place in the line, and one that has
 * waited can be refused because another came in the moment in which its place became free. Here a
 * place is handed on, and who gives up leaves the line at once.
 */

import { abortError, onAbort } from "../core/abort.ts";
import { SpringhouseError } from "../core/errors.ts";

/** What a bulkhead holds, and the name of its guard for messages. */
export interface BulkheadLimits {
  readonly name: string;
  readonly maxConcurrent: number;
  readonly maxQueued: number;
}

/** The limit of one guard. */
export class Bulkhead {
  readonly #limits: BulkheadLimits;
  readonly #waiting = new Set<() => void>();
  #running = 0;

  constructor(limits: BulkheadLimits) {
    this.#limits = limits;
  }

  /** Calls that wait. */
  get queued(): number {
    return this.#waiting.size;
  }

  /** @throws `BULKHEAD_FULL`, `ABORTED`; whatever `work` throws. */
  async run<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    await this.#enter(signal);
    try {
      return await work();
    } finally {
      this.#leave();
    }
  }

  #enter(signal: AbortSignal): Promise<void> | undefined {
    const { name, maxConcurrent, maxQueued } = this.#limits;
    if (this.#running < maxConcurrent) {
      this.#running++;
      return undefined;
    }
    if (this.#waiting.size >= maxQueued) {
      throw new SpringhouseError(
        "BULKHEAD_FULL",
        `${name}: ${maxConcurrent} calls are under way and ${maxQueued} wait. Call less often, ` +
          "or raise bulkhead.maxConcurrent or bulkhead.maxQueued.",
        { fields: { guard: name, maxConcurrent, maxQueued } },
      );
    }
    return new Promise((resolve, reject) => {
      const enter = (): void => {
        listening[Symbol.dispose]();
        resolve();
      };
      const listening = onAbort(signal, () => {
        this.#waiting.delete(enter);
        reject(abortError(signal, `The call of ${name}`));
      });
      this.#waiting.add(enter);
    });
  }

  /** The place goes to who has waited longest. */
  #leave(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#running--;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}
