/** The checks of `doctor`, each a question with an answer and what to do about it. */

import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  openSync,
  readSync,
  type Stats,
  statSync,
} from "node:fs";
import { dirname } from "node:path";
import { formatBytes } from "../core/bytes.ts";
import { messageOf } from "../core/errors.ts";
import type { Catalog } from "../schema/catalog.ts";
import type { DatabaseFacts } from "../sqlite/describe.ts";
import type { Session } from "../store/store.ts";
import { supportsNode } from "./version.ts";

/** One line of the report. */
export interface Check {
  readonly name: string;
  readonly status: "ok" | "warn" | "fail";
  readonly found: string;
  /** What to do; only when something is to be done. */
  readonly advice?: string;
}

/** A log beyond this is held open by a reader; our own checkpoints cut it at the same size. */
const WAL_BYTES_MAX = 64 * 1_024 * 1_024;
/** With a larger share of free pages, a VACUUM makes the file notably smaller. */
const FREE_SHARE_MAX = 0.25;
/** The header of a database file, and the byte that says how to read it; see fileformat2.html. */
const HEADER_BYTES = 100;
const MAGIC = "SQLite format 3\0";
const READ_VERSION_AT = 19;
const WAL_VERSION = 2;
/** Enough to see what kind of damage it is. */
const PROBLEMS_MAX = 5;

/** Whether this Node.js is one that the package supports. */
export function checkNode(version: string): Check {
  const name = "Node.js";
  if (supportsNode(version)) return { name, status: "ok", found: version };
  return { name, status: "fail", found: version, advice: "Install Node.js 24.15 or newer." };
}

/** Whether the SQLite library is one that cannot corrupt a write-ahead log. */
export async function checkSqlite(): Promise<Check> {
  const { assertSafeSqlite, sqliteVersion } = await import("../sqlite/engine.ts");
  const version = sqliteVersion();
  const name = "SQLite";
  try {
    assertSafeSqlite(version);
    return { name, status: "ok", found: version };
  } catch (error) {
    return { name, status: "fail", found: version, advice: messageOf(error) };
  }
}

/** Whether there is a database file, and that nobody else may read it. */
export function checkFile(path: string): Check[] {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) {
    const folder = dirname(path);
    if (!existsSync(folder)) {
      const missing = `the folder ${folder} does not exist`;
      return [{ name: "file", status: "fail", found: missing, advice: `Run: mkdir -p ${folder}` }];
    }
    const advice = "Run: npx springhouse migrate up. It makes the file.";
    return [{ name: "file", status: "warn", found: `${path} does not exist yet`, advice }];
  }
  if (!stats.isFile()) {
    const advice = "Give a path to a file in database.url.";
    return [{ name: "file", status: "fail", found: `${path} is not a file`, advice }];
  }
  const found = `${path}, ${formatBytes(stats.size)}`;
  return [{ name: "file", status: "ok", found }, checkPermissions(path, stats)];
}

function checkPermissions(path: string, stats: Stats): Check {
  const name = "permissions";
  const mode = (stats.mode & 0o777).toString(8).padStart(4, "0");
  const logs = [`${path}-wal`, `${path}-shm`].filter((log) => existsSync(log));
  for (const place of [path, ...logs, dirname(path)]) {
    if (mayUse(place)) continue;
    const advice =
      "Give this user the right to read and write the file, the files -wal and -shm beside it, " +
      "and its folder.";
    return { name, status: "fail", found: `${place} cannot be written`, advice };
  }
  // What is no database is none of ours: nobody should change the mode of /etc/passwd.
  const isOurs = stats.size === 0 || readHeader(path).toString("latin1").startsWith(MAGIC);
  if ((stats.mode & 0o077) === 0 || !isOurs) return { name, status: "ok", found: mode };
  return {
    name,
    status: "warn",
    found: `${mode}: others may read it`,
    advice: `chmod 600 ${path}`,
  };
}

function mayUse(path: string): boolean {
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** How the file is kept: its journal, its free pages, its write-ahead log. */
export function checkKeeping(facts: DatabaseFacts): Check[] {
  return [checkJournal(facts), checkPages(facts), checkLog(facts)];
}

function checkJournal({ path, settings }: DatabaseFacts): Check {
  const name = "journal";
  const found = isKeptWithLog(path) ? "wal" : String(settings["journal_mode"]);
  if (found === "wal") return { name, status: "ok", found };
  const advice = "Opening it once for writing changes it to wal.";
  return { name, status: "warn", found, advice };
}

/**
 * Whether the file itself says that it has a write-ahead log. In a folder where none can be made,
 * SQLite reads the file without one and calls its journal another.
 */
function isKeptWithLog(path: string): boolean {
  return readHeader(path)[READ_VERSION_AT] === WAL_VERSION;
}

function readHeader(path: string): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  const file = openSync(path, "r");
  try {
    readSync(file, header);
  } finally {
    closeSync(file);
  }
  return header;
}

