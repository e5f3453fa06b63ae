/**
 * Events in one line: what is added first is taken first and whole, and only then what was added
 * after it, so that listeners hear of changes in the order of their commits. Many events are taken
 * in slices; others that are raised meanwhile wait for them.
 */

import { forEachInSlices } from "../core/slices.ts";
import type { NamedEvent } from "./event-sink.ts";

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
    if (this.#last === undefined) this.#take(event);
    else void this.addAll([event]).catch(() => undefined);
  }

  /** Resolves when all are taken; rejects with what the iterable, or the taking, throws. */
  async addAll(events: Iterable<NamedEvent>): Promise<void> {
    const taken = this.#takeAfter(this.#last, events);
    const settled = taken.catch(() => undefined);
    this.#last = settled;
    try {
      await taken;
    } finally {
      if (this.#last === settled) this.#last = undefined;
    }
  }

  async #takeAfter(before: Promise<void> | undefined, events: Iterable<NamedEvent>): Promise<void> {
    if (before !== undefined) await before;
    await forEachInSlices(events, this.#take);
  }
}
