/** Readings as text, for tests to be read. */

import type { Atom } from "../../../src/change/footprint.ts";
import type { Predicate } from "../../../src/change/predicate.ts";
import type { StoredValue } from "../../../src/change/value.ts";
import type { NodeReading } from "../../../src/footprint/verdict.ts";

/** One line for each atom, or one that says why there are none. */
export function show(reading: NodeReading): string[] {
  if (reading.cacheable === undefined) return [`opaque: ${reading.reason}`];
  if (reading.cacheable === false) return [`refused: ${reading.reason}`];
  return reading.footprint.atoms.map(showAtom);
}

function showAtom({ table, columns, predicate }: Atom): string {
  const names = columns === "all" ? "*" : [...columns].sort().join(", ");
  const condition = showPredicate(predicate);
  return condition === "always" ? `${table}(${names})` : `${table}(${names}) where ${condition}`;
}

function showPredicate(predicate: Predicate): string {
  switch (predicate.kind) {
    case "always":
    case "opaque":
      return predicate.kind;
    case "compare":
      return `${predicate.column} ${predicate.operator} ${showValue(predicate.value)}`;
    case "in":
      return `${predicate.column} in (${predicate.values.map(showValue).join(", ")})`;
    case "not":
      return `not ${bracketed(predicate.part)}`;
    default:
      return predicate.parts.map(bracketed).join(` ${predicate.kind} `);
  }
}

function bracketed(predicate: Predicate): string {
  const isJunction = predicate.kind === "and" || predicate.kind === "or";
  return isJunction ? `(${showPredicate(predicate)})` : showPredicate(predicate);
}

function showValue(value: StoredValue): string {
  return typeof value === "string" ? `'${value}'` : String(value);
}
