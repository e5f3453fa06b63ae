/**
 * What restored files, other Springhouses and programs without triggers do to the log. It comes in
 * transactions of its own: a write that was not logged shows only as long as no other one has come
 * after it.
 */

import type { Choices } from "../../../src/testing/coherence/choices.ts";

/** The statements of a transaction, with something done to the log beside. */
export function tampered(choices: Choices, statements: readonly string[]): readonly string[] {
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
