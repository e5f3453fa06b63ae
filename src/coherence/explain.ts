/** What people ask about a result: is it kept, what did it read, and what became of the last one. */

import type { Change, Image } from "../change/change.ts";
import { describeAtom } from "../change/describe.ts";
import { UNKNOWN } from "../change/value.ts";
import type { Drop } from "./entries.ts";

/** An answer. */
export interface Explanation {
  readonly name: string;
  /** The arguments as the key has them. */
  readonly key: string;
  /**
   * Where the result came from: `"memory"` when this process has computed it, or the name of the
   * tier in which it was found; undefined when memory does not have it.
   */
  readonly tier: string | undefined;
  /** Where it lies: memory, and the tiers that were given it or had it. */
  readonly places: readonly string[];
  readonly ageMs: number | undefined;
  /** The place of the log of changes at which it was read. */
  readonly position: number | undefined;
  /** What it has read: a change of this drops it. One line for each occurrence of a table. */
  readonly reads: readonly string[];
  /** Why results of this function are not kept, as far as it has run. */
  readonly notKept: string | undefined;
  /** Why results do not go into tiers below memory; undefined when they do or there are none. */
  readonly notStored: string | undefined;
  /** What the last result of these arguments was dropped for, as far as it is remembered. */
  readonly lastDrop: string | undefined;
}

/** Longer values are cut. */
const VALUE_CHARS_MAX = 40;

/** A drop in words: `commit 4711: tasks (old) week_id = 7, matched tasks(score) where week_id = 7`. */
export function dropText(drop: Drop): string {
  switch (drop.reason) {
    case "change": {
      const { sequence, change } = drop.change;
      return `change ${sequence}: ${changeText(change)}, which touches ${describeAtom(drop.atom)}`;
    }
    case "schema":
      return "the schema was changed";
    case "history":
      return "the log of changes does not reach back to where it was read";
    case "unlogged":
      return "something was written that the log of changes does not have";
  }
}

function changeText(change: Change): string {
  const { table } = change;
  if (change.kind === "table") return `something in ${table} was written`;
  const { before, after } = change;
  if (before === undefined) return `a row was inserted into ${table} (${imageText(after)})`;
  if (after === undefined) return `a row of ${table} was deleted (${imageText(before)})`;
  const changed = before.columns.flatMap((column, at) => {
    const [old, now] = [before.values[at], after.values[at]];
    return Object.is(old, now) ? [] : [`${column} from ${valueText(old)} to ${valueText(now)}`];
  });
  const what = changed.length === 0 ? "as it was" : changed.join(", ");
  return `a row of ${table} (${keyText(before)}) was updated: ${what}`;
}

function imageText(image: Image | undefined): string {
  if (image === undefined) return "";
  return image.columns.map((name, at) => `${name} = ${valueText(image.values[at])}`).join(", ");
}

/** The first column, which is the key of most tables. */
function keyText({ columns, values }: Image): string {
  return columns.length === 0 ? "" : `${columns[0]} = ${valueText(values[0])}`;
}

function valueText(value: unknown): string {
  if (value === UNKNOWN) return "a long value";
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  const text = typeof value === "string" ? JSON.stringify(value) : String(value);
  return text.length <= VALUE_CHARS_MAX ? text : `${text.slice(0, VALUE_CHARS_MAX)}…`;
}
