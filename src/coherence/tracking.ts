/**
 * Which cached function the running code belongs to, and what that has read so far.
 *
 * A run reads one snapshot. Everything that its code reads through the database, in whatever way,
 * finds the run by the asynchronous context, is read from that snapshot and adds to its footprint.
 *
 * Some queues call what they were given in a context of their own, where a read belongs to nobody.
 * The query builder that a function is given carries its run along; what is read otherwise cannot
 * be told from the reads of all others, so these are counted, and a run that has read nothing while
 * others did is not trusted.
 */

import { AsyncLocalStorage } from "node:async_hooks";
import type { Atom, Footprint } from "../change/footprint.ts";
import type { Position } from "../change/position.ts";
import { unionOf } from "../change/union.ts";
import type { ResultSet, Statement } from "../store/store.ts";

/** A state of the database that stays the same. */
export interface SnapshotReads {
  read(statement: Statement): Promise<ResultSet>;
}

/** What the code of a cached function is known by; undefined when it was not declared. */
export type Version = string | number | undefined;

/** Cached functions by their names, with their versions. */
export type Uses = ReadonlyMap<string, Version>;

export const NO_USES: Uses = new Map();

/** What the runs on one snapshot have in common. */
export interface RunParts {
  readonly snapshot: SnapshotReads;
  /** Where the snapshot stands in the log; undefined when there is no log to go by. */
  readonly position: Position | undefined;
  /** The feed's epoch before the snapshot was taken. */
  readonly epoch: number;
  /** Whether it only checks what is kept: it takes nothing from there, and keeps nothing. */
  readonly isShadow: boolean;
  /** Notes in a run what a statement of it reads. */
  note(run: Run, statement: Statement): void;
}

const LOST =
  "It read nothing, while something was read that belongs to no cached function. If it reads by " +
  "way of a queue that calls it later, let it read with the query builder that it is given, or " +
  "keep its context with AsyncResource.bind().";

/** One run of a cached function. */
export class Run {
  readonly name: string;
  readonly #parts: RunParts;
  readonly #atoms: Atom[] = [];
  readonly #uses = new Map<string, Version>();
  readonly #readsOutside = readsOutside;
  #reason: string | undefined;
  #ended = false;

  constructor(name: string, parts: RunParts) {
    this.name = name;
    this.#parts = parts;
  }

  get position(): Position | undefined {
    return this.#parts.position;
  }

  get epoch(): number {
    return this.#parts.epoch;
  }

  get isShadow(): boolean {
    return this.#parts.isShadow;
  }

  /** Other cached functions whose code the result depends on, with their versions. */
  get uses(): Uses {
    return this.#uses;
  }

  /** A run within this one, on the same snapshot. */
  nested(name: string): Run {
    return new Run(name, this.#parts);
  }

  /** Whether its function has returned: what goes on in its context is not part of the result. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Why the result must not be kept; undefined when nothing speaks against it. */
  get reason(): string | undefined {
    const mayBeLost = this.#atoms.length === 0 && readsOutside !== this.#readsOutside;
    return this.#reason ?? (mayBeLost ? LOST : undefined);
  }

  get footprint(): Footprint {
    return unionOf([{ atoms: this.#atoms }]);
  }

  /** Reads from the snapshot, and notes what. */
  async read(statement: Statement): Promise<ResultSet> {
    this.#parts.note(this, statement);
    try {
      return await this.#parts.snapshot.read(statement);
    } catch (error) {
      // The function may go on without this read, and the next time it may not fail.
      this.refuse("A statement of it failed.");
      throw error;
    }
  }

  add({ atoms }: Footprint): void {
    this.#atoms.push(...atoms);
  }

  /** Notes that the result depends on the code of other cached functions. */
  use(uses: Iterable<readonly [string, Version]>): void {
    for (const [name, version] of uses) this.#uses.set(name, version);
  }

  refuse(reason: string): void {
    this.#reason ??= reason;
  }

  end(): void {
    this.#ended = true;
  }
}

const runs = new AsyncLocalStorage<Run>();
let readsOutside = 0;

/** Counts a read that belongs to no run. */
export function noteReadOutside(): void {
  readsOutside++;
}

/** The run that the calling code belongs to, if it is under way. */
export function currentRun(): Run | undefined {
  const run = runs.getStore();
  return run === undefined || run.ended ? undefined : run;
}

/** Calls `work` as part of a run, which ends with it. */
export async function within<T>(run: Run, work: () => Promise<T>): Promise<T> {
  try {
    return await runs.run(run, work);
  } finally {
    run.end();
  }
}
