/**
 * A gradual move from one backend to another, behind the interface that both have.
 *
 * A backend is a set of parts, one for each kind of thing, whose asynchronous methods read or
 * write. Each part goes through four stages, one configuration at a time:
 *
 * | stage | who answers | the other one |
 * |---|---|---|
 * | `old` | the old backend | is not touched |
 * | `shadow` | the old backend | is written as well; what it would answer is compared |
 * | `reversed` | the new backend | is written as well, so that there is a way back; compared |
 * | `new` | the new backend | is not touched |
 *
 * Who answers decides: its errors are the caller's, and what the other one gets wrong is counted,
 * reported and never seen by the caller. Comparisons run beside the caller; one that a write has
 * come in between proves nothing and counts as undecided.
 *
 * The technique is known as parallel run or shadow read; the four stages are those of Stripe's
 * "Online migrations at scale" (2017).
 */

import { AsyncLocalStorage } from "node:async_hooks";
import { assertFunction, assertMethods } from "../../core/arguments.ts";
import { warn } from "../../core/channels.ts";
import { messageOf, SpringhouseError } from "../../core/errors.ts";
import { refuseUnknownKeys } from "../../core/options.ts";
import {
  DualPart,
  MOVE_STAGES,
  type MovePartReport,
  type MoveProblem,
  type MoveStage,
} from "./dual-part.ts";

/** The methods of a part, by what they do. */
export interface PartMethods<Part> {
  readonly reads: readonly (keyof Part & string)[];
  readonly writes: readonly (keyof Part & string)[];
}

/** What keeps all parts, and changes several of them together or not at all. */
export type TransactionalBackend<Parts> = Parts & {
  withTransaction<T>(run: (parts: Parts) => Promise<T>): Promise<T>;
};

/** How to move. */
export interface DualWriteOptions<Parts> {
  /** What is moved from. */
  readonly old: TransactionalBackend<Parts>;
  /** What is moved to. It holds what the old one holds when a part leaves the stage `old`. */
  readonly next: TransactionalBackend<Parts>;
  /** The methods of each part; others are not offered. */
  readonly parts: { readonly [Name in keyof Parts]: PartMethods<Parts[Name]> };
  /** How far each part is. Default: `old`. */
  readonly stages?: { readonly [Name in keyof Parts]?: MoveStage };
  /** Told of what the follower gets wrong. Default: a warning on the channel of diagnostics. */
  readonly onProblem?: (problem: MoveProblem) => void;
}

/** How a move goes, by part. */
export type MoveReport<Parts> = { readonly [Name in keyof Parts]: MovePartReport };

/** The backend that an application works with during a move. */
export type DualBackend<Parts> = TransactionalBackend<Parts> & {
  /** What was compared and written since it was made. */
  moveReport(): MoveReport<Parts>;
  /** Resolves when everything that was begun is compared and written. */
  settled(): Promise<void>;
};

/** Writes that wait; beyond it a backend hangs, and memory would fill up with what it owes. */
const WRITES_WAITING_MAX = 1_000;

/**
 * One backend out of two.
 *
 * @throws `INVALID_ARGUMENT` for a stage or a part that there is not, or a method that a backend
 *   lacks.
 * @example
 * const backend = dualWrite<Repositories>({
 *   old: jsonFiles,
 *   next: database,
 *   parts: { profiles: { reads: ["get", "list"], writes: ["save", "delete"] } },
 *   stages: { profiles: "shadow" },
 * });
 * await backend.profiles.get("team"); // answered by the files, compared with the database
 */
export function dualWrite<Parts extends object>(
  options: DualWriteOptions<Parts>,
): DualBackend<Parts> {
  checkOptions(options);
  const move = new Move(options);
  return {
    ...move.parts(),
    withTransaction: (run) => move.transaction(run),
    moveReport: () => move.report(),
    settled: () => move.settled(),
  } as DualBackend<Parts>;
}

class Move<Parts extends object> {
  readonly #old: TransactionalBackend<Parts>;
  readonly #next: TransactionalBackend<Parts>;
  readonly #parts: ReadonlyMap<keyof Parts & string, DualPart>;
  /** Writes of parts that are in two places stand in one queue, so that both get one order. */
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  /** Whether the caller runs inside of a transaction, which every write would wait for. */
  readonly #inside = new AsyncLocalStorage<true>();

