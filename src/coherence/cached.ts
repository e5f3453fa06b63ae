/**
 * Cached functions: the result of a function that reads the database, kept by its arguments until a
 * commit changes what it read.
 *
 * A hit is a look into memory, after the feed has said that memory is current. Otherwise the
 * function runs on a snapshot of its own, and all callers of one moment share that run.
 *
 * Inside of another cached function everything happens on the snapshot of that one: a result from
 * memory is used if it was right there, and what is computed is kept under its own key as well.
 * Inside of a transaction the function runs, and nothing is kept.
 */

import { describeAtom } from "../change/describe.ts";
import { systemClock } from "../core/clock.ts";
import { exactText } from "../core/stable-text.ts";
import { ownCopy } from "../tier/memory/own-copy.ts";
import type { Partition } from "../tier/memory/partition.ts";
import type { Freshness } from "./change-feed.ts";
import type { Coherence } from "./coherence.ts";
import { dropText, type Explanation } from "./explain.ts";
import { Flights, type Outcome } from "./flights.ts";
import { ResultTable } from "./result-table.ts";
import { currentRun, type Run, within } from "./tracking.ts";

/** What a cached function is made of. */
export interface CachedParts {
  readonly coherence: Coherence;
  readonly partition: Partition;
  readonly name: string;
  readonly freshness: Freshness;
  readonly compute: (args: readonly unknown[]) => Promise<unknown>;
}

/** The results of one function by its arguments. */
export class CachedResults {
  readonly #parts: CachedParts;
  readonly #results: ResultTable;
  readonly #flights = new Flights();
  /** Why the last run was not kept. */
  #notKept: string | undefined;
  #closed: Error | undefined;

  constructor(parts: CachedParts) {
    this.#parts = parts;
    this.#results = new ResultTable(parts.partition, parts.coherence.entries);
  }

  get name(): string {
    return this.#parts.name;
  }

  /** The key of a list of arguments. @throws `INVALID_ARGUMENT` for what cannot be part of one. */
  keyOf(args: readonly unknown[]): string {
    return argumentsKey(args);
  }

