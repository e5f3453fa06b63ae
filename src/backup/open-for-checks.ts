/** A database file of ours alone, opened to look at everything in it and to change nothing. */

import type { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import { nodeSqlite } from "../core/node-sqlite.ts";

/** Pages kept while checks jump between tables and indexes, in KiB as SQLite wants it. */
const CACHE = -64_000;

/**
 * Opens it as immutable: nobody else has it, so SQLite needs neither locks nor a write-ahead log
 * beside it. Rows come as arrays.
 */
export function openForChecks(path: string): DatabaseSync {
  const url = pathToFileURL(path);
  url.searchParams.set("immutable", "1");
  const { DatabaseSync } = nodeSqlite();
  const database = new DatabaseSync(url, { readOnly: true, returnArrays: true });
  database.exec(`PRAGMA cache_size = ${CACHE}; PRAGMA trusted_schema = OFF`);
  return database;
}
