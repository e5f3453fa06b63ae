/**
 * What a read has read, such that no change that misses it can change the result.
 *
 * There is one atom for each occurrence of a table, so a self-join has two. A change touches an
 * atom when it inserts or deletes a row, or changes one of the atom's columns, *and* the image
 * before or the image after meets the predicate. A footprint is sound when every change that can
 * alter the result touches one of its atoms; whoever makes one and is in doubt widens it.
 */

import type { Predicate } from "./predicate.ts";

/** One occurrence of a table in a query. */
export interface Atom {
  /** In lower case. */
  readonly table: string;
  /**
   * Columns that can influence the result, in lower case: selected, compared, joined, grouped,
   * ordered. `"all"` is more than each of them: it is every logged update.
   */
  readonly columns: ReadonlySet<string> | "all";
  /** Valid for pruning: when neither image meets it, the change does not matter. */
  readonly predicate: Predicate;
}

export interface Footprint {
  readonly atoms: readonly Atom[];
}

/** The atom that every change of the table touches. */
export function wholeTable(table: string): Atom {
  return { table, columns: "all", predicate: { kind: "always" } };
}

/** Whether every change of its table touches the atom. */
export function isWholeTable({ columns, predicate }: Atom): boolean {
  return columns === "all" && predicate.kind === "always";
}

/** What can be said of a query: its footprint, or why its result must not be kept. */
export type Reading =
  | { readonly cacheable: true; readonly footprint: Footprint }
  | { readonly cacheable: false; readonly reason: string };
