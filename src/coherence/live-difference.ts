/** Differences of two results that are lists of rows with a key. */

import { isDeepStrictEqual } from "node:util";
import { assertText } from "../core/arguments.ts";

/** What became of a result. */
export type LiveChange<T> =
  /** The result itself: the first, or one of which little is left as it was. */
  | { readonly kind: "full"; readonly value: T }
  /** What to do with the rows that were there, in this order: remove, put in or replace, order. */
  | {
      readonly kind: "diff";
      readonly removed: readonly unknown[];
      readonly inserted: readonly RowOfResult<T>[];
      readonly updated: readonly RowOfResult<T>[];
      /** The keys of all rows in their order; absent when what stayed is in the same order … */
      readonly order?: readonly unknown[];
    };

/** A row of a result that is a list. */
export type RowOfResult<T> = T extends readonly (infer Row)[] ? Row : never;

type Keyed = Readonly<Record<string, unknown>>;

/** A larger part of the rows makes the whole result the shorter message. */
const CHANGED_SHARE_MAX = 0.5;

/** The name of the key property. */
export function checkKeyed(key: string | undefined): string {
  if (key === undefined) return "id";
  assertText("changes: key", key);
  return key;
}

/** What leads from one result to the next. */
export function differenceOf<T>(before: T, next: T, key: string): LiveChange<T> {
  const old = rowsByKey(before, key);
  const rows = rowsByKey(next, key);
  if (old === undefined || rows === undefined) return { kind: "full", value: next };
  const removed = [...old.keys()].filter((id) => !rows.has(id));
  const inserted: Keyed[] = [];
  const updated: Keyed[] = [];
  for (const [id, row] of rows) {
    const was = old.get(id);
    if (was === undefined) inserted.push(row);
    else if (!isDeepStrictEqual(was, row)) updated.push(row);
  }
  const changed = removed.length + inserted.length + updated.length;
  if (changed > CHANGED_SHARE_MAX * rows.size) return { kind: "full", value: next };
  const order = isInOrder(old, rows) ? {} : { order: [...rows.keys()] };
  const change = { kind: "diff", removed, inserted, updated, ...order };
  return change as unknown as LiveChange<T>;
}

/** Undefined for what is no list of rows, each with a key of its own. */
function rowsByKey(result: unknown, key: string): Map<unknown, Keyed> | undefined {
  if (!Array.isArray(result)) return undefined;
  const rows = new Map<unknown, Keyed>();
  for (const row of result as readonly unknown[]) {
    if (typeof row !== "object" || row === null || !(key in row)) return undefined;
    rows.set((row as Keyed)[key], row as Keyed);
  }
  return rows.size === result.length ? rows : undefined;
}

/** Whether the new rows stand behind those that stayed, and these as they did. */
function isInOrder(old: ReadonlyMap<unknown, Keyed>, rows: ReadonlyMap<unknown, Keyed>): boolean {
  const before = [...old.keys()].filter((id) => rows.has(id));
  let index = 0;
  for (const id of rows.keys()) {
    if (index < before.length && before[index] !== id) return false;
    index++;
  }
  return true;
}
