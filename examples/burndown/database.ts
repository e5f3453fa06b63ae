/** Opens a burndown database. */

import { open } from "springhouse";
import { ENTITIES } from "./schema.ts";
import { makeViews } from "./views.ts";

/** An open burndown database. */
export type BurndownDatabase = Awaited<ReturnType<typeof openTables>>;
/** A transaction on one. */
export type BurndownTransaction = Parameters<Parameters<BurndownDatabase["transaction"]>[0]>[0];

/** Opens the file, and makes it with its tables and views when there is none. */
export async function openDatabase(path: string): Promise<BurndownDatabase> {
  const db = await openTables(path);
  try {
    await makeViews(db);
    return db;
  } catch (error) {
    await db.close();
    throw error;
  }
}

function openTables(path: string) {
  // The origin's timeout of a connection, in seconds, was 10 as well.
  return open({ url: `sqlite:${path}`, entities: ENTITIES, schema: "create", busyTimeout: "10s" });
}

/** What is wrong with a file after all that SQLite knows; empty when nothing is. */
export async function checkIntegrity(db: BurndownDatabase): Promise<string[]> {
  const pages = await db.execute("PRAGMA integrity_check");
  const references = await db.execute("PRAGMA foreign_key_check");
  return [
    ...pages.rows.map((row) => String(row["integrity_check"])).filter((text) => text !== "ok"),
    ...references.rows.map((row) => `a row of ${row["table"]} refers to a missing one`),
  ];
}
