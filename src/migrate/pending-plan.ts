/** What the pending migrations would do, as far as their text tells. */

import { codeTokens, identifierOf, isWord } from "../core/sql-tokens.ts";
import { quoteIdentifier } from "../schema/quote.ts";
import type { Session } from "../store/store.ts";
import { judgeStatement } from "./lint.ts";
import type { Migration } from "./migration.ts";
import type { PlannedMigration } from "./migrator.ts";
import { canonicalName } from "./normalise.ts";
import { COPY_ROWS_PER_MS, type PlanStep } from "./plan.ts";

/** Enough for ALTER TABLE t RENAME COLUMN a TO b, and short enough for a line. */
const TITLE_WORDS_MAX = 9;
/** What follows these is the statement itself, which is shown below its title. */
const HEAD_ENDS = ["set", "values", "select", "where", "default", "begin", "as"];

/** Rows by table (in lower case), as the estimates need them. */
export type RowCounts = ReadonlyMap<string, number>;

/** The steps of each migration. */
export function planPending(
  pending: readonly Migration[],
  rows: RowCounts,
): readonly PlannedMigration[] {
  return pending.map((migration) => {
    const { version, name, source, up, down, destructive, foreignKeys, data } = migration;
    const { keepsData } = migration;
    const statements = up.kind === "script" ? up.statements : [];
    return {
      version,
      name,
      source,
      kind: up.kind,
      steps: statements.map(({ sql }) => planStatement(sql, rows, keepsData)),
      destructive,
      irreversible: down === undefined,
      foreignKeys,
      data: data !== undefined,
    };
  });
}

/** Counts the rows of all ordinary tables. */
export async function countAllRows(session: Session): Promise<RowCounts> {
  const sql = `SELECT name FROM sqlite_schema
    WHERE type = 'table' AND rootpage > 0 AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'`;
  const { rows } = await session.read({ sql, parameters: [] });
  const counts = new Map<string, number>();
  for (const [name] of rows) {
    const count = `SELECT count(*) FROM ${quoteIdentifier(String(name))}`;
    const result = await session.read({ sql: count, parameters: [] });
    counts.set(canonicalName(String(name)), Number(result.rows[0]?.[0]));
  }
  return counts;
}

function planStatement(
  sql: string,
  counts: RowCounts,
  keepsData: readonly string[] | undefined,
): PlanStep {
  const { destructive, rewritesTable, table, dropsTable } = judgeStatement(sql, keepsData);
  const rows = table === undefined ? undefined : counts.get(canonicalName(table));
  const isCostly = destructive || rewritesTable;
  return {
    summary: titleOf(sql),
    sql: [sql],
    destructive,
    rewritesTable,
    irreversible: dropsTable === true,
    ...(table !== undefined && { table }),
    ...(rows !== undefined &&
      isCostly && { rows, estimatedMs: Math.ceil(rows / COPY_ROWS_PER_MS) }),
  };
}

/** What a statement does, without its list of columns or values: "CREATE TABLE notes". */
function titleOf(sql: string): string {
  const words: string[] = [];
  for (const token of codeTokens(sql)) {
    const isHead = words.length < TITLE_WORDS_MAX && !["(", "="].includes(token.text);
    if (!isHead || HEAD_ENDS.some((word) => isWord(token, word))) break;
    words.push(token.kind === "word" ? token.text : identifierOf(token));
  }
  return words.join(" ");
}