  constructor({ old, next, parts, stages = {}, onProblem = warnOf }: DualWriteOptions<Parts>) {
    this.#old = old;
    this.#next = next;
    this.#parts = new Map(
      namesOf(parts).map((name) => [
        name,
        new DualPart({
          name,
          stage: stages[name] ?? "old",
          methods: parts[name],
          old: partOf<Parts>(old, name),
          next: partOf<Parts>(next, name),
          onProblem,
          enqueue: (run) => this.#enqueue(run),
        }),
      ]),
    );
  }

  parts(): Parts {
    return this.#each((part) => part.facade()) as Parts;
  }

  report(): MoveReport<Parts> {
    return this.#each((part) => part.report()) as MoveReport<Parts>;
  }

  async settled(): Promise<void> {
    await this.#last;
    for (const part of this.#parts.values()) await part.settled();
  }

  /**
   * Runs a transaction of whoever answers; what it wrote is written to the other one when it is
   * committed. Parts of both backends in one transaction are two commits, the new backend's last.
   */
  async transaction<T>(run: (parts: Parts) => Promise<T>): Promise<T> {
    assertFunction("withTransaction: run", run);
    return await this.#enqueue(async () => {
      const ends = [...this.#parts.values()].map((part) => part.beginWrite());
      try {
        const leaders = new Set([...this.#parts.values()].map((part) => part.leader));
        const within = (places: Places<Parts>): Promise<T> =>
          run(
            this.#each((part, name) => part.recording(partOf(places[part.leader], name))) as Parts,
          );
        const result = await this.#inside.run(true, () => this.#lead(leaders, within));
        await this.#follow();
        return result;
      } finally {
        for (const part of this.#parts.values()) part.forget();
        for (const end of ends) end();
      }
    });
  }

  #lead<T>(
    leaders: ReadonlySet<"old" | "next">,
    run: (places: Places<Parts>) => Promise<T>,
  ): Promise<T> {
    if (!leaders.has("next")) return this.#old.withTransaction((old) => run({ old }));
    if (!leaders.has("old")) return this.#next.withTransaction((next) => run({ next }));
    return this.#next.withTransaction((next) =>
      this.#old.withTransaction((old) => run({ old, next })),
    );
  }

  /** Writes what a transaction has written to those that follow, in a transaction of theirs. */
  async #follow(): Promise<void> {
    for (const [follower, backend] of [
      ["old", this.#old],
      ["next", this.#next],
    ] as const) {
      const parts = [...this.#parts].filter(
        ([, part]) => part.follower === follower && part.hasRecorded,
      );
      if (parts.length === 0) continue;
      try {
        await backend.withTransaction(async (inside) => {
          for (const [name, part] of parts) await part.replay(partOf(inside, name));
        });
        for (const [, part] of parts) part.replayed();
      } catch (error) {
        for (const [, part] of parts) part.replayFailed(messageOf(error));
      }
    }
  }

  #enqueue<T>(run: () => Promise<T>): Promise<T> {
    if (this.#inside.getStore() === true) {
      const message =
        "A write through the backend inside of its own transaction would wait for itself. Write " +
        "through the parts that the function was given.";
      throw new SpringhouseError("TRANSACTION_REENTRY", message);
    }
    if (this.#waiting >= WRITES_WAITING_MAX) {
      const message = `${WRITES_WAITING_MAX} writes wait for one of the two backends, which hangs.`;
      throw new SpringhouseError("BULKHEAD_FULL", message);
    }
    this.#waiting++;
    const next = this.#last.then(run).finally(() => this.#waiting--);
    this.#last = next.catch(() => undefined);
    return next;
  }

  #each<T>(make: (part: DualPart, name: keyof Parts & string) => T): Record<string, T> {
    return Object.fromEntries([...this.#parts].map(([name, part]) => [name, make(part, name)]));
  }
}

/** The backends that take part in a transaction. */
type Places<Parts> = { readonly [Side in "old" | "next"]?: Parts };

function partOf<Parts>(parts: Parts | undefined, name: keyof Parts): object {
  return parts?.[name] as object;
}

function namesOf<Parts extends object>(parts: Parts): (keyof Parts & string)[] {
  return Object.keys(parts) as (keyof Parts & string)[];
}

function warnOf({ part, method, kind, detail }: MoveProblem): void {
  const message = `The backend that follows is wrong about ${part}.${method}: ${kind}, ${detail}`;
  warn("MOVE_PROBLEM", message, { part, method, kind });
}

function checkOptions<Parts extends object>(options: DualWriteOptions<Parts>): void {
  refuseUnknownKeys(options, ["old", "next", "parts", "stages", "onProblem"], "dualWrite");
  const { old, next, parts, stages = {}, onProblem } = options;
  if (onProblem !== undefined) assertFunction("dualWrite: onProblem", onProblem);
  refuseUnknownKeys(stages, Object.keys(parts), "dualWrite: stages");
  for (const [name, stage] of Object.entries(stages)) {
    if (MOVE_STAGES.includes(stage as MoveStage)) continue;
    const stages = MOVE_STAGES.join(", ");
    const message = `dualWrite: ${name} is at "${stage}". The stages are ${stages}.`;
    throw new SpringhouseError("INVALID_ARGUMENT", message, { fields: { name } });
  }
  for (const [place, backend] of [
    ["old", old],
    ["next", next],
  ] as const) {
    assertMethods(`dualWrite: ${place}`, "a backend", backend, ["withTransaction"]);
    for (const name of namesOf(parts)) {
      const { reads, writes } = parts[name];
      assertMethods(`dualWrite: ${place}.${name}`, "a part", backend[name], [...reads, ...writes]);
    }
  }
}
