/**
 * Reads and commits that meet. A call must give what the database could have given at some moment
 * between call and return.
 *
 * All states of the race are known: those before and after each commit of others, which happen on
 * this very thread, and those around each commit of the subject's own writer, of which there is
 * one at a time. From the moment on at which a commit of its own writer is in the file, the subject
 * must show it; commits of others too, or, when it has `settle`, from the end of the race on.
 */

import type { CoherenceFailure, CommitStep, RaceEvent } from "./case.ts";
import { resultText } from "./compare.ts";
import type { CoherenceCounts } from "./counts.ts";
import type { CoherenceQuery, OpenSubject } from "./subject.ts";
import { FAILED, type Witness } from "./witness.ts";

/** A commit takes less, or there is none. */
const STALL_MS_MAX = 50;

type Failure = Omit<CoherenceFailure, "step">;

/** One race. */
export class Race {
  readonly #subject: OpenSubject;
  readonly #witness: Witness;
  readonly #counts: CoherenceCounts;
  /** The right results of all queries of the race, state by state. */
  readonly #states: (readonly string[])[] = [];
  #numbers: number[] = [];
  #queries: CoherenceQuery[] = [];
  /** The state that a call must know of at least. */
  #least = 0;
  /** The commit of the own writer that is under way, and what `data_version` was before it. */
  #own: Promise<void> | undefined;
  #ownVersion: unknown;
  #failure: Failure | undefined;

  constructor(subject: OpenSubject, witness: Witness, counts: CoherenceCounts) {
    this.#subject = subject;
    this.#witness = witness;
    this.#counts = counts;
  }

  /** Runs the events; `queries` by their numbers. */
  async run(
    events: readonly RaceEvent[],
    queries: ReadonlyMap<number, CoherenceQuery | undefined>,
  ): Promise<Failure | undefined> {
    const known = [...queries].filter(([, query]) => query !== undefined);
    this.#numbers = known.map(([at]) => at);
    this.#queries = known.map(([, query]) => query as CoherenceQuery);
    this.#look("own");
    const calls: Promise<void>[] = [];
    for (const event of events) {
      if (event.kind === "commit") await this.#commit(event);
      else if (event.kind === "turns") await turns(event.count);
      else if (event.kind === "stall") calls.push(...(await this.#stall(event.queries)));
      else if (event.kind === "together") calls.push(this.#together(event.queries));
      else calls.push(...event.queries.map((at) => this.#read(at)));
    }
    await this.#own;
    await Promise.all(calls);
    return this.#failure;
  }

  /** Takes note of the present state; who has made it, if it is new. */
  #look(by: "own" | "others"): void {
    const state = this.#witness.resultsOf(this.#queries);
    const last = this.#states.at(-1);
    if (last !== undefined && state.every((text, at) => text === last[at])) return;
    this.#states.push(state);
    const mayBeLate = by === "others" && this.#subject.settle !== undefined;
    if (!mayBeLate) this.#least = this.#states.length - 1;
  }

  async #commit({ by, statements }: CommitStep): Promise<void> {
    if (by === "others") {
      // Within the transaction, so that nothing of the own writer comes between.
      const before = (): void => this.#look("own");
      await this.#witness.write(statements, before, () => this.#look("others"));
      return;
    }
    await this.#own;
    this.#ownVersion = this.#witness.dataVersion;
    this.#own = this.#subject.write(statements).then(() => this.#look("own"));
  }

  /** Reads before and after a commit gets into the file, in one turn of the event loop. */
  async #stall(numbers: readonly number[]): Promise<readonly Promise<void>[]> {
    if (this.#own === undefined) return [];
    // By now it has been sent.
    await turns(1);
    const calls = numbers.map((at) => this.#read(at));
    const endMs = performance.now() + STALL_MS_MAX;
    while (this.#witness.dataVersion === this.#ownVersion && performance.now() < endMs);
    return [...calls, ...numbers.map((at) => this.#read(at))];
  }

  async #read(number: number): Promise<void> {
    await this.#judge([number], async ([query]) => [
      query === undefined ? [] : await this.#subject.read(query),
    ]);
  }

  async #together(numbers: readonly number[]): Promise<void> {
    const { readTogether } = this.#subject;
    if (readTogether === undefined) return;
    await this.#judge(numbers, (queries) => readTogether.call(this.#subject, queries));
  }

  async #judge(
    numbers: readonly number[],
    read: (
      queries: readonly CoherenceQuery[],
    ) => ReturnType<NonNullable<OpenSubject["readTogether"]>>,
  ): Promise<void> {
    const places = numbers.map((number) => this.#numbers.indexOf(number));
    if (places.includes(-1)) return;
    const queries = places.map((at) => this.#queries[at] as CoherenceQuery);
    this.#look("own");
    const least = this.#least;
    const { given, ...why } = await givenBy(queries, read);
    this.#look("own");
    this.#counts.reads++;
    const right = this.#states
      .slice(least)
      .map((state) => places.map((at) => state[at]).join(SEPARATOR));
    // Whether it failed as a whole is all that can be told.
    if (right.includes(given) || (given === FAILED && right.some(hasFailed))) return;
    this.#failure ??= { where: "read", queries: numbers, given, right, ...why };
  }
}

const SEPARATOR = "\n--\n";

function hasFailed(text: string): boolean {
  return text.split(SEPARATOR).includes(FAILED);
}

async function givenBy(
  queries: readonly CoherenceQuery[],
  read: (
    queries: readonly CoherenceQuery[],
  ) => ReturnType<NonNullable<OpenSubject["readTogether"]>>,
): Promise<Pick<CoherenceFailure, "given" | "error">> {
  try {
    const all = await read(queries);
    const texts = queries.map((query, at) => resultText(all[at] ?? [], query));
    return { given: texts.join(SEPARATOR) };
  } catch (error) {
    return { given: FAILED, error: String(error) };
  }
}

async function turns(count: number): Promise<void> {
  for (let left = count; left > 0; left--) await new Promise((resolve) => setImmediate(resolve));
}
