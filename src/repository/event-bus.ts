/**
 * Domain events to their listeners. An event is delivered once, in the process that wrote, after
 * its transaction is durable. Listeners run one after another and cannot harm the writer: what they
 * throw becomes a warning, and nobody waits for what they promise. Events of one write that are
 * many are delivered in slices, and those of later writes after them.
 */

import { warn } from "../core/channels.ts";
import { messageOf, SpringhouseError } from "../core/errors.ts";
import { EventLine } from "./event-line.ts";
import { EventQueue, type EventQueueOptions } from "./event-queue.ts";
import type { EventSink, NamedEvent } from "./event-sink.ts";

/** Gets one event. What it returns is ignored, save that a promise is watched for its failure. */
export type EventListener<Event> = (event: Event) => unknown;

/** Listeners by the name of the event. */
export class EventBus<Events extends object = Record<string, unknown>> implements EventSink {
  readonly #listeners = new Map<string, Set<EventListener<never>>>();
  readonly #line = new EventLine((event) => this.#deliver(event));

  /**
   * Calls `listener` for each event of this name. Adding the same one twice changes nothing.
   *
   * @returns what ends it; `off` does so too.
   * @example db.on("taskUpdated", ({ old, new: now }) => console.log(old.score, now.score));
   */
  on<Name extends keyof Events & string>(
    name: Name,
    listener: EventListener<Events[Name]>,
  ): Disposable {
    if (typeof listener !== "function") {
      const message = `The listener of "${name}" must be a function.`;
      throw new SpringhouseError("INVALID_ARGUMENT", message, { fields: { event: name } });
    }
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners.add(listener));
    return { [Symbol.dispose]: () => this.off(name, listener) };
  }

  /** Calls `listener` no longer. */
  off<Name extends keyof Events & string>(name: Name, listener: EventListener<Events[Name]>): void {
    const listeners = this.#listeners.get(name);
    listeners?.delete(listener);
    if (listeners?.size === 0) this.#listeners.delete(name);
  }

  /**
   * The events of this name, from the moment the loop begins until it is left or the signal fires.
   *
   * @example for await (const { key } of db.events("taskCreated", { signal })) index(key);
   */
  events<Name extends keyof Events & string>(
    name: Name,
    options: EventQueueOptions = {},
  ): AsyncIterable<Events[Name]> {
    return {
      [Symbol.asyncIterator]: () => {
        const queue = new EventQueue<Events[Name]>(name, options);
        const listener = (event: Events[Name]): void => queue.push(event);
        this.on(name, listener);
        queue.onEnd(() => this.off(name, listener));
        return queue;
      },
    };
  }

  /** Whether anybody listens to events of this name. */
  wants(name: string): boolean {
    return this.#listeners.has(name);
  }

  /** Delivers an event, at once unless others are before it. Never throws. */
  raise(name: string, event: unknown): void {
    this.#line.add({ name, event });
  }

  /** Delivers events; rejects only with what the iterable throws. */
  raiseAll(events: Iterable<NamedEvent>): Promise<void> {
    return this.#line.addAll(events);
  }

  #deliver({ name, event }: NamedEvent): void {
    for (const listener of [...(this.#listeners.get(name) ?? [])]) {
      try {
        const result = listener(event as never);
        if (result instanceof Promise) result.catch((error: unknown) => report(name, error));
      } catch (error) {
        report(name, error);
      }
    }
  }
}

function report(name: string, error: unknown): void {
  const message = `A listener of "${name}" failed: ${messageOf(error)}. The write is not affected.`;
  warn("LISTENER_FAILED", message, { event: name, error });
}
