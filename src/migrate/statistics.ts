/** Fresh statistics for the query planner after a migration: new tables and indexes have none. */

import { warn } from "../core/channels.ts";
import { messageOf } from "../core/errors.ts";
import { Connection } from "../sqlite/connection.ts";
import type { Session } from "../store/store.ts";
import { filePathOf } from "./file-path.ts";

/** Rows looked at for each index: SQLite's own advice for large tables, done in milliseconds. */
const ANALYSIS_LIMIT = 400;

/**
 * Runs ANALYZE with a limit, on a connection of its own because the limit is a setting of the
 * connection. A failure is a warning: the migration is done, only its plans are less informed.
 */
export async function refreshStatistics(session: Session): Promise<void> {
  const path = await filePathOf(session);
  if (path === undefined) return;
  try {
    const pragmas = ["busy_timeout = 1000", `analysis_limit = ${ANALYSIS_LIMIT}`];
    using connection = new Connection({ path, readOnly: false, pragmas });
    connection.control("ANALYZE");
  } catch (error) {
    warn("ANALYZE", `Statistics were not refreshed after the migration: ${messageOf(error)}`, {
      path,
    });
  }
}
