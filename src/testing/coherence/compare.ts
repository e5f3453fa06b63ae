/** Results as texts, equal when the results are. */

import type { CoherenceQuery } from "./subject.ts";

/**
 * The text of a result. Integers and reals of one value are one to JavaScript, and so to us. Where
 * SQL leaves it open which text a group shows, letters and spaces at the end do not count.
 */
export function resultText(
  rows: readonly Readonly<Record<string, unknown>>[],
  { isOrdered = false, isCollated = false }: CoherenceQuery,
): string {
  const texts = rows.map((row) =>
    JSON.stringify(
      Object.entries(row).map(([name, value]) => [name, valueText(value, isCollated)]),
    ),
  );
  return (isOrdered ? texts : texts.sort()).join("\n");
}

function valueText(value: unknown, isCollated: boolean): string {
  switch (typeof value) {
    case "bigint":
      return `#${value}`;
    case "number":
      return `#${Object.is(value, -0) ? 0 : value}`;
    case "string":
      return `'${isCollated ? folded(value) : value}`;
    default:
      return value instanceof Uint8Array ? `x${Buffer.from(value).toString("hex")}` : String(value);
  }
}

/** The coarsest of SQLite's own collations on top of each other. */
function folded(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase()).replace(/ +$/, "");
}
