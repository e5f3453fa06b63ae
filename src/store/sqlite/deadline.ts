/**
 * The patience of a transaction with the code that leads it: other writers wait meanwhile. It ends
 * at the deadline or when the signal fires, whichever comes first.
 */

import { abortError, onAbort } from "../../core/abort.ts";
import type { Clock } from "../../core/clock.ts";
import { SpringhouseError } from "../../core/errors.ts";
import type { TransactionOptions } from "../store.ts";

/** Runs from when it is made until it is disposed of. */
export class Deadline implements Disposable {
  /** Rejects when patience is at its end. */
  readonly reached: Promise<never>;
  readonly #reject: (error: SpringhouseError) => void;
  readonly #clock: Clock;
  readonly #deadlineMs: number;
  readonly #pausesOnly: boolean;
  readonly #listening: Disposable;
  #timer: Disposable | undefined;
  #underWay = 0;

  constructor(clock: Clock, deadlineMs: number, options: TransactionOptions) {
    const { signal, deadlineFor = "all" } = options;
    const { promise, reject } = Promise.withResolvers<never>();
    promise.catch(() => undefined);
    this.reached = promise;
    this.#reject = reject;
    this.#clock = clock;
    this.#deadlineMs = deadlineMs;
    this.#pausesOnly = deadlineFor === "pauses";
    if (signal?.aborted) reject(abortError(signal, "The transaction"));
    this.#listening = onAbort(signal, () => reject(abortError(signal, "The transaction")));
    this.#start();
  }

  /** Runs a statement; when pauses alone count, the time that it takes does not. */
  async during<T>(run: () => Promise<T>): Promise<T> {
    if (!this.#pausesOnly) return run();
    this.#underWay++;
    this.#timer?.[Symbol.dispose]();
    try {
      return await run();
    } finally {
      this.#underWay--;
      if (this.#underWay === 0) this.#start();
    }
  }

  [Symbol.dispose](): void {
    this.#underWay = Number.POSITIVE_INFINITY;
    this.#timer?.[Symbol.dispose]();
    this.#listening[Symbol.dispose]();
  }

  #start(): void {
    const end = (): void => this.#reject(this.#error());
    this.#timer = this.#clock.schedule(end, this.#deadlineMs, true);
  }

  #error(): SpringhouseError {
    const deadlineMs = this.#deadlineMs;
    const message = this.#pausesOnly
      ? `The transaction was rolled back, because it wrote nothing for ${deadlineMs} ms while ` +
        "the writer waited. Gather the rows first, or raise transactionDeadline."
      : `The transaction was rolled back after ${deadlineMs} ms. Do slow work outside of it, or ` +
        "give it a longer deadline.";
    return new SpringhouseError("TRANSACTION_TIMEOUT", message, { fields: { deadlineMs } });
  }
}
