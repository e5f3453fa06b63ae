/**
 * Result rows as objects. A value is decoded by where its column comes from, whatever name it has
 * in the result; an expression has no origin and keeps its storage value. So does a column of a
 * compound SELECT unless all parts have one of the same kind there: nothing tells which part a row
 * is from. A large result is decoded in slices, so that it does not hold the event loop.
 */

import { mapInSlices } from "../core/slices.ts";
import type { Catalog } from "../schema/catalog.ts";
import { codecOf } from "../schema/codec.ts";
import type { ColumnFacts } from "../schema/facts.ts";
import type { Dialect } from "../schema/physical.ts";
import type { CallOptions, Origin, ResultColumn, ResultSet, SqlValue } from "./store.ts";

type Decode = ((stored: SqlValue) => unknown) | undefined;

/** One object for each row, by the names of the result; of two equal names the last one counts. */
export function rowsOf<R>(
  { columns, rows }: ResultSet,
  catalog: Catalog,
  dialect: Dialect,
  { signal }: CallOptions = {},
): Promise<R[]> {
  const decoders = columns.map((column) => decoderOf(column, catalog, dialect));
  const decode = (values: readonly SqlValue[]): R => {
    const row: Record<string, unknown> = {};
    for (let index = 0; index < columns.length; index++) {
      const stored = values[index] as SqlValue;
      const decodeValue = decoders[index];
      const { name } = columns[index] as ResultColumn;
      const value = decodeValue === undefined ? stored : decodeValue(stored);
      if (name === "__proto__") Object.defineProperty(row, name, { value, enumerable: true });
      else row[name] = value;
    }
    return row as R;
  };
  return mapInSlices(rows, decode, signal);
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
