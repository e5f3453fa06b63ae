/**
 * Marks on rollups. While one stands, the view of the rollup reads the source, and what it gives is
 * right; it stands from when writes may have passed the rollup by until all groups are recounted.
 * It says after which key the recount goes on.
 */

import type { Statement } from "../core/statement.ts";
import { nameLiteral, ROLLUP_MARKS, type RollupPlan } from "./rollup-plan.ts";

/** Groups with NULL in the key are next. */
export const AT_NULLS = "nulls";
/** The others, from their beginning. */
export const AT_BEGINNING = "";

/** The names of the marked rollups. */
export const SELECT_MARKED: string = `SELECT "name" FROM ${ROLLUP_MARKS}`;

/** Where a recount begins. */
export function beginningOf({ hasNullKeys }: RollupPlan): string {
  return hasNullKeys ? AT_NULLS : AT_BEGINNING;
}

/** Marks a rollup. A recount that is under way begins again, or goes on as if nothing were. */
export function markRollup(plan: RollupPlan, underWay: "begins again" | "goes on"): Statement {
  const action = underWay === "goes on" ? "NOTHING" : 'UPDATE SET "cursor" = excluded."cursor"';
  return {
    sql:
      `INSERT INTO ${ROLLUP_MARKS} ("name", "cursor") ` +
      `VALUES (${nameLiteral(plan)}, '${beginningOf(plan)}') ON CONFLICT ("name") DO ${action}`,
    parameters: [],
  };
}
