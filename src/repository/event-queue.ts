/** Events on their way to a loop that may be slower than the writers. */

import { assertSignal, onAbort } from "../core/abort.ts";
import { warn } from "../core/channels.ts";
import { SpringhouseError } from "../core/errors.ts";
import { refuseUnknownKeys } from "../core/options.ts";

/** For `events`. */
export interface EventQueueOptions {
  /** Ends the loop, without an error. Default: none. */
  readonly signal?: AbortSignal;
  /** Events that may wait; beyond it the oldest is dropped, with a warning. Default: 1,000. */
  readonly bufferMax?: number;
}

/** A second of a busy program; a loop that is further behind will not catch up. */
const BUFFER_MAX = 1_000;

/** An async iterator with a bounded buffer. It never rejects. */
export class EventQueue<Event> implements AsyncIterator<Event, undefined, undefined> {
  readonly #name: string;
  readonly #bufferMax: number;
  readonly #waiting: Event[] = [];
  readonly #takers: ((result: IteratorResult<Event, undefined>) => void)[] = [];
  /** Ends with the loop: one signal serves many of them, and may live as long as the program. */
  readonly #listening: Disposable;
  #onEnd: () => void = () => {};
  #isEnded = false;
  #isBehind = false;

  constructor(name: string, options: EventQueueOptions) {
    refuseUnknownKeys(options, ["signal", "bufferMax"], `events of "${name}"`);
    const { signal, bufferMax = BUFFER_MAX } = options;
    assertSignal(signal);
    if (!Number.isSafeInteger(bufferMax) || bufferMax < 1) {
      throw new SpringhouseError("INVALID_ARGUMENT", "bufferMax must be a whole number from 1.");
    }
    this.#name = name;
    this.#bufferMax = bufferMax;
    this.#listening = onAbort(signal, () => this.#end());
    if (signal?.aborted) this.#end();
  }

  /** Called once, when the loop is left or the signal fires; at once when that has happened. */
  onEnd(callback: () => void): void {
    this.#onEnd = callback;
    if (this.#isEnded) callback();
  }

  push(event: Event): void {
    if (this.#isEnded) return;
    const taker = this.#takers.shift();
    if (taker !== undefined) taker({ done: false, value: event });
    else this.#keep(event);
  }

  async next(): Promise<IteratorResult<Event, undefined>> {
    if (this.#waiting.length > 0) return { done: false, value: this.#waiting.shift() as Event };
    this.#isBehind = false;
    if (this.#isEnded) return { done: true, value: undefined };
    return new Promise((resolve) => this.#takers.push(resolve));
  }

  async return(): Promise<IteratorResult<Event, undefined>> {
    this.#waiting.length = 0;
    this.#end();
    return { done: true, value: undefined };
  }

  #keep(event: Event): void {
    this.#waiting.push(event);
    if (this.#waiting.length <= this.#bufferMax) return;
    this.#waiting.shift();
    if (this.#isBehind) return;
    this.#isBehind = true;
    const message =
      `A loop over "${this.#name}" is more than ${this.#bufferMax} events behind: ` +
      "the oldest are dropped. Do less in the loop, or raise bufferMax.";
    warn("EVENTS_DROPPED", message, { event: this.#name, bufferMax: this.#bufferMax });
  }

  #end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#listening[Symbol.dispose]();
    for (const taker of this.#takers.splice(0)) taker({ done: true, value: undefined });
    this.#onEnd();
  }
}
