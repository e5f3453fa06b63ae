/** Opens real databases for tests; they are closed when the test is over. */

import { onTestFinished } from "vitest";
import { type Database, openDatabase } from "../../src/sqlite/database.ts";
import type { Environment } from "../../src/sqlite/database-file.ts";
import type { DatabaseOptions } from "../../src/sqlite/options.ts";
import { sql, temporaryPath } from "./support.ts";

/** Opens a database in a folder of its own. */
export async function open(
  options: DatabaseOptions = {},
  path = temporaryPath(),
  environment?: Environment,
): Promise<Database> {
  const database = await openDatabase({ kind: "file", path }, options, environment);
  onTestFinished(() => database.close());
  return database;
}

/** A common table expression `n (i)` of the numbers from 1. */
export const NUMBERS = (count: number): string =>
  `WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})`;

/** A database with a table of numbers. */
export async function openNumbers(count: number, options: DatabaseOptions = {}): Promise<Database> {
  const database = await open(options);
  await database.write([
    sql("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)"),
    sql(`${NUMBERS(count)} INSERT INTO t SELECT i, 'value ' || i FROM n`),
  ]);
  return database;
}
