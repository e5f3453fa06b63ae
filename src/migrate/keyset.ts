/** A place in a table, by its key: how a walk goes on where another has stopped. */

import { SpringhouseError } from "../core/errors.ts";
import { quoteIdentifier, quoteList } from "../schema/quote.ts";
import type { Session, SqlValue } from "../store/store.ts";

/** The columns by which rows of a table are ordered and told apart. */
export interface Key {
  /** The columns, quoted, with commas. */
  readonly sql: string;
  readonly columns: readonly string[];
}

/** A condition with its values. */
export interface Condition {
  readonly sql: string;
  readonly parameters: readonly SqlValue[];
}

/**
 * The key of a table: its primary key when it can hold no NULL, for NULL compares with nothing and
 * such rows would be passed over, else the rowid.
 *
 * @throws `INVALID_ARGUMENT` when there is no such table.
 */
export async function keyOf(session: Session, table: string): Promise<Key> {
  const sql = 'SELECT name, type, "notnull", pk FROM pragma_table_info(?) ORDER BY pk';
  const { rows } = await session.read({ sql, parameters: [table] });
  if (rows.length === 0) {
    throw new SpringhouseError("INVALID_ARGUMENT", `There is no table "${table}".`, {
      fields: { table },
    });
  }
  const parts = rows.filter((row) => Number(row[3]) > 0);
  const isRowid = parts.length === 1 && String(parts[0]?.[1]).toUpperCase() === "INTEGER";
  const isTotal = isRowid || (parts.length > 0 && parts.every((row) => row[2] === 1));
  const columns = isTotal ? parts.map((row) => String(row[0])) : ["rowid"];
  return { sql: quoteList(columns), columns };
}

/** The key of the table's last row; undefined when it is empty. */
export async function lastKey(
  session: Session,
  table: string,
  key: Key,
): Promise<readonly SqlValue[] | undefined> {
  const order = key.columns.map((column) => `${quoteIdentifier(column)} DESC`).join(", ");
  const sql = `SELECT ${key.sql} FROM ${quoteIdentifier(table)} ORDER BY ${order} LIMIT 1`;
  return (await session.read({ sql, parameters: [] })).rows[0];
}

/** What text that is not UTF-8 is read as; what is compared then is not what stands there. */
const REPLACEMENT = "\uFFFD";

/**
 * Refuses a key that is read otherwise than it is stored: a walk from there would pass over rows,
 * or find the same row for ever.
 */
export function checkKey(table: string, values: readonly SqlValue[] | undefined): void {
  if (!values?.some((value) => typeof value === "string" && value.includes(REPLACEMENT))) return;
  throw new SpringhouseError(
    "INVALID_ARGUMENT",
    `The key ${JSON.stringify(values)} of ${table} is no text in UTF-8, and rows cannot be ` +
      "walked by it. Correct the key first",
    { fields: { table } },
  );
}

/** Rows after this place; all rows when there is none. */
export function keyAfter(key: Key, cursor: readonly SqlValue[] | undefined): Condition {
  if (cursor === undefined) return { sql: "TRUE", parameters: [] };
  return { sql: `(${key.sql}) > (${placeholders(key)})`, parameters: cursor };
}

/** Rows up to this place, the row there included. */
export function keyUpTo(key: Key, last: readonly SqlValue[]): Condition {
  return { sql: `(${key.sql}) <= (${placeholders(key)})`, parameters: last };
}

/** A place as text; big integers, infinite numbers and blobs keep their type. */
export function encodeCursor(cursor: readonly SqlValue[]): string {
  return JSON.stringify(
    cursor.map((value) => {
      if (typeof value === "bigint") return { integer: String(value) };
      if (typeof value === "number" && !Number.isFinite(value)) return { real: String(value) };
      if (value instanceof Uint8Array) return { blob: Buffer.from(value).toString("hex") };
      return value;
    }),
  );
}

/** The place that `encodeCursor` wrote down. */
export function decodeCursor(text: string): readonly SqlValue[] {
  const values = JSON.parse(text) as readonly (SqlValue | Tagged)[];
  return values.map((value) => {
    if (value === null || typeof value !== "object" || value instanceof Uint8Array) return value;
    if ("real" in value) return Number(value.real);
    return "integer" in value ? BigInt(value.integer) : Buffer.from(value.blob, "hex");
  });
}

type Tagged = { readonly integer: string } | { readonly real: string } | { readonly blob: string };

function placeholders(key: Key): string {
  return key.columns.map(() => "?").join(", ");
}
