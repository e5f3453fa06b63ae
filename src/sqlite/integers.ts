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

/** Whether an error says that an integer does not fit into a number. */
export function isOutOfRange(error: unknown): boolean {
  return (error as { code?: unknown }).code === "ERR_OUT_OF_RANGE";
}
