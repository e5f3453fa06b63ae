/**
 * A copy of a database to try things on: all of it, or the schema with a sample of the rows. Runs
 * in the child process, which only ever writes to the copy.
 *
 * Triggers are left out: they would add the same to both sides of every comparison, and may call
 * functions that only the application has.
 */

import { closeSync, openSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import { nodeSqlite } from "../core/node-sqlite.ts";
import { quoteIdentifier, quoteList } from "../schema/quote.ts";
import type { DatabaseFacts, TableFacts } from "./facts.ts";
import { all } from "./inspect.ts";

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
  using copy = openCopy(to);
  copy.prepare("ATTACH ? AS source").run(readOnlyUri(path));
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

/** As many rows as wanted, at even distances by rowid, which costs no scan. */
function fill(copy: DatabaseSync, table: TableFacts, rows: number): void {
  const name = quoteIdentifier(table.name);
  const columns = quoteList(table.columns);
  const into = `INSERT INTO main.${name} (${columns})`;
  const stride = Math.ceil(table.rows / rows);
  if (stride <= 1) {
    copy.exec(`${into} SELECT ${columns} FROM source.${name}`);
  } else if (table.withoutRowid) {
    copy.exec(`${into} SELECT ${columns} FROM source.${name} WHERE abs(random()) % ${stride} = 0`);
  } else {
    const own = table.columns.map((column) => `t.${quoteIdentifier(column)}`).join(", ");
    copy.exec(`${into} WITH RECURSIVE ${stepsOver(`source.${name}`, stride)}
      SELECT ${own} FROM step JOIN source.${name} t ON t.rowid = step.at`);
  }
}

/** The table `step (at, last)` of rowids at even distances, each found by one search. */
export function stepsOver(table: string, stride: number): string {
  return `step (at, last) AS (
    SELECT min(rowid), (SELECT max(rowid) FROM ${table}) FROM ${table}
    UNION ALL SELECT (SELECT min(rowid) FROM ${table} WHERE rowid >= at + ${stride}), last
      FROM step WHERE at + ${stride} <= last)`;
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
