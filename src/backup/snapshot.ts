/**
 * A copy of a database as it is at one moment, page by page, while others write to it.
 *
 * SQLite's backup begins anew whenever another connection commits, and under writes never ends. In
 * a read transaction its source stands still, so it ends, after as long as on an idle database. The
 * transaction lasts for the copy alone: what hashes and compresses reads the copy, so that the
 * write-ahead log can be taken back soon.
 */

import { basename } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { SELECT_POSITION, toPosition } from "../capture/log-rows.ts";
import { HAS_LOG } from "../capture/log-tables.ts";
import { isSpringhouseError } from "../core/errors.ts";
import { nodeSqlite } from "../core/node-sqlite.ts";
import { toSpringhouseError } from "../sqlite/errors.ts";
import { createPrivately, syncFile } from "../sqlite/files.ts";
import type { DatabaseFacts, LogPlace } from "./manifest.ts";
import type { Progress } from "./protocol.ts";

/** 4 MB with usual pages: few steps, and often enough for a line of progress. */
const PAGES_PER_STEP = 1_000;
/** Another process may be recovering the log, or closing. */
const BUSY_TIMEOUT_MS = 5_000;

/** Copies the file; the copy is on disk when the promise resolves. */
export async function copyDatabase(
  database: string,
  to: string,
  onProgress: (progress: Progress) => void,
): Promise<DatabaseFacts> {
  const { DatabaseSync } = nodeSqlite();
  try {
    using source = new DatabaseSync(database, { readOnly: true });
    source.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
    return await copyFrom(source, database, to, onProgress);
  } catch (error) {
    throw toSpringhouseError(error, { path: database });
  }
}

/** The same from a connection that is open already. */
export async function copyFrom(
  source: DatabaseSync,
  database: string,
  to: string,
  onProgress: (progress: Progress) => void,
): Promise<DatabaseFacts> {
  const { backup } = nodeSqlite();
  source.exec("BEGIN");
  try {
    // It takes a read to pin the snapshot.
    const facts = factsOf(source, database);
    createPrivately(to);
    await backup(source, to, {
      rate: PAGES_PER_STEP,
      progress: ({ totalPages, remainingPages }) => {
        // Step by step, like `steadyFile`: others' commits would wait for the whole of it.
        syncFile(to);
        const done = (totalPages - remainingPages) * facts.pageSizeBytes;
        onProgress({ step: "copy", done, total: facts.sizeBytes, unit: "bytes" });
      },
    });
    source.exec("COMMIT");
    syncFile(to);
    return facts;
  } catch (error) {
    const known = toSpringhouseError(error, { path: to });
    // What is damaged is the source: the copy is only being made.
    throw isDamage(known) ? toSpringhouseError(error, { path: database }) : known;
  }
}

function factsOf(source: DatabaseSync, path: string): DatabaseFacts {
  const ask = (sql: string): unknown => Object.values(source.prepare(sql).get() ?? {})[0];
  const pageSizeBytes = Number(ask("PRAGMA page_size"));
  const log = logPlaceOf(source);
  return {
    file: basename(path),
    sizeBytes: Number(ask("PRAGMA page_count")) * pageSizeBytes,
    pageSizeBytes,
    schemaVersion: Number(ask("PRAGMA schema_version")),
    migration: hasTable(source, "schema_migrations")
      ? Number(ask("SELECT max(version) FROM schema_migrations") ?? 0)
      : 0,
    sqliteVersion: String(ask("SELECT sqlite_version()")),
    ...(log !== undefined && { log }),
  };
}

function logPlaceOf(source: DatabaseSync): LogPlace | undefined {
  if (source.prepare(HAS_LOG).get() === undefined) return undefined;
  const statement = source.prepare(SELECT_POSITION);
  statement.setReadBigInts(true);
  const row = statement.get();
  return row === undefined ? undefined : toPosition(Object.values(row));
}

function hasTable(source: DatabaseSync, name: string): boolean {
  const sql = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?";
  return source.prepare(sql).get(name) !== undefined;
}

/** Whether SQLite cannot read the file as a database. */
export function isDamage(error: unknown): boolean {
  return isSpringhouseError(error, "CORRUPT") || isSpringhouseError(error, "NOT_A_DATABASE");
}
