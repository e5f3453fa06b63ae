/**
 * The triggers that write the log, for one table.
 *
 * Rows: after each change the images of the row; before a row is written, the rows that stand in
 * its way by any unique key or by the rowid, since REPLACE deletes them without a word. Whether it
 * was REPLACE is not known then: IGNORE and an upsert are told of as well, which is too much, and
 * never too little. Updates are logged whether or not a value differs, because SQL cannot tell:
 * `IS NOT` follows the collation, and finds 1 and 1.0 the same.
 *
 * Table: before each change, that there is one. Before, since nothing that happens later can then
 * keep it from being told. One row for each changed row is more than needed, but cheap; to leave
 * out neighbours is not sound, for the row before may be of a commit that has been read already.
 *
 * What fires must work wherever the file is written, in SQLite's shell of some years ago too: so
 * nothing newer than generated columns is used. It must never raise: the columns of the log have no
 * rules, what SQLite computes on reading is left alone, and there is no JSON.
 *
 * A recursion that reaches SQLite's limit of depth for triggers reaches it one level earlier.
 */

import type { PhysicalObject } from "../schema/physical.ts";
import { literal, quoteIdentifier, quoteList } from "../schema/quote.ts";
import { triggersNamed } from "../schema/trigger.ts";
import { type Capture, keyColumns, rowidName } from "./capture-level.ts";
import { KIND, LOGGED_VALUE_BYTES_MAX, LONG_VALUE, logTable } from "./log-tables.ts";
import type { FileColumn, FileTable, UniqueKey } from "./table-structure.ts";

/** A suffix has no underscore, so that no two tables and suffixes make the same name. */
const trigger = triggersNamed("springhouse_log");

/** The triggers of a table, whose shape has this number. */
export function logTriggers(
  table: FileTable,
  capture: Capture,
  shape: number,
): readonly PhysicalObject[] {
  return capture.level === "rows"
    ? rowTriggers(table, shape, capture.logsMoved)
    : tableTriggers(table.name, shape);
}

/** Places of columns that tell a row from every other one of its table. */
export function identityOf(table: FileTable): readonly number[] | undefined {
  const names = table.columns.map(({ name }) => name);
  if (table.rowidColumn !== undefined) return [names.indexOf(table.rowidColumn)];
  const whole = table.uniques.filter(({ where }) => where === undefined);
  const key = whole.find(({ isPrimary }) => isPrimary) ?? whole[0];
  return key?.parts.map(({ name }) => names.indexOf(name ?? ""));
}

function tableTriggers(table: string, shape: number): readonly PhysicalObject[] {
  const body = [logTable(shape)];
  return [
    trigger(table, "insert", "BEFORE INSERT", undefined, body),
    trigger(table, "update", "BEFORE UPDATE", undefined, body),
    trigger(table, "delete", "BEFORE DELETE", undefined, body),
  ];
}

function rowTriggers(
  table: FileTable,
  shape: number,
  logsMoved: boolean,
): readonly PhysicalObject[] {
  const { name } = table;
  const onKeys = quoteList(keyColumns(table));
  const [old, next] = [image(table, "OLD"), image(table, "NEW")];
  const log = (kind: number, values: readonly string[]): string =>
    `${into(values.length)} VALUES (${[shape, kind, ...values].join(", ")})`;
  const moved = trigger(name, "moved", `AFTER UPDATE OF ${onKeys}`, isMoved(table), [
    log(KIND.mayGo, next),
  ]);
  return [
    trigger(name, "replace", "BEFORE INSERT", undefined, inTheWay(table, shape)),
    trigger(name, "rekey", `BEFORE UPDATE OF ${onKeys}`, undefined, inTheWay(table, shape, "OLD")),
    ...(logsMoved ? [moved] : []),
    trigger(name, "insert", "AFTER INSERT", undefined, [log(KIND.insert, next)]),
    trigger(name, "update", "AFTER UPDATE", undefined, [log(KIND.update, [...old, ...next])]),
    trigger(name, "delete", "AFTER DELETE", undefined, [log(KIND.delete, old)]),
  ];
}

