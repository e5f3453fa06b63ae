/**
 * How much work a plan is: about how many rows it looks at.
 *
 * SQLite does not tell the costs that it has compared. The model is its own in rough strokes:
 * tables of one level are nested loops, an equality leaves rows ÷ distinct values, a range a
 * quarter, and a sort costs n log n. It ranks candidates and finds the statements worth a look;
 * whether an index is advised is decided by measuring.
 */

import type { Plan, PlanStep } from "./plan.ts";

/** What the model asks about tables and indexes. */
export interface WorkModel {
  /** Rows behind a name of the plan; undefined for a subquery. */
  rowsOf(name: string): number | undefined;
  /** Rows that one value of the first `count` columns has, on average. */
  rowsPerValue(index: string, count: number): number | undefined;
}

/** A range leaves a quarter, as SQLite assumes without better knowledge. */
const RANGE_SHARE = 1 / 4;
/** Rows of a subquery whose size is not known. */
const UNKNOWN_ROWS = 100;
/** Rows per value of an index that nothing is known about. */
const UNKNOWN_ROWS_PER_VALUE = 10;

/** Rows that the plan looks at, sorts included. */
export function workOf(plan: Plan, model: WorkModel): number {
  const level = (parent: number): { work: number; rows: number } => {
    let rows = 1;
    let work = 0;
    for (const { id, detail } of plan.lines.filter(
      (line) => line.parent === parent && line.id !== parent,
    )) {
      const step = plan.steps.find((candidate) => candidate.id === id);
      if (step === undefined) {
        const inner = level(id);
        work += inner.work * (detail.startsWith("CORRELATED") ? rows : 1);
        continue;
      }
      const { each, once } = costOf(step, model);
      work += once;
      rows = Math.max(rows * each, 1);
      work += rows + level(id).work;
    }
    const isSorted = plan.sorts.some((sort) => sort.parent === parent);
    if (isSorted) work += rows * Math.log2(rows + 1);
    return { work, rows };
  };
  return level(0).work;
}

/** Rows that a step gives for each row of the loop around it, and what it costs once. */
function costOf(step: PlanStep, model: WorkModel): { each: number; once: number } {
  const rows = model.rowsOf(step.name) ?? UNKNOWN_ROWS;
  const range = step.hasRange ? RANGE_SHARE : 1;
  if (step.access === "scan") return { each: rows, once: 0 };
  // It is made for this run alone: all rows are read and sorted first.
  if (step.by === "automatic") return { each: 1, once: rows * Math.log2(rows + 1) };
  if (step.by !== "index") return { each: step.equalities > 0 ? 1 : rows * range, once: 0 };
  if (step.equalities === 0) return { each: rows * range, once: 0 };
  const perValue = model.rowsPerValue(step.index ?? "", step.equalities) ?? UNKNOWN_ROWS_PER_VALUE;
  return { each: perValue * range, once: 0 };
}
