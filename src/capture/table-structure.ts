/**
 * The tables of a file as the log needs to know them, from SQLite's own tables of the schema. Only
 * ordinary tables: no views, no virtual tables nor what these keep their content in, and nothing
 * that belongs to SQLite or to Springhouse itself.
 */

import type { Affinity, TableStructure } from "../change/structure.ts";
import { lowerAscii } from "../core/lower-ascii.ts";
import { codeTokens } from "../core/sql-tokens.ts";
import { columnCollations } from "./column-text.ts";
import { LOGGED_VALUE_BYTES_MAX } from "./log-tables.ts";
import { type FileTrigger, parseTrigger } from "./trigger-text.ts";

/** One column. */
export interface FileColumn {
  /** As the file has it. */
  readonly name: string;
  readonly affinity: Affinity;
  readonly collation: string;
  /** Whether SQLite computes it: always, or when the row is written. */
  readonly generated: "virtual" | "stored" | undefined;
  readonly notNull: boolean;
  /** It is declared for values that fit into the log: `VARCHAR(100)`, `length("a") <= 100`. */
  readonly isShort: boolean;
  /** SQL expression. */
  readonly default: string | undefined;
}

/** One part of a key; the name is undefined for an expression. */
export interface KeyPart {
  readonly name: string | undefined;
  /** In lower case. */
  readonly collation: string;
}

/** What no two rows have in common, but for the rowid. */
export interface UniqueKey {
  readonly parts: readonly KeyPart[];
  readonly isPrimary: boolean;
  /** Of a partial index, without comments. */
  readonly where: string | undefined;
}

/** A reference to another table, or to the same one. */
export interface FileReference {
  readonly columns: readonly string[];
  readonly table: string;
  /** In lower case: "cascade", "set null". */
  readonly onDelete: string;
  readonly onUpdate: string;
}

/** One table. */
export interface FileTable {
  /** As the file has it. */
  readonly name: string;
  readonly columns: readonly FileColumn[];
  /** The column that is the rowid. */
  readonly rowidColumn: string | undefined;
  /** Names of the rowid that no column has taken. None when there is no rowid. */
  readonly rowidNames: readonly string[];
  readonly withoutRowid: boolean;
  readonly uniques: readonly UniqueKey[];
  readonly references: readonly FileReference[];
  /** Whether the file stores texts in UTF-16: see `TableStructure`. */
  readonly isUtf16: boolean;
}

/** A file. */
export interface FileTables {
  readonly tables: readonly FileTable[];
  /** All of them, ours included, the oldest first. */
  readonly triggers: readonly FileTrigger[];
  /** How many columns for values the log has; undefined when there is none, or half of it. */
  readonly logWidth: number | undefined;
}

/** Rows of the queries in `STRUCTURE_QUERIES`; integers may be bigints. */
export type StructureRows = Readonly<Record<StructureQuery, readonly (readonly unknown[])[]>>;

/** What is read. */
export type StructureQuery = "objects" | "columns" | "indexes" | "references" | "encoding";

/** Virtual tables have no root page; to ask for their columns would load their module. */
const OF_TABLES = "FROM sqlite_schema s, %s WHERE s.type = 'table' AND s.rootpage > 0";

/** What is to be read, in one snapshot. */
export const STRUCTURE_QUERIES: Readonly<Record<StructureQuery, string>> = {
  objects: `SELECT s.type, s.name, s.tbl_name, s.sql, l.type, l.wr, l.strict
    FROM sqlite_schema s LEFT JOIN pragma_table_list l ON l.schema = 'main' AND l.name = s.name
    WHERE s.sql IS NOT NULL ORDER BY s.rowid`,
  columns: `SELECT s.name, x.name, x.type, x."notnull", x.dflt_value, x.pk, x.hidden
    ${OF_TABLES.replace("%s", "pragma_table_xinfo(s.name) x")} ORDER BY s.rowid, x.cid`,
  indexes: `SELECT s.name, i.name, i.origin, x.name, x.coll
    ${OF_TABLES.replace("%s", "pragma_index_list(s.name) i, pragma_index_xinfo(i.name) x")}
    AND i."unique" = 1 AND x.key = 1 ORDER BY s.rowid, i.seq, x.seqno`,
  references: `SELECT s.name, f.id, f."table", f."from", f.on_delete, f.on_update
    ${OF_TABLES.replace("%s", "pragma_foreign_key_list(s.name) f")}
    ORDER BY s.rowid, f.id, f.seq`,
  encoding: "SELECT encoding FROM pragma_encoding",
};

/** Makes a structure of the rows. */
export function fileTables(rows: StructureRows): FileTables {
  const [columns, indexes, references] = [rows.columns, rows.indexes, rows.references].map((list) =>
    Map.groupBy(list, (row) => String(row[0])),
  );
  const texts = new Map(rows.objects.map((row) => [String(row[1]), String(row[3])]));
  const isUtf16 = rows.encoding.some(([encoding]) => encoding !== "UTF-8");
  const tables = rows.objects.filter(isLogged).map((row): FileTable => {
    const name = String(row[1]);
    return tableOf(row, {
      columns: columns?.get(name) ?? [],
      indexes: indexes?.get(name) ?? [],
      references: references?.get(name) ?? [],
      texts,
      isUtf16,
    });
  });
  const triggers = rows.objects.filter(([kind]) => kind === "trigger").map(toTrigger);
  return { tables, triggers, logWidth: columns && widthOf(columns) };
}

function widthOf(
  columns: ReadonlyMap<string, readonly (readonly unknown[])[]>,
): number | undefined {
  if (!columns.has("springhouse_log_shapes")) return undefined;
  return columns.get("springhouse_log")?.filter((row) => /^v\d+$/.test(String(row[1]))).length;
}

