/**
 * What all live queries of one database have in common: who is to be run again, and when.
 *
 * Equal queries (one function, equal arguments) are one source, however many consume it. A change
 * that touches what a source has read makes it dirty. Dirty sources are run together at the end of
 * the turn, on one snapshot, so that all that is shown at one time is of one state; those that are
 * touched meanwhile have their turn in the next round.
 *
 * The commits of this process are looked at when they are done, those of others every few
 * milliseconds, for as long as somebody consumes something.
 */

import { AsyncLocalStorage } from "node:async_hooks";
import type { Footprint } from "../change/footprint.ts";
import type { Clock } from "../core/clock.ts";
import { SpringhouseError } from "../core/errors.ts";
import { isSliceOver, nextSlice } from "../core/slices.ts";
import type { CachedResults } from "./cached.ts";
import type { Coherence } from "./coherence.ts";
import type { Drop, Watcher } from "./entries.ts";
import type { Consumer } from "./live-consumer.ts";
import type { Run } from "./tracking.ts";

/** How often the commits of other processes are looked for; a look costs 2 µs. */
const POLL_MS = 20;

/** One function with certain arguments, and those who consume it. */
export class LiveSource implements Watcher {
  readonly results: CachedResults;
  readonly args: readonly unknown[];
  readonly key: string;
  readonly consumers: Set<Consumer> = new Set<Consumer>();
  /** What the last run read; undefined before there was one. */
  watched: Footprint | undefined;
  last: { readonly value: unknown } | undefined;
  readonly #onTouched: (source: LiveSource) => void;

  constructor(
    results: CachedResults,
    args: readonly unknown[],
    key: string,
    onTouched: (source: LiveSource) => void,
  ) {
    this.results = results;
    this.args = args;
    this.key = key;
    this.#onTouched = onTouched;
  }

  get footprint(): Footprint {
    return this.watched ?? { atoms: [] };
  }

  touched(_: Drop): void {
    this.#onTouched(this);
  }
}

/** The live queries of one database. */
export class LiveHub {
  readonly clock: Clock;
  readonly #coherence: Coherence;
  readonly #sources = new Map<CachedResults, Map<string, LiveSource>>();
  readonly #dirty = new Set<LiveSource>();
  /** Those of which it is not known what they read, so that every commit may concern them. */
  readonly #watchAll = new Set<LiveSource>();
  #consumers = 0;
  #isDraining = false;
  #isScheduled = false;
  #poll: Disposable | undefined;
  /** Whoever commits or subscribes may be in a transaction; what is run here is not. */
  readonly #outside = AsyncLocalStorage.snapshot();

  constructor(coherence: Coherence, clock: Clock) {
    this.#coherence = coherence;
    this.clock = clock;
  }

  /** How many consume something. */
  get consumers(): number {
    return this.#consumers;
  }

  /** The source of a query, the same for equal ones. */
  sourceOf(results: CachedResults, args: readonly unknown[]): LiveSource {
    const key = results.keyOf(args);
    const sources = this.#sources.get(results) ?? new Map<string, LiveSource>();
    this.#sources.set(results, sources);
    const known = sources.get(key);
    if (known !== undefined) return known;
    const source = new LiveSource(results, args, key, (touched) => this.#soil(touched));
    sources.set(key, source);
    return source;
  }

  /** Delivers what a source gives, the present result first, until it is disposed of. */
  attach(source: LiveSource, consumer: Consumer): Disposable {
    source.consumers.add(consumer);
    this.#consumers++;
    this.#startPolling();
    if (source.last === undefined || this.#dirty.has(source)) this.#soil(source);
    else consumer.offer(source.last.value);
    return { [Symbol.dispose]: () => this.#detach(source, consumer) };
  }

  /** Takes in what was committed. Called after each commit of this process. */
  committed(): void {
    if (this.#consumers > 0) this.#look();
  }

  #detach(source: LiveSource, consumer: Consumer): void {
    if (!source.consumers.delete(consumer)) return;
    this.#consumers--;
    if (this.#consumers === 0) {
      this.#poll?.[Symbol.dispose]();
      this.#poll = undefined;
    }
    if (source.consumers.size > 0) return;
    this.#coherence.entries.unwatch(source);
    this.#dirty.delete(source);
    this.#watchAll.delete(source);
    const sources = this.#sources.get(source.results);
    sources?.delete(source.key);
    if (sources?.size === 0) this.#sources.delete(source.results);
  }

  #startPolling(): void {
    if (this.#poll !== undefined) return;
    const next = (): void => {
      this.#poll = this.clock.schedule(
        () => {
          this.#look();
          next();
        },
        POLL_MS,
        true,
      );
    };
    next();
  }

  #look(): void {
    const { feed } = this.#coherence;
    const { position } = feed;
    feed.isCurrent("strict");
    if (feed.position === position) return;
    for (const source of this.#watchAll) this.#soil(source);
  }

  #soil(source: LiveSource): void {
    this.#dirty.add(source);
    if (this.#isDraining || this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      void this.#outside(() => this.#drain());
    });
  }

  /** Runs what is dirty until nothing is. Never rejects: failures go to the consumers. */
  async #drain(): Promise<void> {
    this.#isDraining = true;
    while (this.#dirty.size > 0) {
      const round = [...this.#dirty];
      this.#dirty.clear();
      try {
        await this.#coherence.runs(async (newRun) => {
          const runs: Promise<void>[] = [];
          for (const source of round) {
            if (isSliceOver()) await nextSlice();
            runs.push(this.#refresh(source, newRun));
          }
          await Promise.all(runs);
        });
      } catch (error) {
        for (const source of round) this.#failed(source, error);
      }
      // What is dirty already waits for a turn of its own, in which others have theirs.
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    this.#isDraining = false;
  }

  async #refresh(source: LiveSource, newRun: (name: string) => Run): Promise<void> {
    const { results, key, args } = source;
    try {
      const run = newRun(results.name);
      const value = await results.readAt(run, key, args);
      if (source.consumers.size === 0) return;
      if (run.position === undefined) throw notLive(results.name, this.#coherence.refusal);
      this.#watch(source, run);
      source.last = { value };
      for (const consumer of source.consumers) consumer.offer(value);
    } catch (error) {
      this.#failed(source, error);
    }
  }

  /** Watches what was read; what has changed since the snapshot makes the source dirty at once. */
  #watch(source: LiveSource, run: Run): void {
    const { entries } = this.#coherence;
    entries.unwatch(source);
    this.#watchAll.delete(source);
    source.watched = run.footprint;
    const holds = this.#coherence.stillHolds(run);
    entries.watch(source);
    if (run.reason !== undefined) this.#watchAll.add(source);
    else if (!holds) this.#soil(source);
  }

  #failed(source: LiveSource, error: unknown): void {
    for (const consumer of source.consumers) consumer.fail(error);
  }
}

function notLive(name: string, reason = "There is no log of changes."): SpringhouseError {
  return new SpringhouseError(
    "INVALID_ARGUMENT",
    `"${name}" cannot be live, because nothing would tell when to run it again. ${reason}`,
    { fields: { name, reason } },
  );
}
