/**
 * What an index over many predicates needs: the few values that a column must have, and for each
 * value a key that is the same for all values that SQLite calls equal.
 *
 * A value without a key may be any. So a predicate with such a value has no place in the index, and
 * a row with such a value must be judged by every predicate.
 */

import { normalText } from "./collation.ts";
import type { Predicate } from "./predicate.ts";
import type { ColumnStructure } from "./structure.ts";
import { type ImageValue, type StoredValue, UNKNOWN } from "./value.ts";

/**
 * The columns whose value must equal one of a list in every row that meets the predicate. A list
 * has at least one value and never NULL; of several lists for one column it is the shortest.
 */
export function equalitiesOf(predicate: Predicate): ReadonlyMap<string, readonly StoredValue[]> {
  const found = new Map<string, readonly StoredValue[]>();
  collect(predicate, found);
  return found;
}

function collect(predicate: Predicate, found: Map<string, readonly StoredValue[]>): void {
  if (predicate.kind === "and") {
    for (const part of predicate.parts) collect(part, found);
    return;
  }
  const values = valuesOf(predicate).filter((value) => value !== null);
  if (values.length === 0 || !("column" in predicate)) return;
  const before = found.get(predicate.column);
  if (before === undefined || values.length < before.length) found.set(predicate.column, values);
}

function valuesOf(predicate: Predicate): readonly StoredValue[] {
  if (predicate.kind === "in") return predicate.values;
  if (predicate.kind !== "compare") return [];
  return predicate.operator === "=" || predicate.operator === "is" ? [predicate.value] : [];
}

/** See `canonicalKey`. Numbers, because a map finds them without looking at what they point to. */
export type CanonicalKey = string | number;

/**
 * A key that is the same for all values that are equal in a comparison with the column, and another
 * for all others; undefined when that cannot be told.
 */
export function canonicalKey(value: ImageValue, column: ColumnStructure): CanonicalKey | undefined {
  if (value === UNKNOWN) return undefined;
  if (value === null) return "null";
  switch (typeof value) {
    case "bigint": {
      const number = Number(value);
      return Number.isSafeInteger(number) ? number : `#${value}`;
    }
    case "number":
      return numberKey(value);
    case "string": {
      const text = normalText(value, column.collation);
      return text === undefined ? undefined : `'${text}`;
    }
    default:
      return `x${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("hex")}`;
  }
}

/** A whole real within 64 bits has the key of the integer of that value, digit by digit. */
function numberKey(value: number): CanonicalKey | undefined {
  if (Number.isNaN(value)) return undefined;
  if (Number.isSafeInteger(value)) return value + 0;
  const whole = Number.isInteger(value) && Math.abs(value) <= 2 ** 63;
  return `#${whole ? BigInt(value) : value}`;
}