  /** The result for these arguments, from memory if it is there. */
  read(args: readonly unknown[]): Promise<unknown> {
    if (this.#closed !== undefined) return Promise.reject(this.#closed);
    const key = argumentsKey(args);
    const run = currentRun();
    if (run !== undefined) return this.readAt(run, key, args);
    const { coherence, freshness } = this.#parts;
    if (coherence.feed.isTurnOver()) return this.#readLater(key, ownArguments(args));
    return this.#find(key, freshness) ?? this.#load(key, ownArguments(args));
  }

  /** The result, if memory has it and may give it; undefined otherwise. Runs nothing. */
  peek(args: readonly unknown[]): unknown {
    const { coherence, freshness } = this.#parts;
    if (this.#closed !== undefined) return undefined;
    if (coherence.isPast || !coherence.feed.isCurrentStill(freshness)) return undefined;
    return this.#results.value(argumentsKey(args));
  }

  /** Drops everything. @param error what callers get from now on. */
  close(error: Error): void {
    this.#closed = error;
    this.#results.clear();
  }

  /** What is known of the result for these arguments. Counts as no use of it. */
  explain(args: readonly unknown[]): Explanation {
    if (this.#closed !== undefined) throw this.#closed;
    const key = argumentsKey(args);
    const { coherence, name } = this.#parts;
    coherence.feed.isCurrent("strict");
    const result = this.#results.find(key);
    const stored = result === undefined ? undefined : this.#results.stored(key);
    const drop = this.#results.lastDrop(key);
    return {
      name,
      key,
      tier: stored === undefined ? undefined : "memory",
      ageMs: stored === undefined ? undefined : Math.max(systemClock.nowMs() - stored.createdMs, 0),
      position: stored === undefined ? undefined : result?.sequence,
      reads: (stored === undefined ? [] : (result?.footprint.atoms ?? [])).map(describeAtom),
      notKept: this.#notKept ?? coherence.refusal,
      lastDrop: drop === undefined ? undefined : dropText(drop),
    };
  }

  /** Runs the function for its result and keeps it, whether there is one or not. */
  async #load(key: string, args: readonly unknown[]): Promise<unknown> {
    const { coherence } = this.#parts;
    if (coherence.isPast) return (await this.#run(key, args)).value;
    return await this.#flights.share(key, () => this.#run(key, args));
  }

  #find(key: string, freshness: Freshness): Promise<unknown> | undefined {
    const { coherence } = this.#parts;
    if (!coherence.feed.isCurrent(freshness)) return undefined;
    const settled = this.#results.settled(key);
    return settled !== undefined && coherence.isPast ? undefined : settled;
  }

  /** Lets everything else have its turn first. */
  async #readLater(key: string, args: readonly unknown[]): Promise<unknown> {
    await new Promise<void>((resolve) => setImmediate(resolve));
    return await (this.#find(key, this.#parts.freshness) ?? this.#load(key, args));
  }

  #run(key: string, args: readonly unknown[]): Promise<Outcome> {
    const { coherence, name } = this.#parts;
    return coherence.runs((newRun) => this.#runWithin(newRun(name), key, args));
  }

  async #runWithin(run: Run, key: string, args: readonly unknown[]): Promise<Outcome> {
    const { coherence, name, compute } = this.#parts;
    const given = await within(run, () => compute(args));
    const holds = !coherence.isPast && coherence.stillHolds(run);
    this.#notKept = run.reason;
    if (run.reason !== undefined) coherence.warnOnce(name, run.reason);
    const heldAt = holds ? this.#flights.now() : -1;
    return { value: this.#keep(run, key, given, holds), heldAt };
  }

  /** Puts the result into memory if it may go there, and gives it as every caller gets it. */
  #keep(run: Run, key: string, given: unknown, holds: boolean): unknown {
    const sequence = run.position?.sequence ?? 0;
    const before = this.#results.find(key);
    if (holds && (before === undefined || before.sequence < sequence)) {
      const stored = this.#results.put(key, given, { footprint: run.footprint, sequence });
      if (stored !== undefined) return this.#results.valueOf(stored);
    }
    return ownCopy(given).value;
  }

  /** The result at the snapshot of a run, which gets its footprint. */
  async readAt(outer: Run, key: string, args: readonly unknown[]): Promise<unknown> {
    const known = this.#findAt(outer, key);
    if (known !== undefined) return await known;
    const run = outer.nested(this.#parts.name);
    try {
      return (await this.#runWithin(run, key, args)).value;
    } finally {
      // Also when it failed: the outer function may go on by what it knows from that.
      outer.add(run.footprint);
      if (run.reason !== undefined) outer.refuse(run.reason);
    }
  }

  /** The result from memory if it was right at the snapshot of the run. */
  #findAt(run: Run, key: string): Promise<unknown> | undefined {
    const { feed, isPast } = this.#parts.coherence;
    const { position } = run;
    if (position === undefined || isPast) return undefined;
    if (!feed.catchUp() || feed.epoch !== run.epoch) return undefined;
    const result = this.#results.find(key);
    if (result === undefined || result.sequence > position.sequence) return undefined;
    const settled = this.#results.settled(key);
    if (settled !== undefined) run.add(result.footprint);
    return settled;
  }
}

/**
 * The key of a list of arguments, such that different values never have the same.
 *
 * @throws `INVALID_ARGUMENT` for what has no text of its own.
 */
export function argumentsKey(args: readonly unknown[]): string {
  // The usual case. All other keys begin with a bracket.
  if (args.length === 1 && typeof args[0] === "number") return exactText(args[0]);
  return exactText(args);
}

/**
 * Arguments that their caller cannot change while they wait: the result of others would be kept by
 * the key of these. What can be a key can be copied.
 */
export function ownArguments<Args extends readonly unknown[]>(args: Args): Args {
  const isShared = args.some((value) => typeof value === "object" && value !== null);
  return isShared ? structuredClone(args) : args;
}
