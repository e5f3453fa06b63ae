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
      const random = RANDOM_WORKLOAD.commit(choices, tables, by);
      const statements = emphasis === "triggers" ? replacing(choices, random) : random;
      return by === "others" && choices.chance(tampering)
        ? tampered(choices, statements)
        : statements;
    },
  };
}

/** Inserts that delete what is in their way. */
function replacing(choices: Choices, statements: readonly string[]): readonly string[] {
  return statements.map((sql) => {
    const isMade = choices.chance(0.6) && !sql.includes("ON CONFLICT");
    return isMade ? sql.replace(/^INSERT(?: OR [A-Z]+)? INTO/, "REPLACE INTO") : sql;
  });
}

/** Another trigger in the place of those of a table, so that not all of them meet. */
function moreTriggers(choices: Choices, all: readonly ProofTable[]): readonly string[] {
  const tables = all.filter(({ kind }) => kind === "table");
  const table = choices.one(tables);
  if (table === undefined) return [];
  const { name, triggers } = table;
  const dropped = triggers.map((trigger) => `DROP TRIGGER "${trigger}"`);
  const names = tables.map((other) => other.name);
  const fresh = `n${choices.below(1_000)}`;
  const event = choices.one(["INSERT", "UPDATE", "DELETE"]);
  const made = choices.one([
    // Moves a row into the way of one that comes.
    `CREATE TRIGGER ${fresh} BEFORE INSERT ON "${name}"
      BEGIN UPDATE OR IGNORE "${name}" SET k = NEW.k WHERE k > 0; END`,
    // Keeps all triggers that come after it from being told.
    `CREATE TRIGGER ${fresh} AFTER ${event} ON "${name}" BEGIN SELECT RAISE(IGNORE); END`,
    randomTrigger(choices, fresh, name, names),
  ]);
  return [...dropped, made];
}

function tampered(choices: Choices, statements: readonly string[]): readonly string[] {
  return choices.one([trimmed, muted, rewritten])(statements);
}

const TICK = "INSERT INTO springhouse_log (shape, kind) VALUES (0, 0)";

/** Another Springhouse trims the log down to its last row, which says no more than that. */
function trimmed(statements: readonly string[]): readonly string[] {
  return [
    ...statements,
    TICK,
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

/**
 * A history of the same length and another content, as in a file that was restored by hand. It
 * shows by the mark of the last row; where that has none, the log stays as it is.
 */
function rewritten(statements: readonly string[]): readonly string[] {
  return [
    "CREATE TEMP TABLE IF NOT EXISTS former (seq)",
    "DELETE FROM former",
    `INSERT INTO former SELECT seq FROM (
      SELECT seq, nonce FROM springhouse_log ORDER BY seq DESC LIMIT 1) WHERE nonce IS NOT NULL`,
    ...statements,
    TICK,
    // The last row that was known goes, the new ones move down to it and one beyond.
    "DELETE FROM springhouse_log WHERE seq <= (SELECT seq FROM former)",
    `UPDATE springhouse_log SET seq = seq - (SELECT max(seq) FROM springhouse_log)
      + (SELECT seq FROM former) + 1`,
  ];
}
