/** A change in words, for whoever asks what dropped a result, or stood against a write. */

import type { Change, Image } from "./change.ts";
import { UNKNOWN } from "./value.ts";

/** Longer values are cut. */
const VALUE_CHARS_MAX = 40;

/** Like `a row of tasks (id = 1) was updated: score from 3 to 4`. */
export function changeText(change: Change): string {
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
