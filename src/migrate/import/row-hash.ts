/**
 * The contents of a table as one number that does not depend on the order of rows: the sum of the
 * hashes of all rows. What was given and what is stored must give the same.
 */

import { hash32 } from "../../core/hash.ts";
import type { SqlValue } from "../../core/statement.ts";
import type { TableSum } from "./plan.ts";

/** Two unlike beginnings for two lanes of 32 bits. */
const BEGINNINGS = [0x811c9dc5, 0x6a09e667] as const;

/** No rows. */
export const NO_ROWS: TableSum = { rows: 0, low: 0, high: 0 };

/** Adds up rows. */
export class RowSum {
  #rows: number;
  #low: number;
  #high: number;

  constructor({ rows, low, high }: TableSum = NO_ROWS) {
    this.#rows = rows;
    this.#low = low;
    this.#high = high;
  }

  add(row: readonly SqlValue[]): void {
    const text = rowText(row);
    this.#rows++;
    this.#low = (this.#low + hash32(text, BEGINNINGS[0])) | 0;
    this.#high = (this.#high + hash32(text, BEGINNINGS[1])) | 0;
  }

  get sum(): TableSum {
    return { rows: this.#rows, low: this.#low, high: this.#high };
  }
}

/** Sixteen hexadecimal digits. */
export function sumText({ low, high }: TableSum): string {
  return [high, low].map((part) => (part >>> 0).toString(16).padStart(8, "0")).join("");
}

/** A value and what a column makes of it, such as a number in a column of texts, look the same. */
function rowText(row: readonly SqlValue[]): string {
  let text = "";
  for (const value of row) {
    if (typeof value === "string") text += `${value}\u001f`;
    else if (value === null) text += "\u0000\u001f";
    else if (value instanceof Uint8Array) text += `${Buffer.from(value).toString("hex")}\u001f`;
    else text += `${value}\u001f`;
  }
  return text;
}
