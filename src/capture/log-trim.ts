/**
 * Keeping the log short: the oldest rows go, in chunks that hold no writer up for long. What the
 * bound is, in rows or by age, the caller knows; the last row always stays, so that a sequence is
 * never given twice.
 */

import type { Statement } from "../core/statement.ts";
import { ADD_TICK } from "./log-tables.ts";

/** Deletes at most `rowsMax` rows up to a sequence, and says by a tick that it was us. */
export function trimLog(upTo: number, rowsMax: number): readonly Statement[] {
  return [
    { sql: TRIM, parameters: [upTo, rowsMax] },
    { sql: ADD_TICK, parameters: [] },
  ];
}

/** The lowest and the highest sequence: the rows between, less one, are at most the difference. */
export const SELECT_EXTENT = "SELECT min(seq), max(seq) FROM springhouse_log";

const TRIM = `DELETE FROM springhouse_log WHERE seq IN (
  SELECT seq FROM springhouse_log
  WHERE seq <= ? AND seq < (SELECT max(seq) FROM springhouse_log) ORDER BY seq LIMIT ?)`;
