/**
 * Result rows as objects. A value is decoded by where its column comes from, whatever name it has
 * in the result; an expression has no origin and keeps its storage value. So does a column of a
 * compound SELECT unless all parts have one of the same kind there: nothing tells which part a row
 * is from.
 */

import type { Catalog } from "../schema/catalog.ts";
import { codecOf } from "../schema/codec.ts";
import type { ColumnFacts } from "../schema/facts.ts";
import type { Dialect } from "../schema/physical.ts";
import type { Origin, ResultColumn, ResultSet, SqlValue } from "./store.ts";

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

function decoderOf(column: ResultColumn, catalog: Catalog, dialect: Dialect): Decode {
  const { table, others = [] } = column;
  const facts = factsOf(column, catalog);
  if (table === null || facts === undefined) return undefined;
  const isSame = others.every((other) => factsOf(other, catalog)?.kind === facts.kind);
  return isSame ? codecOf(table, facts, dialect).decode : undefined;
}

function factsOf({ table, column }: Origin, catalog: Catalog): ColumnFacts | undefined {
  return table === null || column === null ? undefined : catalog.column(table, column);
}
