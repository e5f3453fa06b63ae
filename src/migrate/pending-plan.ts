/** What the pending migrations would do, as far as their text tells. */

import { quoteIdentifier } from "../schema/quote.ts";
import type { Session } from "../store/store.ts";
import { judgeStatement } from "./lint.ts";
import type { Migration } from "./migration.ts";
import type { PlannedMigration } from "./migrator.ts";
import { canonicalName } from "./normalise.ts";
import { COPY_ROWS_PER_MS, type PlanStep } from "./plan.ts";

/** Rows by table (in lower case), as the estimates need them. */
export type RowCounts = ReadonlyMap<string, number>;

/** The steps of each migration. */
export function planPending(
  pending: readonly Migration[],
  rows: RowCounts,
): readonly PlannedMigration[] {
  return pending.map((migration) => {
    const { version, name, source, up, down, destructive, foreignKeys, data } = migration;
    const statements = up.kind === "script" ? up.statements : [];
    return {
      version,
      name,
      source,
      steps: statements.map(({ sql }) => planStatement(sql, rows)),
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

function planStatement(sql: string, counts: RowCounts): PlanStep {
  const { destructive, rewritesTable, table, dropsTable } = judgeStatement(sql);
  const rows = table === undefined ? undefined : counts.get(canonicalName(table));
  const isCostly = destructive || rewritesTable;
  return {
    summary: sql.split("\n", 1)[0]?.trim() ?? sql,
    sql: [sql],
    destructive,
    rewritesTable,
    irreversible: dropsTable === true,
    ...(table !== undefined && { table }),
    ...(rows !== undefined &&
      isCostly && { rows, estimatedMs: Math.ceil(rows / COPY_ROWS_PER_MS) }),
  };
}
