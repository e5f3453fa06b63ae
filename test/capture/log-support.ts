/** A database with a log, and what its tests look at. */

import { DatabaseSync } from "node:sqlite";
import { type Coverage, coverageOf } from "../../src/capture/coverage.ts";
import { decodeLogRows, type LoggedRow, SELECT_ROWS } from "../../src/capture/log-rows.ts";
import { HAS_LOG, SELECT_SHAPES, type Shape, toShape } from "../../src/capture/log-tables.ts";
import {
  type FileTables,
  fileTables,
  STRUCTURE_QUERIES,
  type StructureQuery,
} from "../../src/capture/table-structure.ts";
import { type StoredValue, UNKNOWN } from "../../src/change/value.ts";

type Row = readonly StoredValue[];

/** A database of these statements. */
export function databaseOf(...statements: readonly string[]): DatabaseSync {
  const db = new DatabaseSync(":memory:");
  for (const sql of statements) db.exec(sql);
  return db;
}

/** Rows as arrays, integers as bigints. */
export function rowsOf(db: DatabaseSync, sql: string, ...values: (string | number)[]): Row[] {
  const statement = db.prepare(sql);
  statement.setReadBigInts(true);
  statement.setReturnArrays(true);
  return statement.all(...values) as unknown as Row[];
}

/** The tables of the database. */
export function tablesOf(db: DatabaseSync): FileTables {
  const read = (name: StructureQuery): Row[] => rowsOf(db, STRUCTURE_QUERIES[name]);
  return fileTables({
    objects: read("objects"),
    columns: read("columns"),
    indexes: read("indexes"),
    references: read("references"),
    encoding: read("encoding"),
  });
}

export function shapesOf(db: DatabaseSync): readonly Shape[] {
  return rowsOf(db, HAS_LOG).length === 0 ? [] : rowsOf(db, SELECT_SHAPES).map(toShape);
}

/** Gives the database what its log lacks. */
export function cover(db: DatabaseSync): Coverage {
  db.exec("BEGIN IMMEDIATE");
  const coverage = coverageOf(tablesOf(db), shapesOf(db));
  for (const sql of coverage.statements) db.exec(sql);
  db.exec("COMMIT");
  return coverage;
}

/** The last sequence of the log. */
export function lastSequence(db: DatabaseSync): number {
  return Number(rowsOf(db, "SELECT max(seq) FROM springhouse_log")[0]?.[0]);
}

/** What the log says after a sequence. */
export function logAfter(db: DatabaseSync, sequence: number): readonly LoggedRow[] {
  const shapes = new Map(shapesOf(db).map((shape) => [shape.id, shape]));
  const rows = rowsOf(db, SELECT_ROWS, sequence, Number.MAX_SAFE_INTEGER, "[]", 1_000_000);
  const decoded = decodeLogRows(rows, shapes);
  if (!decoded.known) throw new Error(`shape ${decoded.shape} is not known`);
  return decoded.rows;
}

/** What statements have logged, each row as "insert tasks 1,'a'". */
export function logOf(db: DatabaseSync, ...statements: readonly string[]): readonly string[] {
  const before = lastSequence(db);
  for (const sql of statements) db.exec(sql);
  return logAfter(db, before).map(({ kind, table, values }) => {
    const words = values.map((value) => (value === UNKNOWN ? "?" : literalOf(value)));
    return [kind, table, ...(words.length > 0 ? [words.join(",")] : [])].join(" ");
  });
}

/** Equal for equal values of the same storage class only. */
export function literalOf(value: StoredValue): string {
  if (value === null) return "NULL";
  if (typeof value === "string") return `'${value}'`;
  if (typeof value === "number") return Object.is(value, -0) ? "-0.0" : `${value}r`;
  return value instanceof Uint8Array ? `x'${Buffer.from(value).toString("hex")}'` : String(value);
}
