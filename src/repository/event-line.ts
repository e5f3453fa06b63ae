/**
 * Events in one line: what is added first is taken first and whole, and only then what was added
 * after it, so that listeners hear of changes in the order of their commits. Many events are taken
 * in slices; others that are raised meanwhile wait for them. So do those that a listener raises:
 * all listeners hear of the one event before any hears of the other.
 */

import { forEachInSlices, isSliceOver, nextSlice } from "../core/slices.ts";
import type { NamedEvent } from "./event-sink.ts";

/** Stands in the line for an event that is being taken at once. */
const UNDER_WAY = Promise.resolve();

/** See above. */
export class EventLine {
  readonly #take: (event: NamedEvent) => void;
  /** What is at the end of the line; each addition waits for the one before it. Never rejects. */
  #last: Promise<void> | undefined;

  constructor(take: (event: NamedEvent) => void) {
    this.#take = take;
  }

  /** Takes the event at once when nobody is before it. */
  add(event: NamedEvent): void {
    if (this.#last !== undefined) {
      void this.addAll([event]).catch(() => undefined);
      return;
    }
    this.#last = UNDER_WAY;
    try {
      this.#take(event);
    } finally {
      this.#leave(UNDER_WAY);
    }
  }

  /** Resolves when all are taken; rejects with what the iterable, or the taking, throws. */
  async addAll(events: Iterable<NamedEvent>): Promise<void> {
    const before = this.#last;
    const { promise: taken, resolve } = Promise.withResolvers<void>();
    this.#last = taken;
    try {
      if (before !== undefined) {
        await before;
        // Listeners that raise events without end must not stop the event loop.
        if (isSliceOver()) await nextSlice();
      }
      await forEachInSlices(events, this.#take);
    } finally {
      resolve();
      this.#leave(taken);
    }
  }

  /** Nobody has to wait for it any more. */
  #leave(taken: Promise<void>): void {
    if (this.#last === taken) this.#last = undefined;
  }
}