/** Logs the rows in the way of `NEW`, key by key, so that each is looked up in its own index. */
function inTheWay(table: FileTable, shape: number, except?: "OLD"): readonly string[] {
  const name = quoteIdentifier(table.name);
  const values = image(table, name);
  const kind = except === undefined ? KIND.inTheWay : KIND.mayGo;
  const select =
    `${into(values.length)} SELECT ${[shape, kind, ...values].join(", ")} ` + `FROM ${name} WHERE `;
  const self = except === undefined ? "" : ` AND NOT (${sameRow(table, except)})`;
  const conditions = table.uniques.map((key) => sameKey(table, key, "NEW"));
  if (!table.withoutRowid) conditions.unshift(sameRow(table, "NEW"));
  return conditions.map((condition) => `${select}${condition}${self}`);
}

/** Whether a row of the table is the one of `row`, by what SQLite itself knows it by. */
function sameRow(table: FileTable, row: string): string {
  const rowid = rowidName(table);
  const primary = table.uniques.find(({ isPrimary }) => isPrimary);
  if (rowid === undefined && primary !== undefined) return sameKey(table, primary, row);
  const name = quoteIdentifier(rowid ?? "rowid");
  return `${quoteIdentifier(table.name)}.${name} = ${row}.${name}`;
}

/** Whether a row of the table has the key of `row`, as the index compares. */
function sameKey(table: FileTable, { parts, where }: UniqueKey, row: string): string {
  const equal = parts.map(({ name = "", collation }) => {
    const column = quoteIdentifier(name);
    const value = withDefault(`${row}.${column}`, columnOf(table, name));
    return `${quoteIdentifier(table.name)}.${column} = ${value} COLLATE ${collation}`;
  });
  const condition = where === undefined ? "" : ` AND (${where})`;
  return `${equal.join(" AND ")}${condition}`;
}

/** REPLACE puts the default where NULL may not be. */
function withDefault(value: string, column: FileColumn | undefined): string {
  return column?.notNull && column.default !== undefined
    ? `ifnull(${value}, ${column.default})`
    : value;
}

/**
 * Whether the update gives another key, as the indexes compare. What a condition makes of a value
 * is not asked: then every update of its columns counts.
 */
function isMoved(table: FileTable): string | undefined {
  if (table.uniques.some(({ where }) => where !== undefined)) return undefined;
  const parts = table.uniques.flatMap((key) => key.parts);
  const names = keyColumns(table).filter((name) => {
    return name === rowidName(table) || columnOf(table, name) !== undefined;
  });
  const changes = names.map((name) => {
    const column = quoteIdentifier(name);
    const collations = new Set(parts.flatMap((part) => (part.name === name ? part.collation : [])));
    const [collation = "binary"] = collations.size === 1 ? collations : [];
    return `OLD.${column} IS NOT NEW.${column} COLLATE ${collation}`;
  });
  return changes.join(" OR ");
}

/** The values of a row, one for each column. */
function image({ columns }: FileTable, row: string): readonly string[] {
  return columns.map(({ name, affinity, generated, isShort }) => {
    // To compute it may raise, for a row that was there before the column was.
    if (generated === "virtual") return LONG;
    const value = `${row}.${quoteIdentifier(name)}`;
    if (affinity === "integer" || affinity === "real" || isShort) return value;
    const bytes = `length(CAST(${value} AS BLOB))`;
    return `CASE WHEN ${bytes} > ${LOGGED_VALUE_BYTES_MAX} THEN ${LONG} ELSE ${value} END`;
  });
}

const LONG = literal(LONG_VALUE, "sqlite");

function into(values: number): string {
  const columns = Array.from({ length: values }, (_, at) => `, v${at}`).join("");
  return `INSERT INTO springhouse_log (shape, kind${columns})`;
}

function columnOf(table: FileTable, name: string): FileColumn | undefined {
  return table.columns.find((column) => column.name === name);
}
