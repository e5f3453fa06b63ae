/** Databases in folders of their own, for the advisor. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { onTestFinished } from "vitest";

/** A folder that is removed when the test ends. */
export function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "springhouse-advisor-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A database file made by these statements. */
export function makeDatabase(...statements: readonly string[]): string {
  const path = join(makeFolder(), "app.db");
  using database = new DatabaseSync(path);
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; BEGIN");
  for (const statement of statements) database.exec(statement);
  database.exec("COMMIT");
  return path;
}

/** `INSERT INTO table` of so many rows, each made of expressions over the number `i` from 1. */
export function rowsOf(table: string, count: number, ...values: readonly string[]): string {
  return `INSERT INTO ${table}
    WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < ${count})
    SELECT ${values.join(", ")} FROM n`;
}
