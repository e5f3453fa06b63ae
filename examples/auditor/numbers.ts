/** Whole numbers as people and spreadsheets write them. */

import { invalid } from "./invalid.ts";

/**
 * A whole number of at least zero; "4.0" is one, as spreadsheets write it.
 *
 * @throws `VALIDATION` when the text is something else or too large to be exact.
 */
export function parseCount(text: string): number {
  const trimmed = text.trim();
  const value = /^\d+(\.0+)?$/.test(trimmed) ? Number(trimmed) : Number.NaN;
  if (Number.isSafeInteger(value)) return value;
  throw invalid(text, "is not a whole number of at least zero");
}
