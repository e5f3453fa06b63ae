/** Slow statements with their plans. */

import type { SlowQuery } from "../sqlite/slow-queries.ts";
import type { Session } from "../store/store.ts";
import { bindable } from "./parameters.ts";
import { type PlanLine, parsePlan, planText } from "./plan.ts";

/** A slow run and how SQLite finds its rows. */
export interface ExplainedQuery extends SlowQuery {
  /** The plan as it is now; empty when the statement does not fit the schema any more. */
  readonly plan: readonly string[];
}

/**
 * Adds plans to slow statements. A plan is made in some microseconds, and nothing is run.
 *
 * @param session the store or the database that they ran on.
 * @example await explainSlow(store, store.slowQueries(300_000))
 */
export async function explainSlow(
  session: Pick<Session, "read">,
  slow: readonly SlowQuery[],
): Promise<readonly ExplainedQuery[]> {
  const plans = new Map<string, Promise<readonly string[]>>();
  for (const { sql } of slow) if (!plans.has(sql)) plans.set(sql, explain(session, sql));
  return Promise.all(
    slow.map(async (query) => ({ ...query, plan: (await plans.get(query.sql)) ?? [] })),
  );
}

async function explain(session: Pick<Session, "read">, sql: string): Promise<readonly string[]> {
  try {
    const form = bindable(sql);
    const parameters = form.sources.map(() => null);
    const { rows } = await session.read({ sql: `EXPLAIN QUERY PLAN ${form.sql}`, parameters });
    const lines = rows.map(
      ([id, parent, , detail]): PlanLine => ({
        id: Number(id),
        parent: Number(parent),
        detail: String(detail),
      }),
    );
    return planText(parsePlan(lines));
  } catch (error) {
    const { code } = error as { readonly code?: unknown };
    if (code === "SQL" || code === "STATEMENT_REFUSED") return [];
    throw error;
  }
}
