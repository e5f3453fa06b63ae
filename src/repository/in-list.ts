/**
 * Membership in a list of any length. Short lists are placeholders, padded to a power of two, so
 * that lists of all lengths share a few SQL texts; long ones are one JSON parameter, so that no
 * limit on bound variables is met.
 */

import type { ColumnKind } from "../schema/facts.ts";
import type { SqlValue } from "../store/store.ts";
import type { Field } from "./field.ts";
import type { SqlText } from "./sql-text.ts";

/** Seven SQL texts at most; beyond it a JSON list is as fast. */
const PLACEHOLDERS_MAX = 64;

/** Whether the field has one of the values, none of which is null. */
export function inListSql(text: SqlText, field: Field, values: readonly SqlValue[]): string {
  if (values.length === 0) return "FALSE";
  if (values.length > PLACEHOLDERS_MAX) {
    return `${field.reference} IN (${jsonListSql(text, field, values)})`;
  }
  return `${field.reference} IN (${text.bindAll(padded(values))})`;
}

/** Whether the fields together have one of the rows of values. */
export function inRowsSql(
  text: SqlText,
  fields: readonly Field[],
  rows: readonly (readonly SqlValue[])[],
): string {
  const [only] = fields;
  if (fields.length === 1 && only !== undefined) {
    return inListSql(
      text,
      only,
      rows.map(([value]) => value as SqlValue),
    );
  }
  if (rows.length === 0) return "FALSE";
  const left = fields.map((field) => field.reference).join(", ");
  const tuples = padded(rows).map((row) => `(${text.bindAll(row)})`);
  return `(${left}) IN (VALUES ${tuples.join(", ")})`;
}

/** The list with its last item repeated up to the next power of two. */
function padded<T>(items: readonly T[]): readonly T[] {
  const length = 2 ** Math.ceil(Math.log2(items.length));
  const last = items.at(-1) as T;
  return [...items, ...Array.from({ length: length - items.length }, () => last)];
}

/** The types that a text of a JSON list is turned into; see the table in `schema/codec.ts`. */
const POSTGRES_TYPES: Readonly<Partial<Record<ColumnKind, string>>> = {
  int: "bigint",
  bigint: "bigint",
  real: "double precision",
  boolean: "boolean",
  uuid: "uuid",
  date: "date",
  timestamp: "timestamptz",
};

function jsonListSql(text: SqlText, { column }: Field, values: readonly SqlValue[]): string {
  const list = text.bind(`[${values.map(jsonValue).join(",")}]`);
  if (text.dialect === "sqlite") {
    return `SELECT ${column.kind === "blob" ? "unhex(value)" : "value"} FROM json_each(${list})`;
  }
  const type = POSTGRES_TYPES[column.kind] ?? "text";
  const value = column.kind === "blob" ? "decode(value, 'hex')" : `value::${type}`;
  return `SELECT ${value} FROM json_array_elements_text(${list}::json) AS list(value)`;
}

/** Big integers keep all their digits, which `JSON.stringify` would refuse. */
function jsonValue(value: SqlValue): string {
  if (typeof value === "bigint") return String(value);
  if (value instanceof Uint8Array) return `"${Buffer.from(value).toString("hex")}"`;
  return JSON.stringify(value);
}
