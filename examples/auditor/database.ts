/** Opens an auditor database. */

import { existsSync } from "node:fs";
import { open, SpringhouseError } from "springhouse";
import { ENTITIES, Week } from "./schema.ts";

/** An open auditor database. */
export type AuditorDatabase = Awaited<ReturnType<typeof open<typeof ENTITIES>>>;
/** A transaction on one. */
export type AuditorTransaction = Parameters<Parameters<AuditorDatabase["transaction"]>[0]>[0];

/** How long an import may hold the writer: a stuck disk should not hang a command for ever. */
export const IMPORT_DEADLINE = "10m";

/** Opens the file, and makes it with its tables when there is none. */
export function openAuditor(path: string): Promise<AuditorDatabase> {
  return open({ url: `sqlite:${path}`, entities: ENTITIES, schema: "create" });
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
  return [
    ...pages.rows.map((row) => String(row["integrity_check"])).filter((text) => text !== "ok"),
    ...references.rows.map((row) => `a row of ${row["table"]} refers to a missing one`),
    ...durations.rows.map((row) => `task ${row["id"]}: its events do not add up to its duration`),
  ];
}
