/**
 * Integers beyond 2^53. `node:sqlite` gives numbers and throws when one does not fit, or gives
 * bigints throughout; we want numbers where they are exact and bigints only where they are not.
 */

import type { Row } from "./values.ts";

/** Turns the bigints of a row that fit into a number back into numbers, in place. */
export function narrowIntegers(row: Row): Row {
  for (let index = 0; index < row.length; index++) {
    const value = row[index];
    if (typeof value !== "bigint") continue;
    const number = Number(value);
    if (Number.isSafeInteger(number)) row[index] = number;
  }
  return row;
}

/** The integer that `node:sqlite` gives as a number although that may be another one: -2^63. */
const LOWEST = -(2 ** 63);

/**
 * Throws as `node:sqlite` does for an integer that does not fit into a number, for the one that it
 * overlooks. A real number of the same value cannot be told from it, and is read again for nothing.
 */
export function assertInRange(row: Row): void {
  for (const value of row) {
    if (value !== LOWEST) continue;
    throw Object.assign(new RangeError("-2^63 does not fit."), { code: OUT_OF_RANGE });
  }
}

const OUT_OF_RANGE = "ERR_OUT_OF_RANGE";

/** Whether an error says that an integer does not fit into a number. */
export function isOutOfRange(error: unknown): boolean {
  return (error as { code?: unknown }).code === OUT_OF_RANGE;
}
