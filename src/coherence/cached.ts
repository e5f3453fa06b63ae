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
import { exactText } from "../core/exact-text.ts";
import { ownCopy } from "../tier/memory/own-copy.ts";
import type { Partition } from "../tier/memory/partition.ts";
import type { Freshness } from "./change-feed.ts";
import type { Coherence } from "./coherence.ts";
import { dropText, type Explanation } from "./explain.ts";
import { Flights, type Outcome } from "./flights.ts";
import type { Persistence } from "./persistence.ts";
import { argumentRefusal, resultRefusal } from "./refusals.ts";
import { ResultTable } from "./result-table.ts";
import { Shadow, type ShadowOptions } from "./shadow.ts";
import { type FunctionCounts, type FunctionStatistics, functionStatistics } from "./statistics.ts";
import {
  currentRun,
  NO_USES,
  noteReadOutside,
  type Run,
  type Version,
  within,
} from "./tracking.ts";

/** What a cached function is made of. */
export interface CachedParts {
  readonly coherence: Coherence;
  readonly partition: Partition;
  readonly name: string;
  readonly freshness: Freshness;
  readonly compute: (args: readonly unknown[]) => Promise<unknown>;
  /** What its code is known by. */
  readonly version?: Version;
  /** Where results outlive the process, if anywhere. */
  readonly persistence?: Persistence | undefined;
  /** Checks some of the hits, if it is wanted. */
  readonly shadow?: ShadowOptions | undefined;
}

/** The results of one function by its arguments. */
export class CachedResults {
  readonly #parts: CachedParts;
  readonly #results: ResultTable;
  readonly #flights = new Flights();
  readonly #counts: FunctionCounts = { misses: 0, found: 0, notKept: 0 };
  /** Why the last run was not kept. */
  #notKept: string | undefined;
  readonly #shadow: Shadow | undefined;
  #closed: Error | undefined;

