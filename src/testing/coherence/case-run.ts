/**
 * Runs one case on a subject. After every commit each result that the cache would give is compared
 * with what a plain connection computes anew, and what calls give, with the states of the database
 * that there were between call and return.
 */

import type { CoherenceFailure, CommitStep, RaceEvent, Step } from "./case.ts";
import { resultText } from "./compare.ts";
import type { CoherenceCounts } from "./counts.ts";
import { Race } from "./race.ts";
import type { CoherenceQuery, OpenSubject } from "./subject.ts";
import { FAILED, type Witness } from "./witness.ts";

/** All results are read after so many commits, hits included; otherwise those that are not kept. */
const COMMITS_PER_READ = 8;
/** A query that was read so often and never kept is left alone until the schema changes. */
const READS_IN_VAIN_MAX = 2;

interface Entry {
  readonly query: CoherenceQuery;
  /** The right result when it was last found in the cache; undefined when it was not there. */
  kept: string | undefined;
  readsInVain: number;
}

/** The run of one case. */
export class CaseRun {
  readonly #subject: OpenSubject;
  readonly #witness: Witness;
  readonly #counts: CoherenceCounts;
  readonly #entries: Entry[] = [];
  #step = -1;
  #commits = 0;
  /** Of the read that failed last. */
  #error: string | undefined;

  constructor(subject: OpenSubject, witness: Witness, counts: CoherenceCounts) {
    this.#subject = subject;
    this.#witness = witness;
    this.#counts = counts;
  }

  /** The numbers of queries that SQLite does not refuse. */
  get queries(): number[] {
    const right = this.#witness.resultsOf(this.#entries.map(({ query }) => query));
    return [...right.keys()].filter((at) => right[at] !== FAILED);
  }

  /** Runs a step; what went wrong, if something did. */
  async step(step: Step): Promise<CoherenceFailure | undefined> {
    this.#step++;
    if (step.kind === "queries") {
      for (const query of step.queries) {
        this.#entries.push({ query, kept: undefined, readsInVain: 0 });
      }
      return await this.#fill(this.#witness.resultsOf(this.#all), false);
    }
    const failure =
      step.kind === "commit" ? await this.#commit(step) : await this.#race(step.events);
    return failure ?? (await this.#verify());
  }

  get #all(): CoherenceQuery[] {
    return this.#entries.map(({ query }) => query);
  }

  async #commit({ by, statements }: CommitStep): Promise<undefined> {
    if (by === "own") await this.#subject.write(statements);
    else await this.#witness.write(statements);
  }

  async #race(events: readonly RaceEvent[]): Promise<CoherenceFailure | undefined> {
    const used = new Set(events.flatMap((event) => ("queries" in event ? event.queries : [])));
    const race = new Race(this.#subject, this.#witness, this.#counts);
    const queries = new Map([...used].map((at) => [at, this.#entries[at]?.query]));
    const failure = await race.run(events, queries);
    return failure && { ...failure, step: this.#step };
  }

  /** Compares everything that the cache would give. */
  async #verify(): Promise<CoherenceFailure | undefined> {
    this.#counts.commits++;
    this.#commits++;
    await this.#subject.settle?.();
    const right = this.#witness.resultsOf(this.#all);
    for (const [at, entry] of this.#entries.entries()) {
      const given = this.#subject.peek?.(entry.query);
      const failure = this.#judge(at, entry, given && resultText(given, entry.query), right);
      if (failure !== undefined) return failure;
    }
    return await this.#fill(right, this.#commits % COMMITS_PER_READ === 0);
  }

  #judge(
    at: number,
    entry: Entry,
    given: string | undefined,
    all: readonly string[],
  ): CoherenceFailure | undefined {
    const right = all[at] as string;
    const before = entry.kept;
    entry.kept = given === undefined ? undefined : right;
    if (given === undefined) {
      if (before === undefined) return undefined;
      this.#counts.invalidations++;
      if (before !== right) this.#counts.changed++;
      return undefined;
    }
    this.#counts.checks++;
    if (before !== undefined) this.#counts.hits++;
    return given === right ? undefined : this.#failure("hit", at, given, right);
  }

  /** Reads what is not in the cache, or everything. */
  async #fill(right: readonly string[], isAll: boolean): Promise<CoherenceFailure | undefined> {
    const due = [...this.#entries.entries()].filter(([at, { kept, readsInVain }]) => {
      if (right[at] === FAILED) return false;
      return isAll || (kept === undefined && readsInVain < READS_IN_VAIN_MAX);
    });
    this.#counts.failing += right.filter((text) => text === FAILED).length;
    const isTogether = this.#subject.readTogether !== undefined && this.#commits % 2 === 0;
    const given = await (isTogether ? this.#readTogether(due) : this.#readEach(due));
    for (const [place, [at, entry]] of due.entries()) {
      const failure = this.#judgeRead(at, entry, given[place] as string, right[at] as string);
      if (failure !== undefined) return failure;
    }
    return undefined;
  }

  async #readEach(due: readonly (readonly [number, Entry])[]): Promise<readonly string[]> {
    return await Promise.all(due.map(([, { query }]) => this.#textOf(query)));
  }

  async #readTogether(due: readonly (readonly [number, Entry])[]): Promise<readonly string[]> {
    const queries = due.map(([, { query }]) => query);
    try {
      const all = (await this.#subject.readTogether?.(queries)) ?? [];
      return queries.map((query, place) => resultText(all[place] ?? [], query));
    } catch {
      return await this.#readEach(due);
    }
  }

  #judgeRead(at: number, entry: Entry, given: string, right: string): CoherenceFailure | undefined {
    this.#counts.reads++;
    if (given !== right) return this.#failure("read", at, given, right);
    const isKept = this.#subject.peek?.(entry.query) !== undefined;
    entry.kept = isKept ? right : undefined;
    entry.readsInVain = isKept ? 0 : entry.readsInVain + 1;
    if (entry.readsInVain === READS_IN_VAIN_MAX) this.#counts.notKept++;
    return undefined;
  }

  #failure(
    where: CoherenceFailure["where"],
    at: number,
    given: string,
    right: string,
  ): CoherenceFailure {
    const failure = { where, step: this.#step, queries: [at], given, right: [right] };
    const error = this.#error;
    return given !== FAILED || error === undefined ? failure : { ...failure, error };
  }

  /** What a call gives, as a text. */
  async #textOf(query: CoherenceQuery): Promise<string> {
    try {
      return resultText(await this.#subject.read(query), query);
    } catch (error) {
      this.#error = String(error);
      return FAILED;
    }
  }
}
