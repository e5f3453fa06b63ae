/**
 * SQL written by hand, with parameters by their JavaScript types and rows decoded by where their
 * columns come from. Names are SQL names here.
 */

import { assertSignal } from "../core/abort.ts";
import { assertFunction, assertIterable, assertList, assertText } from "../core/arguments.ts";
import { refuseUnknownKeys } from "../core/options.ts";
import { encodeParameter } from "../schema/codec.ts";
import { rowsOf } from "../store/rows.ts";
import type {
  CallOptions,
  ResultSet,
  SqlValue,
  Statement,
  StreamOptions,
  WriteManyOptions,
} from "../store/store.ts";
import type { Scope } from "./scope.ts";

/** A value that `encodeParameter` takes: null, texts, numbers, booleans, dates, bytes, JSON. */
export type Parameter = unknown;

/** A row by the names of the result. */
export type RawRow = Record<string, unknown>;

/** What a statement gave. */
export interface RawResult<R = RawRow> {
  readonly rows: R[];
  /** Rows inserted, changed or deleted; 0 for a read. */
  readonly changes: number;
}

/** Runs one statement, reading or writing. */
export async function executeSql<R = RawRow>(
  scope: Scope,
  sql: string,
  parameters: readonly Parameter[],
  options: CallOptions,
): Promise<RawResult<R>> {
  refuseUnknownKeys(options, ["signal"], "execute");
  assertSignal(options.signal);
  const { session, models } = scope;
  const statement = statementOf(scope, "execute", sql, parameters);
  let result: ResultSet | undefined;
  if (session.isWrite(sql)) [result] = await session.write([statement], options);
  else result = await session.read(statement, options);
  if (result === undefined) return { rows: [], changes: 0 };
  const rows = await rowsOf<R>(result, models.catalog, session.dialect);
  return { rows, changes: result.changes };
}

/** Runs one statement for each row of parameters, in one transaction; rows changed in all. */
export async function executeManySql(
  scope: Scope,
  sql: string,
  rows: Iterable<readonly Parameter[]> | AsyncIterable<readonly Parameter[]>,
  options: WriteManyOptions,
): Promise<number> {
  refuseUnknownKeys(options, ["onProgress", "signal"], "executeMany");
  assertSignal(options.signal);
  assertText("sql", sql);
  if (options.onProgress !== undefined) assertFunction("onProgress", options.onProgress);
  return scope.session.writeMany(sql, encodedRows(scope, rows), options);
}

/** Rows of one reading statement, in chunks from one snapshot. */
export async function* streamSql<R = RawRow>(
  scope: Scope,
  sql: string,
  parameters: readonly Parameter[],
  options: StreamOptions,
): AsyncGenerator<R, void, undefined> {
  refuseUnknownKeys(options, ["chunkRows", "signal"], "stream");
  assertSignal(options.signal);
  const { session, models } = scope;
  const statement = statementOf(scope, "stream", sql, parameters);
  for await (const chunk of session.stream(statement, options)) {
    yield* await rowsOf<R>(chunk, models.catalog, session.dialect);
  }
}

function statementOf(
  { session }: Scope,
  call: string,
  sql: string,
  parameters: readonly Parameter[],
): Statement {
  assertText("sql", sql);
  assertList(`${call}: parameters`, parameters);
  return { sql, parameters: parameters.map((value) => encodeParameter(value, session.dialect)) };
}

function encodedRows(
  { session: { dialect } }: Scope,
  rows: Iterable<readonly Parameter[]> | AsyncIterable<readonly Parameter[]>,
): Iterable<SqlValue[]> | AsyncIterable<SqlValue[]> {
  assertIterable("executeMany: rows", rows);
  const encode = (row: readonly Parameter[]): SqlValue[] => {
    assertList("executeMany: a row", row);
    return row.map((value) => encodeParameter(value, dialect));
  };
  return Symbol.asyncIterator in rows ? mapAsync(rows, encode) : Iterator.from(rows).map(encode);
}

async function* mapAsync<From, To>(
  items: AsyncIterable<From>,
  change: (item: From) => To,
): AsyncGenerator<To> {
  for await (const item of items) yield change(item);
}
