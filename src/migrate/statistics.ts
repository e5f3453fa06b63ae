/** Fresh statistics for the query planner after a migration: new tables and indexes have none. */

import { warn } from "../core/channels.ts";
import { isSpringhouseError, messageOf } from "../core/errors.ts";
import { Connection } from "../sqlite/connection.ts";
import type { Session } from "../store/store.ts";
import { filePathOf } from "./file-path.ts";
import { pause } from "./lock.ts";

/** Rows looked at for each index: SQLite's own advice for large tables, done in milliseconds. */
const ANALYSIS_LIMIT = 400;
/** Tries for the write lock, 20 ms apart; after a second of others' writes it is not worth more. */
const ATTEMPTS_MAX = 50;
const RETRY_MS = 20;

/**
 * Runs ANALYZE with a limit, on a connection of its own because the limit is a setting of the
 * connection. A failure is a warning: the migration is done, only its plans are less informed.
 */
export async function refreshStatistics(session: Session): Promise<void> {
  const path = await filePathOf(session);
  if (path === undefined) return;
  const pragmas = ["busy_timeout = 0", `analysis_limit = ${ANALYSIS_LIMIT}`];
  for (let attempt = 1; ; attempt++) {
    try {
      using connection = new Connection({ path, readOnly: false, pragmas });
      connection.control("ANALYZE");
      return;
    } catch (error) {
      if (isSpringhouseError(error, "BUSY") && attempt < ATTEMPTS_MAX) {
        await pause(RETRY_MS, undefined);
        continue;
      }
      const message = `Statistics were not refreshed after the migration: ${messageOf(error)}`;
      warn("ANALYZE", message, { path });
      return;
    }
  }
}
