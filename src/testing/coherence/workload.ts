/** What the proof asks and writes. Every part can be replaced by one's own. */

import type { CommitStep, RaceEvent } from "./case.ts";
import type { Choices } from "./choices.ts";
import type { ProofTable } from "./proof-table.ts";
import { randomCommit } from "./random-commit.ts";
import { randomDdl } from "./random-ddl.ts";
import { randomQuery } from "./random-query.ts";
import { randomSchema } from "./random-schema.ts";
import type { CoherenceQuery } from "./subject.ts";

/** Makes the parts of a case; the same choices must give the same parts. */
export interface CoherenceWorkload {
  /** Statements that make the tables. */
  schema(choices: Choices): readonly string[];
  /** One question to the tables and views as they stand. */
  query(choices: Choices, tables: readonly ProofTable[]): CoherenceQuery;
  /** The statements of one transaction. */
  commit(choices: Choices, tables: readonly ProofTable[], by: CommitStep["by"]): readonly string[];
  /** The same for one that nothing happens beside. Default: as any other. */
  commitAlone?(
    choices: Choices,
    tables: readonly ProofTable[],
    by: CommitStep["by"],
  ): readonly string[];
  /** The same for one that changes the schema. Default: the schema stays as it is. */
  ddl?(choices: Choices, tables: readonly ProofTable[]): readonly string[];
}

/** Random schemas, questions and transactions. */
export const RANDOM_WORKLOAD: CoherenceWorkload = {
  schema: (choices) => [
    ...(choices.chance(0.5) ? ["PRAGMA recursive_triggers = ON"] : []),
    ...randomSchema(choices),
  ],
  query: randomQuery,
  commit: randomCommit,
  ddl: randomDdl,
};

/** Which of the workload's commits come by whom. */
export interface Writers {
  readonly others: boolean;
}

/** One of the two writers. */
export function randomWriter(choices: Choices, { others }: Writers): CommitStep["by"] {
  return others && choices.chance(0.5) ? "others" : "own";
}

/** Queries that meet commits in one race. */
const QUERIES = 8;
/** So many turns of the event loop are about as long as a read takes. */
const TURNS_MAX = 200;
/** A change of the schema that changes no result: a cache that is in doubt drops everything. */
const FLUSH = ["DROP VIEW IF EXISTS flushed", "CREATE VIEW flushed AS SELECT 1 AS one"];

/** What a race is made of. */
export interface RaceParts extends Writers {
  readonly numbers: readonly number[];
  readonly mayFlush: boolean;
  commit(by: CommitStep["by"]): CommitStep;
}

/** A race of some queries with a few commits. */
export function randomRace(choices: Choices, parts: RaceParts): readonly RaceEvent[] {
  const queries = Array.from({ length: QUERIES }, () => choices.one(parts.numbers));
  const some = queries.slice(0, 3 + choices.below(4));
  if (choices.chance(0.3)) return overtaken(choices, parts, queries);
  const events: RaceEvent[] = [];
  if (parts.mayFlush && choices.chance(0.4)) {
    events.push({ kind: "commit", by: randomWriter(choices, parts), statements: FLUSH });
  }
  for (let left = 2 + choices.below(3); left > 0; left--) {
    events.push({ kind: "read", queries });
    if (choices.chance(0.5)) events.push({ kind: "together", queries: some });
    if (choices.chance(0.8)) events.push({ kind: "turns", count: randomTurns(choices) });
    const by = randomWriter(choices, parts);
    const { statements } = parts.commit(by);
    // One statement can be written without a word between: then the event loop may stand still.
    const isShort = by === "own" && choices.chance(0.7);
    events.push({ kind: "commit", by, statements: isShort ? statements.slice(0, 1) : statements });
    if (by === "own" && choices.chance(0.6)) events.push({ kind: "stall", queries });
    if (choices.chance(0.3)) events.push({ kind: "turns", count: randomTurns(choices) });
    events.push({ kind: "read", queries });
  }
  return events;
}

/**
 * Queries that are read as one state, one after the other, while others read them from behind at a
 * newer one.
 */
function overtaken(
  choices: Choices,
  parts: RaceParts,
  queries: readonly number[],
): readonly RaceEvent[] {
  const events: RaceEvent[] = [];
  for (let left = 2 + choices.below(3); left > 0; left--) {
    events.push(parts.commit(randomWriter(choices, parts)));
    events.push({ kind: "turns", count: randomTurns(choices) });
    events.push({ kind: "together", queries });
    events.push({ kind: "turns", count: randomTurns(choices) });
    events.push(parts.commit(randomWriter(choices, parts)));
    if (choices.chance(0.5)) events.push({ kind: "turns", count: randomTurns(choices) });
    events.push({ kind: "read", queries: queries.toReversed() });
  }
  return events;
}

/** As often a few as many. */
function randomTurns(choices: Choices): number {
  return Math.ceil(TURNS_MAX ** choices.fraction());
}
