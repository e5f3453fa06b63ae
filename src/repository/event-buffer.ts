/** Domain events of a transaction, kept until it is known that what they tell is durable. */

import { SpringhouseError } from "../core/errors.ts";
import type { EventSink } from "./event-sink.ts";

/** A transaction with more is better split; the events of all of it would fill the memory. */
const EVENTS_MAX = 1_000_000;

/** Keeps events in order. Given up with its transaction, it takes them along. */
export class EventBuffer implements EventSink {
  readonly #target: EventSink;
  readonly #events: { readonly name: string; readonly event: unknown }[] = [];

  constructor(target: EventSink) {
    this.#target = target;
  }

  wants(name: string): boolean {
    return this.#target.wants(name);
  }

  raise(name: string, event: unknown): void {
    if (this.#events.length >= EVENTS_MAX) {
      throw new SpringhouseError(
        "INVALID_ARGUMENT",
        `A transaction raised more than ${EVENTS_MAX} events: split it.`,
      );
    }
    this.#events.push({ name, event });
  }

  /** Passes everything on: to the listeners, or to the transaction around this one. */
  deliver(): void {
    for (const { name, event } of this.#events.splice(0)) this.#target.raise(name, event);
  }
}
