/**
 * Whether the defaults of an entity meet its own CHECK constraints. SQL is judged by SQLite, in a
 * database in memory that is thrown away; an entity without checks over defaults does not load it.
 */

import { nodeSqlite } from "../core/node-sqlite.ts";
import { physicalColumn } from "./ddl-columns.ts";
import type { CheckFact, ColumnFacts } from "./facts.ts";
import { quoteIdentifier } from "./quote.ts";

/** SQLite's code for a row that breaks a CHECK. */
const CONSTRAINT_CHECK = 275;

/**
 * The first check that a row of defaults breaks. A check that names a column without a literal
 * default, or is in words that SQLite does not have, cannot be judged before there is a row.
 */
export function checkBrokenByDefaults(
  table: string,
  columns: readonly ColumnFacts[],
  checks: readonly CheckFact[],
): CheckFact | undefined {
  const given = columns.filter((column) => column.default?.from === "value");
  if (given.length === 0) return undefined;
  return checks.find((check) => isBroken(table, given, check));
}

function isBroken(table: string, columns: readonly ColumnFacts[], check: CheckFact): boolean {
  const { DatabaseSync } = nodeSqlite();
  const database = new DatabaseSync(":memory:");
  const name = quoteIdentifier(table);
  const parts = [...columns.map((column) => columnSql(table, column)), checkSql(check)];
  try {
    database.exec(`CREATE TABLE ${name} (${parts.join(", ")})`);
    database.exec(`INSERT INTO ${name} DEFAULT VALUES`);
    return false;
  } catch (error) {
    return (error as { readonly errcode?: number }).errcode === CONSTRAINT_CHECK;
  } finally {
    database.close();
  }
}

function columnSql(table: string, column: ColumnFacts): string {
  const { name, type, default: value } = physicalColumn(table, column, "sqlite");
  return `${quoteIdentifier(name)} ${type} DEFAULT (${value})`;
}

/** The end of the line ends a comment. */
function checkSql({ expression }: CheckFact): string {
  return `CHECK (${expression}\n)`;
}
