/** Domain events of a transaction, kept until it is known that what they tell is durable. */

import { SpringhouseError } from "../core/errors.ts";
import { EventLine } from "./event-line.ts";
import type { EventSink, NamedEvent } from "./event-sink.ts";

/** A transaction with more is better split; the events of all of it would fill the memory. */
const EVENTS_MAX = 1_000_000;

/** Keeps events in order. Given up with its transaction, it takes them along. */
export class EventBuffer implements EventSink {
  readonly #target: EventSink;
  readonly #events: NamedEvent[] = [];
  readonly #line = new EventLine((event) => this.#keep(event));
  #isDelivered = false;

  constructor(target: EventSink) {
    this.#target = target;
  }

  wants(name: string): boolean {
    return this.#target.wants(name);
  }

  raise(name: string, event: unknown): void {
    this.#line.add({ name, event });
  }

  raiseAll(events: Iterable<NamedEvent>): Promise<void> {
    return this.#line.addAll(events);
  }

  /** Passes everything on: to the listeners, or to the transaction around this one. */
  deliver(): Promise<void> {
    this.#isDelivered = true;
    return this.#target.raiseAll(this.#events.splice(0));
  }

  #keep(event: NamedEvent): void {
    // Of a write that nobody waited for, and that was committed all the same.
    if (this.#isDelivered) {
      this.#target.raise(event.name, event.event);
      return;
    }
    if (this.#events.length >= EVENTS_MAX) {
      throw new SpringhouseError(
        "INVALID_ARGUMENT",
        `A transaction raised more than ${EVENTS_MAX} events: split it.`,
      );
    }
    this.#events.push(event);
  }
}
