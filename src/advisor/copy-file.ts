/**
 * A copy of a database to try things on: all of it, or the schema with a sample of the rows. Runs
 * in the child process, which only ever writes to the copy.
 *
 * Triggers are left out: they would add the same to both sides of every comparison, and may call
 * functions that only the application has.
 */

import { closeSync, openSync, statfsSync } from "node:fs";
import { dirname } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { formatBytes } from "../core/bytes.ts";
import { nodeSqlite } from "../core/node-sqlite.ts";
import { quoteIdentifier, quoteList } from "../schema/quote.ts";
import { sizeOf } from "../sqlite/files.ts";
import type { DatabaseFacts, RowidName, TableFacts } from "./facts.ts";
import { all, rowidSpan } from "./inspect.ts";

/** What is copied. */
export interface CopyRequest {
  readonly kind: "copy";
  readonly path: string;
  /** The new file, in a folder that only this user can read. */
  readonly to: string;
  /** Undefined for a full copy; else these tables, with as many rows at most. */
  readonly sample: { readonly tables: readonly string[]; readonly rows: number } | undefined;
  readonly facts: DatabaseFacts;
}

/** Only the owner may read a copy: it holds what the database holds. */
const PRIVATE_FILE = 0o600;
/** With more numbers than this for each row, even steps over them may miss where the rows are. */
const SPAN_PER_ROW_MAX = 2;
/** A sample that grows beyond this many times its database is none. */
const SAMPLE_SIZE_MAX = 2;
/** Even the sample of an empty database takes some pages for its schema. */
const SAMPLE_BYTES_MIN = 16 * 2 ** 20;
/** What SQLite says when a file may not grow, or cannot. */
const SQLITE_FULL = 13;

/** Makes the copy. `source` is open for reading. */
export function copyFile(source: DatabaseSync, { path, to, sample, facts }: CopyRequest): void {
  closeSync(openSync(to, "wx", PRIVATE_FILE));
  if (sample === undefined) {
    source.prepare("VACUUM INTO ?").run(to);
    using copy = openCopy(to);
    for (const { kind, name } of facts.texts) {
      if (kind === "trigger") copy.exec(`DROP TRIGGER ${quoteIdentifier(name)}`);
    }
    return;
  }
  const bytesMax = sampleBytesMax(path, dirname(to));
  using copy = openCopy(to);
  limitSize(copy, bytesMax);
  copy.prepare("ATTACH ? AS source").run(readOnlyUri(path));
  try {
    copySample(copy, facts, sample);
  } catch (error) {
    if ((error as { errcode?: number }).errcode !== SQLITE_FULL) throw error;
    const message =
      `a sample may take ${formatBytes(bytesMax)} in ${dirname(to)}, and needs more. Make room, ` +
      "set TMPDIR to a folder with more of it, or take fewer rows of each table";
    throw new Error(message, { cause: error });
  }
}

function copySample(
  copy: DatabaseSync,
  facts: DatabaseFacts,
  sample: NonNullable<CopyRequest["sample"]>,
): void {
  copy.exec("BEGIN");
  const texts = facts.texts.filter(({ kind, isShadow }) => kind !== "trigger" && !isShadow);
  for (const { kind, sql } of texts) if (kind === "table") copy.exec(sql);
  for (const table of facts.tables) {
    if (sample.tables.includes(table.name)) fill(copy, table, sample.rows);
  }
  for (const { kind, sql } of texts) if (kind !== "table") copy.exec(sql);
  if (facts.statistics.length > 0) copyStatistics(copy);
  copy.exec("COMMIT");
}

/** Opens a copy: nothing of it has to last. */
export function openCopy(path: string): DatabaseSync {
  const copy = new (nodeSqlite().DatabaseSync)(path);
  copy.exec(`PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; PRAGMA temp_store = MEMORY;
    PRAGMA foreign_keys = OFF; PRAGMA cache_size = -65536`);
  return copy;
}

/** Never what others need: it is an estimate how many rows there are, and how large. */
function sampleBytesMax(path: string, folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  const sizeBytes = sizeOf(path) + sizeOf(`${path}-wal`);
  return Math.min(Math.max(SAMPLE_SIZE_MAX * sizeBytes, SAMPLE_BYTES_MIN), (bavail * bsize) / 2);
}

function limitSize(copy: DatabaseSync, bytes: number): void {
  const pageBytes = Number(all(copy, "PRAGMA page_size")[0]?.[0]);
  // 0 would be no limit.
  copy.exec(`PRAGMA main.max_page_count = ${Math.max(1, Math.floor(bytes / pageBytes))}`);
}

/** As many rows as wanted at most: at even distances by rowid, which costs no scan, or any. */
function fill(copy: DatabaseSync, table: TableFacts, rows: number): void {
  const name = quoteIdentifier(table.name);
  const columns = quoteList(table.columns);
  const into = `INSERT INTO main.${name} (${columns})`;
  const limit = `LIMIT ${Math.ceil(rows)}`;
  const share = Math.ceil(table.rows / rows);
  if (share <= 1) {
    copy.exec(`${into} SELECT ${columns} FROM source.${name} ${limit}`);
    return;
  }
  const { rowid } = table;
  const ends = rowid && rowidSpan(copy, `source.${name}`, rowid);
  const span = ends === undefined ? Number.POSITIVE_INFINITY : ends[1] - ends[0] + 1;
  if (rowid === undefined || span / table.rows > SPAN_PER_ROW_MAX) {
    const some = `abs(random()) % ${share} = 0`;
    copy.exec(`${into} SELECT ${columns} FROM source.${name} WHERE ${some} ${limit}`);
    return;
  }
  const own = table.columns.map((column) => `t.${quoteIdentifier(column)}`).join(", ");
  copy.exec(`${into} WITH RECURSIVE ${stepsOver(`source.${name}`, rowid, Math.ceil(span / rows))}
    SELECT ${own} FROM step JOIN source.${name} t ON t.${rowid} = step.at ${limit}`);
}

/**
 * The table `step (at, last)` of rowids at even distances, each found by one search. Its columns
 * are named with it everywhere: alone they would mean columns of the table that are called so.
 *
 * @param table quoted, with its schema: else it might be `step` itself.
 */
export function stepsOver(table: string, rowid: RowidName, stride: number): string {
  const next = `SELECT min(t.${rowid}) FROM ${table} t WHERE t.${rowid} >= step.at + ${stride}`;
  return `step (at, last) AS (
    SELECT min(t.${rowid}), (SELECT max(t.${rowid}) FROM ${table} t) FROM ${table} t
    UNION ALL SELECT (${next}), step.last FROM step WHERE step.at + ${stride} <= step.last)`;
}

function copyStatistics(copy: DatabaseSync): void {
  copy.exec("ANALYZE");
  copy.exec("DELETE FROM sqlite_stat1");
  copy.exec("INSERT INTO sqlite_stat1 SELECT tbl, idx, stat FROM source.sqlite_stat1");
}

function readOnlyUri(path: string): string {
  return `file:${encodeURI(path).replaceAll("?", "%3f").replaceAll("#", "%23")}?mode=ro`;
}

/** Pages of an index, in bytes. */
export function bytesOf(copy: DatabaseSync, index: string): number {
  return Number(all(copy, "SELECT sum(pgsize) FROM dbstat WHERE name = ?", index)[0]?.[0] ?? 0);
}
