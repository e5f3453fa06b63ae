/**
 * A live query: what a cached function gives, again each time that it gives something else.
 *
 * A consumer has a buffer of one. What comes while it is busy replaces what waits, so a slow
 * consumer skips states and never lags behind; and what equals the state it took last is not
 * delivered at all. Differences are computed against that state, for each consumer its own.
 */

import { isDeepStrictEqual } from "node:util";
import { abortError, assertSignal, onAbort } from "../core/abort.ts";
import type { Clock } from "../core/clock.ts";
import { type Duration, parseDurationMs } from "../core/duration.ts";
import { refuseUnknownKeys } from "../core/options.ts";
import { Consumer } from "./live-consumer.ts";
import { checkKeyed, differenceOf, type LiveChange } from "./live-difference.ts";
import type { LiveHub, LiveSource } from "./live-hub.ts";
import { currentRun } from "./tracking.ts";

/** For one consumer. */
export interface LiveOptions {
  /** Ends the iteration with `ABORTED`. */
  readonly signal?: AbortSignal;
  /** The least time between two results. Default: none; every turn may bring one. */
  readonly minInterval?: Duration;
}

/** For a consumer of differences. */
export interface LiveChangesOptions extends LiveOptions {
  /**
   * The property by which rows are told apart. Where rows lack it, whole results come each time.
   * Default: "id".
   */
  readonly key?: string;
}

const VALUE_KEYS = ["signal", "minInterval"] as const;
const CHANGE_KEYS = [...VALUE_KEYS, "key"] as const;

/** Nothing was taken yet. */
const NONE: unique symbol = Symbol("none");

/** A live query. Each iteration is a consumer of its own; leaving the loop ends it. */
export class LiveQuery<T> implements AsyncIterable<T> {
  readonly #hub: LiveHub;
  readonly #source: () => LiveSource;
  readonly #closed: AbortSignal;

  /** Made by `db.live`. @param closed fires with the error by which loops are to end. */
  constructor(hub: LiveHub, source: () => LiveSource, closed: AbortSignal) {
    this.#hub = hub;
    this.#source = source;
    this.#closed = closed;
  }

  [Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    return this.values();
  }

  /**
   * The results: the present one first, then each that differs from the one taken before.
   *
   * @throws `ABORTED` by the signal, `CLOSED` when the database is closed, and what the function
   * throws.
   */
  values(options: LiveOptions = {}): AsyncGenerator<T, void, undefined> {
    refuseUnknownKeys(options, VALUE_KEYS, "values");
    return this.#consume(options, (_, next) => next);
  }

  /**
   * The same as differences of rows: the whole result first, then what to remove, to insert and to
   * replace by key. The whole result comes again where a difference would be as large, and for
   * results that are no lists of rows with that key.
   *
   * @throws as `values`.
   */
  changes(options: LiveChangesOptions = {}): AsyncGenerator<LiveChange<T>, void, undefined> {
    refuseUnknownKeys(options, CHANGE_KEYS, "changes");
    const key = checkKeyed(options.key);
    return this.#consume(options, (before, next) =>
      before === NONE ? { kind: "full", value: next } : differenceOf(before as T, next, key),
    );
  }

  async *#consume<Given>(
    { signal, minInterval }: LiveOptions,
    give: (before: unknown, next: T) => Given,
  ): AsyncGenerator<Given, void, undefined> {
    const pauseMs = minInterval === undefined ? 0 : parseDurationMs(minInterval, "minInterval");
    assertSignal(signal);
    currentRun()?.refuse("It takes what a live query gives, which comes when it likes.");
    const consumer = new Consumer();
    using _aborted = listen(signal, () => consumer.fail(abortError(signal, "The live query")));
    using _closed = listen(this.#closed, () => consumer.fail(this.#closed.reason));
    using _attached = this.#hub.attach(this.#source(), consumer);
    let before: unknown = NONE;
    for (;;) {
      const next = await consumer.next();
      if (isDeepStrictEqual(before, next)) continue;
      yield give(before, next as T);
      before = next;
      if (pauseMs > 0) await pause(this.#hub.clock, pauseMs, signal);
    }
  }
}

/** Calls `end` when the signal fires, at once when it has. */
function listen(signal: AbortSignal | undefined, end: () => void): Disposable {
  if (signal?.aborted) end();
  return onAbort(signal, end);
}

async function pause(clock: Clock, ms: number, signal: AbortSignal | undefined): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  using _timer = clock.schedule(resolve, ms, true);
  using _aborted = listen(signal, resolve);
  await promise;
}
