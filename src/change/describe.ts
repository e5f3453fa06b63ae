/** An atom in words, for whoever asks why an entry was dropped. It is not meant to be read back. */

import type { Atom } from "./footprint.ts";
import type { Predicate } from "./predicate.ts";
import type { StoredValue } from "./value.ts";

/** Characters of a text, and bytes of a blob, that are shown: enough to know it again. */
const SHOWN_CHARACTERS_MAX = 40;
const SHOWN_BYTES_MAX = 16;
/** Values of an `in`, and parts of an `and` or `or`, that are shown: more are counted. */
const SHOWN_ITEMS_MAX = 8;

/**
 * Like `tasks(week_id, score) where week_id = 7`. All columns are `*`, and `?` is a condition that
 * only the database can judge.
 */
export function describeAtom({ table, columns, predicate }: Atom): string {
  const names = columns === "all" ? "*" : [...columns].join(", ");
  const where = predicate.kind === "always" ? "" : ` where ${describePredicate(predicate)}`;
  return `${table}(${names})${where}`;
}

function describePredicate(predicate: Predicate): string {
  switch (predicate.kind) {
    case "always":
      return "true";
    case "opaque":
      return "?";
    case "compare":
      return `${predicate.column} ${predicate.operator} ${describeValue(predicate.value)}`;
    case "in":
      return `${predicate.column} in (${joined(predicate.values.map(describeValue), ", ")})`;
    case "and":
    case "or":
      return describeParts(predicate.kind, predicate.parts);
    case "not":
      return `not ${inParentheses(predicate.part)}`;
  }
}

/** No parts at all are true for an `and`, and false for an `or`. */
function describeParts(kind: "and" | "or", parts: readonly Predicate[]): string {
  if (parts.length === 0) return String(kind === "and");
  return joined(parts.map(inParentheses), ` ${kind} `);
}

function inParentheses(predicate: Predicate): string {
  const text = describePredicate(predicate);
  return predicate.kind === "and" || predicate.kind === "or" ? `(${text})` : text;
}

function joined(texts: readonly string[], separator: string): string {
  if (texts.length <= SHOWN_ITEMS_MAX) return texts.join(separator);
  const more = `… ${texts.length - SHOWN_ITEMS_MAX} more`;
  return [...texts.slice(0, SHOWN_ITEMS_MAX), more].join(separator);
}

/** As a literal of SQL: 7 is an integer, 7.0 a real, '7' a text. */
function describeValue(value: StoredValue): string {
  if (value === null) return "null";
  if (typeof value === "bigint") return String(value);
  if (typeof value === "number") return Number.isInteger(value) ? `${value}.0` : String(value);
  if (typeof value === "string") {
    const cut = value.length > SHOWN_CHARACTERS_MAX;
    const text = cut ? `${value.slice(0, SHOWN_CHARACTERS_MAX)}…` : value;
    return `'${text.replaceAll("'", "''")}'`;
  }
  const bytes = Buffer.from(value.subarray(0, SHOWN_BYTES_MAX)).toString("hex");
  return `x'${bytes}${value.length > SHOWN_BYTES_MAX ? "…" : ""}'`;
}
