/**
 * What SQLite makes of a value that is compared with a column. To be replaced: this is a stand-in
 * that converts only what is beyond doubt.
 */

import type { ColumnStructure } from "./structure.ts";
import type { StoredValue } from "./value.ts";

const WHOLE = /^-?[1-9]\d{0,14}$|^0$/;
const NO_NUMBER = /^[A-Za-z_]/;

/** The value as the column's affinity has it, or undefined when that is not certain. */
export function withAffinity(value: StoredValue, column: ColumnStructure): StoredValue | undefined {
  if (value === null || value instanceof Uint8Array || column.affinity === "blob") return value;
  if (column.affinity === "text") {
    if (typeof value === "number") return undefined;
    return String(value);
  }
  if (typeof value !== "string") return value;
  if (WHOLE.test(value)) return BigInt(value);
  return NO_NUMBER.test(value) ? value : undefined;
}
