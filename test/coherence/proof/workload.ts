/**
 * The workload of the proof: questions by Kysely and as plain SQL, and writes that know of the log
 * and do to it what restored files, other Springhouses and programs without triggers do. These come
 * alone: a write that was not logged shows only as long as no other one has come after it.
 *
 * Each case is rich in something, so that rare things meet each other somewhere.
 */

import type { Choices } from "../../../src/testing/coherence/choices.ts";
import type { ProofTable } from "../../../src/testing/coherence/proof-table.ts";
import { randomTrigger } from "../../../src/testing/coherence/random-schema.ts";
import {
  type CoherenceWorkload,
  RANDOM_WORKLOAD,
} from "../../../src/testing/coherence/workload.ts";
import { kyselyQuery } from "./kysely-queries.ts";

/** What is asked. */
export type Questions = "kysely" | "text" | "mixed";

/** What a case is rich in. */
export type Emphasis = "nothing" | "tampering" | "triggers" | "races";

export const EMPHASES: readonly Emphasis[] = ["nothing", "tampering", "triggers", "races"];

const KYSELY_SHARE: Readonly<Record<Questions, number>> = { kysely: 1, text: 0, mixed: 0.8 };
/** Probability that a transaction of others does something to the log. */
const TAMPERING = 0.06;
const MUCH_TAMPERING = 0.4;

/** See above. */
export function proofWorkload(questions: Questions, emphasis: Emphasis): CoherenceWorkload {
  const tampering = emphasis === "tampering" ? MUCH_TAMPERING : TAMPERING;
  return {
    ...RANDOM_WORKLOAD,
    ...(emphasis === "triggers" ? { ddl: moreTriggers } : {}),
    query: (choices, tables) => {
      const hasTable = tables.some(({ kind }) => kind === "table");
      const isByKysely = hasTable && choices.chance(KYSELY_SHARE[questions]);
      return isByKysely ? kyselyQuery(choices, tables) : RANDOM_WORKLOAD.query(choices, tables);
    },
    commitAlone: (choices, tables, by) => {
      const statements = RANDOM_WORKLOAD.commit(choices, tables, by);
      return by === "others" && choices.chance(tampering)
        ? tampered(choices, statements)
        : statements;
    },
  };
}

/** Another trigger in the place of those of a table, so that not all of them meet. */
function moreTriggers(choices: Choices, all: readonly ProofTable[]): readonly string[] {
  const tables = all.filter(({ kind }) => kind === "table");
  const table = choices.one(tables);
  if (table === undefined) return [];
  const { name, triggers } = table;
  const dropped = triggers.map((trigger) => `DROP TRIGGER "${trigger}"`);
  const names = tables.map((other) => other.name);
  return [...dropped, randomTrigger(choices, `n${choices.below(1_000)}`, name, names)];
}

function tampered(choices: Choices, statements: readonly string[]): readonly string[] {
  return choices.one([trimmed, muted, rewritten])(statements);
}

/** Another Springhouse trims the log down to its last row. */
function trimmed(statements: readonly string[]): readonly string[] {
  return [
    ...statements,
    "DELETE FROM springhouse_log WHERE seq < (SELECT max(seq) FROM springhouse_log)",
  ];
}

/** Nothing is logged, as when triggers are switched off. */
function muted(statements: readonly string[]): readonly string[] {
  return [
    `CREATE TEMP TRIGGER mute BEFORE INSERT ON main.springhouse_log
      BEGIN SELECT RAISE(IGNORE); END`,
    ...statements,
    "DROP TRIGGER IF EXISTS mute",
  ];
}

/** A history of the same length and another content, as in a file that was restored by hand. */
function rewritten(statements: readonly string[]): readonly string[] {
  const tick = "INSERT INTO springhouse_log (shape, kind) VALUES (0, 0)";
  return [
    "CREATE TEMP TABLE IF NOT EXISTS former (seq)",
    "DELETE FROM former",
    "INSERT INTO former SELECT max(seq) FROM springhouse_log",
    ...statements,
    tick,
    // The last row that was known goes, the new ones move down to it and one beyond.
    "DELETE FROM springhouse_log WHERE seq <= (SELECT seq FROM former)",
    `UPDATE springhouse_log SET seq = seq - (SELECT max(seq) FROM springhouse_log)
      + (SELECT seq FROM former) + 1`,
  ];
}
