/**
 * `PRAGMA quick_check` reads every page of the database, so it is run now and then, and its outcome
 * is kept in the database: in `springhouse_meta`, where the next process finds it.
 */

import type { Clock } from "../core/clock.ts";
import { isSpringhouseError } from "../core/errors.ts";
import { checkMessages } from "../migrate/integrity.ts";
import { CREATE_META, setMeta } from "../migrate/meta.ts";
import type { CallOptions } from "../store/store.ts";
import type { HealthDatabase } from "./sources.ts";

/** What a `quick_check` found. */
export interface QuickCheck {
  /** When it ended, in milliseconds since 1970. */
  readonly atMs: number;
  readonly ms: number;
  /** How many it complained about; 0 for a sound file. */
  readonly problems: number;
}

const KEY = "quick_check";
const CHECK = "PRAGMA quick_check";
const HAS_META = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'springhouse_meta'";
const SELECT = "SELECT value FROM springhouse_meta WHERE key = ?";

/**
 * Runs it on a reader thread. That reader keeps its snapshot meanwhile, and cannot be stopped: the
 * signal ends only the waiting for it.
 */
export async function runQuickCheck(
  database: HealthDatabase,
  clock: Clock,
  options: CallOptions = {},
): Promise<QuickCheck> {
  const startMs = clock.monotonicMs();
  const problems = await countProblems(database, options);
  const check = { atMs: clock.nowMs(), ms: clock.monotonicMs() - startMs, problems };
  if (!database.vitals().readOnly) {
    await database.write([CREATE_META, setMeta(KEY, JSON.stringify(check))]);
  }
  return check;
}

async function countProblems(database: HealthDatabase, options: CallOptions): Promise<number> {
  try {
    const { rows } = await database.read({ sql: CHECK, parameters: [] }, options);
    return checkMessages(rows).length;
  } catch (error) {
    // Some damage the check does not survive itself.
    if (isSpringhouseError(error, "CORRUPT")) return 1;
    throw error;
  }
}

/** The last one that was kept; undefined when there is none. */
export async function lastQuickCheck(database: HealthDatabase): Promise<QuickCheck | undefined> {
  const { rows: found } = await database.read({ sql: HAS_META, parameters: [] });
  if (found.length === 0) return undefined;
  const { rows } = await database.read({ sql: SELECT, parameters: [KEY] });
  const text = rows[0]?.[0];
  return typeof text === "string" ? (JSON.parse(text) as QuickCheck) : undefined;
}