/** The table as others need to know it. */
export function tableStructure(
  { name, columns, isUtf16 }: FileTable,
  capture: TableStructure["capture"],
): TableStructure {
  return {
    name: lowerAscii(name),
    columns: columns.map((column) => ({
      name: lowerAscii(column.name),
      affinity: column.affinity,
      collation: column.collation,
    })),
    capture,
    isUtf16,
  };
}

function isLogged(row: readonly unknown[]): boolean {
  const [kind, name, , , listed] = row;
  return kind === "table" && listed === "table" && !/^(?:sqlite|springhouse)_/i.test(String(name));
}

function toTrigger(row: readonly unknown[]): FileTrigger {
  const [, name, table, sql] = row.map(String);
  return parseTrigger(name ?? "", table ?? "", sql ?? "");
}

interface TableRows {
  readonly columns: readonly (readonly unknown[])[];
  readonly indexes: readonly (readonly unknown[])[];
  readonly references: readonly (readonly unknown[])[];
  /** CREATE texts by name. */
  readonly texts: ReadonlyMap<string, string>;
  readonly isUtf16: boolean;
}

function tableOf(row: readonly unknown[], rows: TableRows): FileTable {
  const [, name, , sql, , withoutRowid, strict] = row;
  const names = rows.columns.map((column) => String(column[1]));
  const collations = columnCollations(String(sql), names);
  const isRowless = Number(withoutRowid) === 1;
  const taken = new Set(names.map(lowerAscii));
  return {
    name: String(name),
    columns: rows.columns.map((column, at) =>
      columnOf(column, collations[at] ?? "", Number(strict) === 1, String(sql)),
    ),
    rowidColumn: isRowless ? undefined : rowidColumn(rows),
    rowidNames: isRowless ? [] : ROWID_NAMES.filter((alias) => !taken.has(alias)),
    withoutRowid: isRowless,
    uniques: [...Map.groupBy(rows.indexes, (index) => String(index[1])).values()].map((parts) =>
      uniqueOf(parts, rows.texts),
    ),
    references: [...Map.groupBy(rows.references, (part) => Number(part[1])).values()].map(
      referenceOf,
    ),
    isUtf16: rows.isUtf16,
  };
}

const ROWID_NAMES = ["rowid", "_rowid_", "oid"];

function columnOf(
  row: readonly unknown[],
  collation: string,
  strict: boolean,
  sql: string,
): FileColumn {
  const [, name, type, notNull, value, , hidden] = row;
  return {
    name: String(name),
    affinity: affinityOf(String(type), strict),
    collation,
    generated: Number(hidden) === 2 ? "virtual" : Number(hidden) === 3 ? "stored" : undefined,
    notNull: Number(notNull) === 1,
    isShort: isShort(String(name), String(type), sql),
    default: value === null ? undefined : String(value),
  };
}

/** In doubt it is not; a longer value is logged whole then, which costs, and is no less true. */
function isShort(name: string, type: string, sql: string): boolean {
  if (/^(?:BOOL|DATE|DEC|NUM|TIME|UUID)/i.test(type)) return true;
  const declared = /\(\s*(\d+)\s*\)/.exec(type)?.[1];
  const checked = sql.split(`length("${name}") <= `)[1];
  const longest = Number.parseInt(declared ?? checked ?? "", 10);
  return longest <= LOGGED_VALUE_BYTES_MAX;
}

/** The rules of SQLite's documentation, section 3.1 of "Datatypes in SQLite", in their order. */
export function affinityOf(type: string, strict: boolean): Affinity {
  if (/INT/i.test(type)) return "integer";
  if (/CHAR|CLOB|TEXT/i.test(type)) return "text";
  if (/BLOB/i.test(type) || type === "") return "blob";
  if (/REAL|FLOA|DOUB/i.test(type)) return "real";
  return strict && /^ANY$/i.test(type) ? "blob" : "numeric";
}

/** A key of one column is the rowid when its type is INTEGER and SQLite made no index for it. */
function rowidColumn({ columns, indexes }: TableRows): string | undefined {
  const [key, second] = columns.filter((column) => Number(column[5]) > 0);
  if (key === undefined || second !== undefined) return undefined;
  const hasIndex = indexes.some(([, , origin]) => origin === "pk");
  const isInteger = String(key[2]).toUpperCase() === "INTEGER";
  return isInteger && !hasIndex ? String(key[1]) : undefined;
}

function uniqueOf(
  parts: readonly (readonly unknown[])[],
  texts: ReadonlyMap<string, string>,
): UniqueKey {
  const [, index, origin] = parts[0] ?? [];
  return {
    parts: parts.map(([, , , name, collation]) => ({
      name: name === null ? undefined : String(name),
      collation: lowerAscii(String(collation)),
    })),
    isPrimary: origin === "pk",
    where: conditionOf(texts.get(String(index)) ?? ""),
  };
}

/** What follows the first WHERE outside of parentheses; joined anew, to be without comments. */
function conditionOf(sql: string): string | undefined {
  let depth = 0;
  const tokens = codeTokens(sql);
  for (const [at, { kind, text }] of tokens.entries()) {
    if (kind === "symbol") depth += text === "(" ? 1 : text === ")" ? -1 : 0;
    if (depth > 0 || kind !== "word" || lowerAscii(text) !== "where") continue;
    const rest = tokens.slice(at + 1).map((token) => token.text);
    return rest.join(" ");
  }
  return undefined;
}

function referenceOf(parts: readonly (readonly unknown[])[]): FileReference {
  const [, , table, , onDelete, onUpdate] = parts[0] ?? [];
  return {
    columns: parts.map((part) => String(part[3])),
    table: String(table),
    onDelete: lowerAscii(String(onDelete)),
    onUpdate: lowerAscii(String(onUpdate)),
  };
}
