/**
 * Result rows as objects. A value is decoded by where its column comes from, whatever name it has
 * in the result; an expression has no origin and keeps its storage value.
 */

import type { Catalog } from "../schema/catalog.ts";
import { codecOf } from "../schema/codec.ts";
import type { Dialect } from "../schema/physical.ts";
import type { ResultColumn, ResultSet, SqlValue } from "./store.ts";

type Decode = ((stored: SqlValue) => unknown) | undefined;

/** One object for each row, by the names of the result; of two equal names the last one counts. */
export function rowsOf<R>(result: ResultSet, catalog: Catalog, dialect: Dialect): R[] {
  const { columns } = result;
  const decoders = columns.map((column) => decoderOf(column, catalog, dialect));
  return result.rows.map((values) => {
    const row: Record<string, unknown> = {};
    for (let index = 0; index < columns.length; index++) {
      const stored = values[index] as SqlValue;
      const decode = decoders[index];
      row[(columns[index] as ResultColumn).name] = decode === undefined ? stored : decode(stored);
    }
    return row as R;
  });
}

function decoderOf({ table, column }: ResultColumn, catalog: Catalog, dialect: Dialect): Decode {
  if (table === null || column === null) return undefined;
  const facts = catalog.column(table, column);
  return facts === undefined ? undefined : codecOf(table, facts, dialect).decode;
}
