/**
 * From the rows of the log to the changes that they tell of.
 *
 * REPLACE deletes rows without a word, so the log has the rows that stood in the way of an insert
 * or an update as "may be replaced", and each counts as a delete. For an upsert that is wrong: the
 * row is not replaced but updated. It shows in the log: the next of the table's rows that is not of
 * that kind is an update of the very same image. Had the row been replaced, it would be gone by
 * then: two rows that stand in each other's way never exist at once, and nothing else changed the
 * table in between, or the log would have it. So that image is left out; the update speaks for it.
 *
 * This holds for one row that waits, and not for two. When both are replaced, deleting the first
 * may update the second by the action of a foreign key, before the second is deleted too. So two
 * stay. Whatever is in doubt stays: it costs precision and nothing else.
 */

import type { Change, Image } from "./change.ts";
import { type ImageValue, isSame } from "./value.ts";

/** One row of the log. */
export interface LoggedRow {
  /** In lower case. */
  readonly table: string;
  /** `table`: anything in the table may have changed. */
  readonly kind: "table" | "insert" | "update" | "delete" | "maybe-replaced";
  /** In lower case. One array for all rows that were logged while the table had these columns. */
  readonly columns: readonly string[];
  /**
   * New values for `insert`, old ones for `delete` and `maybe-replaced`, old and then new ones for
   * `update`, nothing for `table`.
   */
  readonly values: readonly ImageValue[];
}

/**
 * The changes of rows that stand in the order of the log. A row that may have been replaced is a
 * delete, unless an update that is among the rows shows that it was not. A row whose values do not
 * fit its columns counts as a change of the whole table.
 */
export function changesOf(rows: readonly LoggedRow[]): readonly Change[] {
  const changes: (Change | undefined)[] = [];
  /** Of each table, where the images stand that may be replaced and wait for the next row. */
  const waiting = new Map<string, number[]>();
  for (const row of rows) {
    const change = changeOf(row);
    const places = waiting.get(row.table) ?? [];
    if (row.kind === "maybe-replaced") {
      waiting.set(row.table, places);
      places.push(changes.length);
    } else {
      waiting.delete(row.table);
      if (places.every((place) => isUpdated(changes[place], change))) {
        for (const place of places) changes[place] = undefined;
      }
    }
    changes.push(change);
  }
  return changes.filter((change) => change !== undefined);
}

function changeOf({ table, kind, columns, values }: LoggedRow): Change {
  const width = columns.length;
  const fits = values.length === (kind === "update" ? 2 * width : width);
  if (kind === "table" || !fits) return { kind: "table", table };
  const first: Image = {
    columns,
    values: kind === "update" ? values.slice(0, width) : values,
  };
  switch (kind) {
    case "insert":
      return { kind: "row", table, before: undefined, after: first };
    case "update":
      return { kind: "row", table, before: first, after: { columns, values: values.slice(width) } };
    case "delete":
    case "maybe-replaced":
      return { kind: "row", table, before: first, after: undefined };
  }
}

/** Whether the second is an update of the row that the first has for deleted. */
function isUpdated(replaced: Change | undefined, next: Change): boolean {
  if (replaced?.kind !== "row" || next.kind !== "row" || next.after === undefined) return false;
  const { before } = next;
  return (
    before !== undefined && replaced.before !== undefined && sameImage(replaced.before, before)
  );
}

function sameImage(one: Image, other: Image): boolean {
  return (
    one.columns === other.columns &&
    one.values.every((value, at) => isSame(value, other.values[at] ?? null))
  );
}
