/**
 * How much the writer has to do and how long its callers wait, for whoever watches it.
 *
 * It is fed on the path of every write: one comparison and two additions for each unit.
 */

import { isSpringhouseError } from "../core/errors.ts";
import { processMs } from "./write-lock.ts";

/** Upper bounds of the classes into which waits are counted; the last class has none. */
export const WAIT_BOUNDS_MS: readonly number[] = [1, 5, 10, 50, 100, 500, 1_000, 5_000];

/** What the writer has done and is doing. */
export interface WriterStatistics {
  /** Callers in the queue: units, transactions, bulk writes. */
  readonly waiting: number;
  /** How long the first of them has waited by now; 0 when none does. */
  readonly waitingMs: number;
  /** How long the writer has been with the same transaction or group by now; 0 when idle. */
  readonly busyMs: number;
  /** Callers that have had their turn. */
  readonly served: number;
  /** How long these waited for it, in all. */
  readonly waitedMs: number;
  /** The same by classes: how many waited no longer than `WAIT_BOUNDS_MS[i]`, and how many more. */
  readonly waits: readonly number[];
  /** Callers that were told `BUSY`. */
  readonly busyErrors: number;
  /** How often the lock was held by another process; most of these waits end well. */
  readonly lockWaits: number;
  /** How often the thread ended by itself. */
  readonly deaths: number;
}

/** What the queue knows itself. */
export interface WriterQueueState {
  readonly waiting: number;
  /** When the first caller asked, by `processMs`. */
  readonly askedMs: number | undefined;
  readonly lockWaits: number;
}

/** Counts for one writer. */
export class WriterLoad {
  readonly #waits = new Array<number>(WAIT_BOUNDS_MS.length + 1).fill(0);
  #served = 0;
  #waitedMs = 0;
  #busySinceMs: number | undefined;
  #busyErrors = 0;
  #deaths = 0;

  /** The writer turns to these callers; their times of asking are by `processMs`. */
  begin(callers: readonly { readonly askedMs: number }[]): void {
    const nowMs = processMs();
    this.#busySinceMs = nowMs;
    for (const { askedMs } of callers) {
      const waitedMs = nowMs - askedMs;
      this.#served++;
      this.#waitedMs += waitedMs;
      let index = 0;
      while (waitedMs > (WAIT_BOUNDS_MS[index] ?? Number.POSITIVE_INFINITY)) index++;
      this.#waits[index] = (this.#waits[index] ?? 0) + 1;
    }
  }

  /** It is done with them. */
  end(): void {
    this.#busySinceMs = undefined;
  }

  /** A caller was told of this error. */
  noteError(error: unknown): void {
    if (isSpringhouseError(error, "BUSY")) this.#busyErrors++;
  }

  noteDeath(): void {
    this.#deaths++;
  }

  statistics({ waiting, askedMs, lockWaits }: WriterQueueState): WriterStatistics {
    const nowMs = processMs();
    return {
      waiting,
      waitingMs: askedMs === undefined ? 0 : nowMs - askedMs,
      busyMs: this.#busySinceMs === undefined ? 0 : nowMs - this.#busySinceMs,
      served: this.#served,
      waitedMs: this.#waitedMs,
      waits: [...this.#waits],
      busyErrors: this.#busyErrors,
      lockWaits,
      deaths: this.#deaths,
    };
  }
}
