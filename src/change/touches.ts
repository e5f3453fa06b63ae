/** Whether a change can alter what was read: the rule of `footprint.ts`. */

import { type Change, type RowChange, valueIn } from "./change.ts";
import { holds } from "./evaluate.ts";
import type { Atom } from "./footprint.ts";
import type { TableStructure } from "./structure.ts";
import { isSame } from "./value.ts";

/**
 * False only when the change surely misses the atom.
 *
 * @param structure of the atom's table.
 */
export function touches(change: Change, atom: Atom, structure: TableStructure): boolean {
  if (change.table !== atom.table) return false;
  if (change.kind === "table") return true;
  return changesColumn(change, atom.columns, structure) && meets(change, atom, structure);
}

/** Whether the row may have met the predicate of the atom before, or meets it after. */
export function meets(change: RowChange, atom: Atom, structure: TableStructure): boolean {
  const { before, after } = change;
  return (
    (before !== undefined && holds(atom.predicate, before, structure)) ||
    (after !== undefined && holds(atom.predicate, after, structure))
  );
}

/**
 * Whether one of the columns may have another value. An insert and a delete change every column;
 * a column that an image lacks may have changed.
 */
export function changesColumn(
  { before, after }: RowChange,
  columns: Atom["columns"],
  { isUtf16 = false }: TableStructure,
): boolean {
  if (before === undefined || after === undefined || columns === "all") return true;
  for (const column of columns) {
    if (!isSame(valueIn(before, column), valueIn(after, column), isUtf16)) return true;
  }
  return false;
}
