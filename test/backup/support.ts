/** Folders, databases and keys for tests of backups. */

import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { onTestFinished } from "vitest";
import { isSpringhouseError, type SpringhouseError } from "../../src/core/errors.ts";

export const KEY = "ab".repeat(32);
export const OTHER_KEY = "cd".repeat(32);

/** A folder with a database in it and a place for backups. */
export interface Place {
  readonly folder: string;
  readonly path: string;
  readonly url: string;
  readonly directory: string;
}

/** An empty folder that is removed after the test. */
export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "springhouse-backup-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Makes one that is removed after the test. */
export function makePlace(): Place {
  const folder = newFolder();
  const path = join(folder, "app.db");
  mkdirSync(folder, { recursive: true });
  return { folder, path, url: `sqlite:///${path}`, directory: join(folder, "backups") };
}

/** Weeks and tasks that refer to them, in a file with a write-ahead log. */
export function fillDatabase(path: string, rows = 500): void {
  using database = new DatabaseSync(path);
  database.exec(`
    PRAGMA journal_mode = WAL;
    CREATE TABLE weeks (id INTEGER PRIMARY KEY, label TEXT NOT NULL) STRICT;
    CREATE TABLE tasks (id INTEGER PRIMARY KEY, week_id INTEGER NOT NULL REFERENCES weeks,
      score REAL, picture BLOB) STRICT;
    CREATE INDEX tasks_by_week ON tasks (week_id);
    INSERT INTO weeks VALUES (1, 'one'), (2, 'zwei – ä');
    WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < ${rows})
      INSERT INTO tasks SELECT i, 1 + i % 2, i / 3.0, randomblob(40) FROM n;`);
}

/** All rows of a query, from a connection of its own that leaves one file. */
export function ask(path: string, sql: string): readonly unknown[] {
  using database = new DatabaseSync(path);
  return database
    .prepare(sql)
    .all()
    .map((row) => ({ ...row }));
}

/** Runs SQL as another program would. */
export function execute(path: string, sql: string): void {
  using database = new DatabaseSync(path);
  database.exec(sql);
}

/** The error that a call ends with. */
export async function failureOf(call: Promise<unknown>): Promise<SpringhouseError> {
  try {
    await call;
  } catch (error) {
    if (isSpringhouseError(error)) return error;
    throw error;
  }
  throw new Error("the call did not fail");
}