  constructor(parts: CachedParts) {
    this.#parts = parts;
    const { coherence, name, persistence, shadow, version } = parts;
    this.#results = new ResultTable(parts.partition, coherence.entries);
    persistence?.declare(name, version);
    if (shadow !== undefined) {
      this.#shadow = new Shadow({
        ...shadow,
        coherence,
        name,
        results: this.#results,
        compute: (run, args) => this.#compute(run, args),
        drop: (key) => this.#dropWrong(key),
      });
    }
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
    noteReadOutside();
    const { coherence, freshness } = this.#parts;
    if (coherence.feed.isTurnOver()) return this.#readLater(key, ownArguments(args));
    const settled = this.#find(key, freshness);
    if (settled === undefined) return this.#load(key, ownArguments(args));
    this.#shadow?.hit(key, args);
    return settled;
  }

  /** The result, if memory has it and may give it; undefined otherwise. Runs nothing. */
  peek(args: readonly unknown[]): unknown {
    const { coherence, freshness } = this.#parts;
    if (this.#closed !== undefined) return undefined;
    currentRun()?.refuse("It asks what memory holds (peek), which changes without a commit.");
    if (coherence.isPast || !coherence.feed.isCurrentStill(freshness)) return undefined;
    return this.#results.value(argumentsKey(args));
  }

  /** Drops everything. */
  clear(): void {
    this.#results.clear();
  }

  /** What has become of its results. */
  statistics(): FunctionStatistics {
    const { coherence, partition } = this.#parts;
    return functionStatistics({
      ...this.#counts,
      partition,
      results: this.#results,
      reason: this.#notKept ?? coherence.refusal,
      shadow: this.#shadow?.counts,
    });
  }

  /**
   * Begins nothing any more.
   *
   * @param error what callers get from now on.
   * @returns when the check that is under way has ended.
   */
  close(error: Error): Promise<void> | undefined {
    this.#closed = error;
    return this.#shadow?.close();
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
    const lower = result === undefined ? [] : (this.#parts.persistence?.tiersOf(result) ?? []);
    return {
      name,
      key,
      tier: stored === undefined ? undefined : (result?.tier ?? "memory"),
      places: stored === undefined ? [] : ["memory", ...lower],
      ageMs:
        stored === undefined ? undefined : Math.max(this.#results.nowMs() - stored.createdMs, 0),
      position: stored === undefined ? undefined : result?.sequence,
      reads: (stored === undefined ? [] : (result?.footprint.atoms ?? [])).map(describeAtom),
      notKept: this.#notKept ?? coherence.refusal,
      notStored: this.#parts.persistence?.refusal(name, result?.uses ?? NO_USES),
      lastDrop: drop === undefined ? undefined : dropText(drop),
    };
  }

  #dropWrong(key: string): void {
    const { name, persistence } = this.#parts;
    this.#results.drop(key);
    persistence?.drop(name, key);
  }

  /** Runs the function for its result and keeps it, whether there is one or not. */
  async #load(key: string, args: readonly unknown[]): Promise<unknown> {
    const { coherence } = this.#parts;
    this.#counts.misses++;
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

  async #run(key: string, args: readonly unknown[]): Promise<Outcome> {
    const { coherence, name } = this.#parts;
    return (
      (await this.#findStored(key)) ??
      (await coherence.runs((newRun) => this.#runWithin(newRun(name), key, args)))
    );
  }

  /** The result from a tier that outlives the process, which memory has from then on. */
  async #findStored(key: string): Promise<Outcome | undefined> {
    const { coherence, name, persistence } = this.#parts;
    if (persistence === undefined || coherence.isPast) return undefined;
    return await persistence.find(name, key, ({ value, result }) => {
      // What has come meanwhile is as right.
      if (this.#results.find(key) === undefined) {
        this.#counts.found++;
        this.#results.put(key, value, result);
      }
      const stored = this.#results.stored(key);
      if (stored === undefined) return undefined;
      return { value: this.#results.valueOf(stored), heldAt: this.#flights.now() };
    });
  }

  #compute(run: Run, args: readonly unknown[]): Promise<unknown> {
    return within(run, () => this.#parts.compute(args));
  }

  async #runWithin(run: Run, key: string, args: readonly unknown[]): Promise<Outcome> {
    const { coherence, name } = this.#parts;
    const given = await this.#compute(run, args);
    const holds = !coherence.isPast && coherence.stillHolds(run);
    this.#notKept = run.reason;
    if (run.reason !== undefined) this.#counts.notKept++;
    if (run.reason !== undefined) coherence.warnOnce(name, run.reason);
    const heldAt = holds ? this.#flights.now() : -1;
    try {
      return { value: this.#keep(run, key, given, holds), heldAt };
    } catch (error) {
      throw resultRefusal(error, name);
    }
  }

  /** Puts the result into memory if it may go there, and gives it as every caller gets it. */
  #keep(run: Run, key: string, given: unknown, holds: boolean): unknown {
    const sequence = run.position?.sequence ?? 0;
    const before = this.#results.find(key);
    if (holds && !run.isShadow && (before === undefined || before.sequence < sequence)) {
      const { footprint, uses } = run;
      const result = { footprint, sequence, uses, tier: undefined };
      const stored = this.#results.put(key, given, result);
      if (stored !== undefined) {
        const kept = this.#results.find(key);
        const { name, persistence } = this.#parts;
        if (kept !== undefined) persistence?.store(name, key, this.#results, kept);
        return this.#results.valueOf(stored);
      }
    }
    return ownCopy(given).value;
  }

  /** The result at the snapshot of a run, which gets its footprint. */
  async readAt(outer: Run, key: string, args: readonly unknown[]): Promise<unknown> {
    const known = this.#findAt(outer, key);
    if (known !== undefined) return await known;
    // By way of memory, so that it is compared with the snapshot of the run as all others.
    const stored = outer.isShadow ? undefined : await this.#findStored(key);
    const found = stored === undefined ? undefined : this.#findAt(outer, key);
    if (found !== undefined) return await found;
    const { name, version } = this.#parts;
    const run = outer.nested(name);
    try {
      return (await this.#runWithin(run, key, args)).value;
    } finally {
      // Also when it failed: the outer function may go on by what it knows from that.
      outer.add(run.footprint);
      outer.use([...run.uses, [name, version]]);
      if (run.reason !== undefined) outer.refuse(run.reason);
    }
  }

  /** The result from memory if it was right at the snapshot of the run. */
  #findAt(run: Run, key: string): Promise<unknown> | undefined {
    const { feed, isPast } = this.#parts.coherence;
    const { position } = run;
    if (position === undefined || isPast || run.isShadow) return undefined;
    if (!feed.catchUp() || feed.epoch !== run.epoch) return undefined;
    const result = this.#results.find(key);
    if (result === undefined || result.sequence > position.sequence) return undefined;
    const settled = this.#results.settled(key);
    if (settled === undefined) return undefined;
    const { name, version } = this.#parts;
    run.add(result.footprint);
    run.use([...result.uses, [name, version]]);
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
  try {
    return exactText(args);
  } catch (error) {
    throw argumentRefusal(error);
  }
}

/**
 * Arguments that their caller cannot change while they wait: the result of others would be kept by
 * the key of these. What can be a key can be copied.
 */
export function ownArguments<Args extends readonly unknown[]>(args: Args): Args {
  const isShared = args.some((value) => typeof value === "object" && value !== null);
  try {
    return isShared ? structuredClone(args) : args;
  } catch (error) {
    throw argumentRefusal(error);
  }
}
