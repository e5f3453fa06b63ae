/** A place in a table, by its key: how a walk goes on where another has stopped. */

import { SpringhouseError } from "../core/errors.ts";
import { quoteIdentifier, quoteList } from "../schema/quote.ts";
import type { Session, SqlValue } from "../store/store.ts";

/** The columns by which rows of a table are ordered and told apart. */
export interface Key {
  /** The columns, quoted, with commas. */
  readonly sql: string;
  readonly columns: number;
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
  if (isRowid || (parts.length > 0 && parts.every((row) => row[2] === 1))) {
    return { sql: quoteList(parts.map((row) => String(row[0]))), columns: parts.length };
  }
  return { sql: quoteIdentifier("rowid"), columns: 1 };
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

/** A place as text; big integers and blobs keep their type. */
export function encodeCursor(cursor: readonly SqlValue[]): string {
  return JSON.stringify(
    cursor.map((value) => {
      if (typeof value === "bigint") return { integer: String(value) };
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
    return "integer" in value ? BigInt(value.integer) : Buffer.from(value.blob, "hex");
  });
}

type Tagged = { readonly integer: string } | { readonly blob: string };

function placeholders(key: Key): string {
  return Array.from({ length: key.columns }, () => "?").join(", ");
}