function checkPages({ settings, pages, pageSizeBytes, freePages }: DatabaseFacts): Check {
  const name = "pages";
  const found = `${settings["encoding"]}, ${pages} of ${pageSizeBytes} bytes, ${freePages} free`;
  if (freePages <= pages * FREE_SHARE_MAX) return { name, status: "ok", found };
  const advice = `VACUUM would give back ${formatBytes(freePages * pageSizeBytes)}.`;
  return { name, status: "warn", found, advice };
}

function checkLog({ walBytes, log }: DatabaseFacts): Check {
  const name = "write-ahead log";
  const waiting = Math.max(0, log.frames - log.checkpointed);
  const found = `${formatBytes(walBytes)}, ${waiting} pages not in the file yet`;
  if (walBytes <= WAL_BYTES_MAX) return { name, status: "ok", found };
  const advice = "A reader keeps an old snapshot. Find the process and let it end.";
  return { name, status: "warn", found, advice };
}

/** Triggers of the file, compared with the entities when these are known. */
export async function checkTriggers(session: Session, catalog?: Catalog): Promise<Check> {
  const name = "triggers";
  const { introspect } = await import("../migrate/introspect.ts");
  const { canonicalObject } = await import("../migrate/normalise.ts");
  const { objects } = await introspect(session);
  const there = new Map(
    objects
      .filter(({ kind }) => kind === "trigger")
      .map((trigger) => [trigger.name, canonicalObject(trigger.sql)]),
  );
  if (catalog === undefined) return { name, status: "ok", found: `${there.size} in the file` };
  const { physicalSchema } = await import("../schema/ddl.ts");
  const wrong = physicalSchema(catalog, "sqlite")
    .objects.filter(({ kind }) => kind === "trigger")
    .filter((trigger) => there.get(trigger.name) !== canonicalObject(trigger.sql))
    .map((trigger) => `${trigger.name} is ${there.has(trigger.name) ? "altered" : "missing"}`);
  if (wrong.length === 0) {
    return { name, status: "ok", found: `${there.size}, all declared ones as they should be` };
  }
  const advice = "Run: npx springhouse migrate plan. It shows what brings them back.";
  return { name, status: "fail", found: firstOf(wrong), advice };
}

/** Whether opening the file with these entities and these migrations would succeed. */
export async function checkEntities(
  session: Session,
  catalog: Catalog,
  directory: string,
): Promise<Check> {
  const name = "entities";
  const { openingProblem } = await import("../migrate/compare.ts");
  const { readFolder } = await import("../migrate/folder.ts");
  const { declaredSchema, hashOf } = await import("../migrate/schema.ts");
  const desired = declaredSchema(catalog, session.dialect);
  const folder = existsSync(directory) ? await readFolder(directory) : undefined;
  const problem = await openingProblem(session, { desired, declared: hashOf(desired), folder });
  if (problem === undefined) {
    return { name, status: "ok", found: "the file is as they declare it" };
  }
  const { code, message, fields } = problem;
  const { differences = ["the database is newer"], advice = message } = fields as {
    readonly differences?: readonly string[];
    readonly advice?: string;
  };
  const what = `Opening the file fails with ${code}. ${advice}`;
  return { name, status: "fail", found: firstOf(differences), advice: what };
}

/** Whether the pages of the file are sound, and no row refers to nothing. */
export async function checkIntegrity(session: Session, signal: AbortSignal): Promise<Check[]> {
  const quick = await session.read({ sql: "PRAGMA quick_check", parameters: [] }, { signal });
  const { checkMessages } = await import("../migrate/integrity.ts");
  const problems = checkMessages(quick.rows);
  const integrity: Check =
    problems.length === 0
      ? { name: "integrity", status: "ok", found: "quick_check passed" }
      : {
          name: "integrity",
          status: "fail",
          found: firstOf(problems),
          advice: "Restore a backup, or save what is left with the .recover command of sqlite3.",
        };
  const keys = await session.read({ sql: "PRAGMA foreign_key_check", parameters: [] }, { signal });
  const orphans = keys.rows.map(([table, row, parent]) => `${table} row ${row} → ${parent}`);
  const references: Check =
    orphans.length === 0
      ? { name: "references", status: "ok", found: "foreign_key_check passed" }
      : {
          name: "references",
          status: "fail",
          found: firstOf(orphans),
          advice: "Delete these rows, or insert what they refer to.",
        };
  return [integrity, references];
}

function firstOf(problems: readonly string[]): string {
  const more = problems.length - PROBLEMS_MAX;
  const shown = problems.slice(0, PROBLEMS_MAX).join("; ");
  return more > 0 ? `${shown}; ${more} more` : shown;
}
