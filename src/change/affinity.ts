/**
 * What SQLite makes of a value that is compared with a column: the affinity of the column applies
 * to the value before the two meet. It is done here only where the result is certain; SQLite's
 * readings of long decimals and its texts of reals differ from those of JavaScript.
 *
 * Reference: https://sqlite.org/datatype3.html, sections 3 and 4.2.
 */

import type { ColumnStructure } from "./structure.ts";
import { isDoubtful, type StoredValue } from "./value.ts";

/** All that SQLite could read as a number, and somewhat more. */
const NUMBER = /^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?\s*$/i;
/** Has a place in 64 bits, whatever the digits. */
const INTEGER = /^[+-]?\d{1,18}$/;
const DECIMAL = /^[+-]?\d+\.\d+$/;
/** So many decimal digits are one real, however they are read. */
const DIGITS_MAX = 15;

const INTEGER_MIN = -(2n ** 63n);
const INTEGER_MAX = 2n ** 63n - 1n;

/**
 * The value as it takes part in a comparison with the column, or undefined when that is not
 * certain. A number that meets a REAL column stays as it is: the comparison itself is exact.
 */
export function withAffinity(
  value: StoredValue,
  { affinity }: ColumnStructure,
): StoredValue | undefined {
  if (typeof value === "string") {
    if (isDoubtful(value)) return undefined;
    return affinity === "text" || affinity === "blob" ? value : asNumber(value);
  }
  if (typeof value === "bigint") {
    if (value < INTEGER_MIN || value > INTEGER_MAX) return undefined;
    return affinity === "text" ? String(value) : value;
  }
  if (typeof value === "number") {
    return affinity === "text" || Number.isNaN(value) ? undefined : value;
  }
  return value;
}

/** A text that is no number stays a text; one that is a number in an unusual form is in doubt. */
function asNumber(text: string): StoredValue | undefined {
  if (!NUMBER.test(text)) return text;
  if (INTEGER.test(text)) return BigInt(text.replace("+", ""));
  const digits = text.length - (/^[+-]/.test(text) ? 2 : 1);
  return DECIMAL.test(text) && digits <= DIGITS_MAX ? Number(text) : undefined;
}
