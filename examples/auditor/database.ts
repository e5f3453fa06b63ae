/** Opens an auditor database. */

import { existsSync } from "node:fs";
import {
  type CachedQuery,
  type CachingOptions,
  open,
  SpringhouseError,
  type TablesOf,
} from "springhouse";
import { ROLLUPS, WEEK_STATISTICS } from "./rollups.ts";
import { ENTITIES, Week } from "./schema.ts";

/** An open auditor database. */
export type AuditorDatabase = Awaited<ReturnType<typeof openTables>>;
/** What its cached functions read with. */
export type AuditorQuery = CachedQuery<TablesOf<readonly [...typeof ENTITIES, ...typeof ROLLUPS]>>;
/** A transaction on one. */
export type AuditorTransaction = Parameters<Parameters<AuditorDatabase["transaction"]>[0]>[0];

/** How long an import may hold the writer: a stuck disk should not hang a command for ever. */
export const IMPORT_DEADLINE = "10m";

/** Opens the file, and makes it with its tables when there is none. */
export async function openAuditor(
  path: string,
  cache: CachingOptions = {},
): Promise<AuditorDatabase> {
  const db = await openTables(path, cache);
  try {
    await makeView(db);
    return db;
  } catch (error) {
    await db.close();
    throw error;
  }
}

function openTables(path: string, cache: CachingOptions) {
  return open({
    url: `sqlite:${path}`,
    entities: ENTITIES,
    rollups: ROLLUPS,
    schema: "create",
    cache,
  });
}

/** Makes the view `week_statistics`, also anew when this program has another one. */
async function makeView(db: AuditorDatabase): Promise<void> {
  const find = "SELECT sql FROM sqlite_schema WHERE type = 'view' AND name = 'week_statistics'";
  const isMade = (rows: readonly Record<string, unknown>[]): boolean =>
    rows[0]?.["sql"] === WEEK_STATISTICS;
  if (isMade((await db.execute(find)).rows)) return;
  await db.transaction(async (tx) => {
    // Another process may have been first.
    if (isMade((await tx.execute(find)).rows)) return;
    await tx.execute("DROP VIEW IF EXISTS week_statistics");
    await tx.execute(WEEK_STATISTICS);
  });
}

/**
 * Opens a file that is there.
 *
 * @throws `UNOPENABLE` when it is not, so that a misspelt name does not become a new database.
 */
export function openExisting(path: string): Promise<AuditorDatabase> {
  if (!existsSync(path)) {
    throw new SpringhouseError(
      "UNOPENABLE",
      `There is no database ${path}. Make one with "import" or "migrate-legacy", or give --db.`,
      { fields: { path } },
    );
  }
  return openAuditor(path);
}

/** The id of a week by its label; the week is made when there is none. */
export async function weekIdOf(tx: AuditorTransaction, label: string): Promise<number> {
  const weeks = tx.repository(Week);
  const [found] = await weeks.list({ where: { label }, limit: 1 });
  return (found ?? (await weeks.create({ label }))).id;
}

/** The id that the next task gets. */
export async function nextTaskId(tx: AuditorTransaction): Promise<number> {
  const { rows } = await tx.execute("SELECT coalesce(max(id), 0) + 1 AS id FROM tasks");
  return Number(rows[0]?.["id"]);
}

/** What is wrong with a file, after all that SQLite and the auditor know; empty when nothing is. */
export async function checkIntegrity(db: AuditorDatabase): Promise<string[]> {
  const pages = await db.execute("PRAGMA integrity_check");
  const references = await db.execute("PRAGMA foreign_key_check");
  const durations = await db.execute(`
    SELECT t.id FROM tasks t
    LEFT JOIN (SELECT task_id, sum(duration_change) AS s FROM task_events GROUP BY task_id) e
      ON e.task_id = t.id
    WHERE t.duration_seconds <> coalesce(e.s, 0)`);
  const rollups = await db.rollups.verify();
  return [
    ...pages.rows.map((row) => String(row["integrity_check"])).filter((text) => text !== "ok"),
    ...references.rows.map((row) => `a row of ${row["table"]} refers to a missing one`),
    ...durations.rows.map((row) => `task ${row["id"]}: its events do not add up to its duration`),
    ...rollups.filter(({ ok }) => !ok).map(({ name }) => `${name} differs from a recount`),
  ];
}
