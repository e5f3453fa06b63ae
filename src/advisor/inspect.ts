/** Reads what stands in a file, for the advisor. Runs in the child process. */

import type { DatabaseSync } from "node:sqlite";
import { lowerAscii } from "../core/lower-ascii.ts";
import { codeTokens } from "../core/sql-tokens.ts";
import type { SqlValue } from "../core/statement.ts";
import type {
  DatabaseFacts,
  IndexFacts,
  IndexPart,
  RowidName,
  SchemaText,
  TableFacts,
} from "./facts.ts";

const TEXTS = `SELECT s.type, s.name, s.tbl_name, s.sql, coalesce(l.type, '') FROM sqlite_schema s
  LEFT JOIN pragma_table_list l ON l.schema = 'main' AND l.name = s.name
  WHERE s.sql IS NOT NULL AND s.name NOT GLOB 'sqlite_*' ORDER BY s.rowid`;
const TABLES = `SELECT s.name, l.wr FROM sqlite_schema s
  JOIN pragma_table_list l ON l.schema = 'main' AND l.name = s.name
  WHERE l.type = 'table' AND s.rootpage > 0 AND s.name NOT GLOB 'sqlite_*' ORDER BY s.rowid`;
const INDEXES = `SELECT i.name, i."unique", i.origin, s.sql FROM pragma_index_list(?) i
  LEFT JOIN sqlite_schema s ON s.type = 'index' AND s.name = i.name`;

const ROWID_NAMES: readonly RowidName[] = ["rowid", "_rowid_", "oid"];

/** About how many rows a table has. */
type CountRows = (table: string, rowid: RowidName | undefined) => number;

/** Everything but the numbers of rows, which `rowsOf` is asked for. */
export function inspect(database: DatabaseSync, rowsOf: CountRows): DatabaseFacts {
  const tables = all(database, TABLES).map(([name, withoutRowid]) =>
    tableOf(database, String(name), withoutRowid === 1, rowsOf),
  );
  return {
    tables,
    indexes: tables.flatMap(({ name }) => indexesOf(database, name)),
    texts: all(database, TEXTS).map(toText),
    statistics: statisticsOf(database),
  };
}

/** All rows of a question, as arrays. */
export function all(
  database: DatabaseSync,
  sql: string,
  ...parameters: SqlValue[]
): readonly (readonly SqlValue[])[] {
  const statement = database.prepare(sql);
  statement.setReturnArrays(true);
  return statement.all(...parameters) as unknown as SqlValue[][];
}

/**
 * The first and the last rowid, which costs no scan; undefined when there are no rows. They may be
 * larger than a number tells exactly: then they are about right.
 *
 * @param table quoted.
 */
export function rowidSpan(
  database: DatabaseSync,
  table: string,
  rowid: RowidName,
): readonly [low: number, high: number] | undefined {
  // Apart: together they would be found by a scan.
  const [low, high] = ["min", "max"].map(
    (end) => all(database, `SELECT CAST(${end}(${rowid}) AS REAL) FROM ${table}`)[0]?.[0],
  );
  return typeof low === "number" && typeof high === "number" ? [low, high] : undefined;
}

function toText([kind, name, table, sql, type]: readonly SqlValue[]): SchemaText {
  return {
    kind: String(kind),
    name: String(name),
    table: String(table),
    sql: String(sql),
    isShadow: type === "shadow",
  };
}

function tableOf(
  database: DatabaseSync,
  name: string,
  withoutRowid: boolean,
  rowsOf: CountRows,
): TableFacts {
  const columns = all(database, "SELECT name, pk, hidden FROM pragma_table_xinfo(?)", name);
  const keys = all(
    database,
    'SELECT id, "from" FROM pragma_foreign_key_list(?) ORDER BY seq',
    name,
  );
  const taken = new Set(columns.map(([column]) => lowerAscii(String(column))));
  const rowid = withoutRowid ? undefined : ROWID_NAMES.find((one) => !taken.has(one));
  return {
    name,
    rows: rowsOf(name, rowid),
    rowid,
    columns: columns.filter(([, , hidden]) => hidden === 0).map(([column]) => String(column)),
    primaryKey: columns
      .filter(([, position]) => Number(position) > 0)
      .toSorted((a, b) => Number(a[1]) - Number(b[1]))
      .map(([column]) => String(column)),
    foreignKeys: [...Map.groupBy(keys, ([id]) => id).values()].map((parts) =>
      parts.map(([, column]) => String(column)),
    ),
  };
}

function indexesOf(database: DatabaseSync, table: string): readonly IndexFacts[] {
  return all(database, INDEXES, table).map(([name, unique, origin, sql]) => ({
    name: String(name),
    table,
    parts: partsOf(database, String(name)),
    unique: unique === 1,
    isOwn: origin === "c",
    where: typeof sql === "string" ? conditionOf(sql) : undefined,
    sql: typeof sql === "string" ? sql : undefined,
  }));
}

function partsOf(database: DatabaseSync, index: string): readonly IndexPart[] {
  const parts = all(
    database,
    'SELECT name, "desc", coll FROM pragma_index_xinfo(?) WHERE key = 1 ORDER BY seqno',
    index,
  );
  return parts.map(([name, descending, collation]) => ({
    name: name === null || name === undefined ? null : String(name),
    descending: descending === 1,
    collation: String(collation),
  }));
}

/** What stands behind WHERE in a CREATE INDEX: the first one outside of parentheses. */
function conditionOf(sql: string): string | undefined {
  let depth = 0;
  for (const { text, end } of codeTokens(sql)) {
    if (text === "(") depth++;
    if (text === ")") depth--;
    if (depth === 0 && lowerAscii(text) === "where") return sql.slice(end).trim();
  }
  return undefined;
}

function statisticsOf(database: DatabaseSync): readonly (readonly SqlValue[])[] {
  const known = all(database, "SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_stat1'");
  return known.length === 0 ? [] : all(database, "SELECT tbl, idx, stat FROM sqlite_stat1");
}
