/**
 * How exactly a table can be logged: its rows, or only that something in it has changed.
 *
 * REPLACE deletes rows without firing their DELETE triggers, so before a row is written the log is
 * told of the rows that stand in its way. Rows are logged only where that is beyond doubt: every
 * unique key is compared as its index does, and nothing comes into the way between that look and
 * the write. What may come: rows that are inserted meanwhile, which are not there before nor after,
 * so that it does not matter; and rows whose key is changed meanwhile, by the triggers and foreign
 * keys that the deletion of a replaced row sets off. Where these can reach the table at all, an
 * update that changes a key says so as well.
 */

import { lowerAscii } from "../core/lower-ascii.ts";
import { codeTokens, identifierOf } from "../core/sql-tokens.ts";
import { isLogName, LOGGED_COLUMNS_MAX } from "./log-tables.ts";
import type { FileTable, FileTables, UniqueKey } from "./table-structure.ts";
import type { FileTrigger } from "./trigger-text.ts";

/** A table, and what its triggers log. */
export type Capture =
  | {
      readonly level: "rows";
      /** Updates that change a key are logged as coming into the way, too. */
      readonly logsMoved: boolean;
    }
  | { readonly level: "table"; readonly reason: string };

/** Decides for one table of the file. */
export function captureOf(table: FileTable, file: FileTables): Capture {
  const triggers = file.triggers.filter(({ name }) => !isLogName(name));
  const reason =
    structuralReason(table) ?? triggerReason(table, triggers) ?? failReason(table, file, triggers);
  if (reason !== undefined) return { level: "table", reason };
  return { level: "rows", logsMoved: mayMove(table, triggers) };
}

/** Columns whose change can bring a row into another one's way, those of conditions too. */
export function keyColumns(table: FileTable): readonly string[] {
  const { columns, rowidColumn, rowidNames, uniques } = table;
  const mentioned = uniques.flatMap(({ where }) => namesIn(where));
  const keys = uniques.flatMap(({ parts }) => parts.flatMap(({ name }) => name ?? []));
  const names = [...keys, ...mentioned].map(lowerAscii);
  const found = columns.filter(({ name }) => names.includes(lowerAscii(name)));
  // A condition on what is computed depends on any column.
  if (found.some(({ generated }) => generated !== undefined)) {
    return [...columns.map(({ name }) => name), ...rowidNames];
  }
  const alias = rowidColumn === undefined ? [] : [rowidColumn];
  // SQLite compares the names that an UPDATE sets, and the rowid has several.
  return [...new Set([...alias, ...found.map(({ name }) => name), ...rowidNames])];
}

/** A name for the rowid; undefined without one. */
export function rowidName({ rowidColumn, rowidNames }: FileTable): string | undefined {
  return rowidColumn ?? rowidNames[0];
}

const COLLATIONS = ["binary", "nocase", "rtrim"];
const LITERAL = /^\s*(?:[+-]?\s*[\d.][\d.eE]*|'(?:[^']|'')*'|true|false|null)\s*$/i;

function structuralReason(table: FileTable): string | undefined {
  const { columns, withoutRowid, uniques } = table;
  if (columns.length > LOGGED_COLUMNS_MAX) {
    return `it has ${columns.length} columns, more than ${LOGGED_COLUMNS_MAX}`;
  }
  if (!withoutRowid && rowidName(table) === undefined) return "nothing names its rowid";
  for (const key of uniques) {
    const reason = keyReason(table, key);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

function keyReason({ columns }: FileTable, { parts }: UniqueKey): string | undefined {
  for (const { name, collation } of parts) {
    const column = columns.find((entry) => entry.name === name);
    if (column === undefined) return "a unique index is over an expression";
    if (column.generated !== undefined) return `${name} is computed, and part of a unique key`;
    if (!COLLATIONS.includes(collation)) {
      return `a unique index on ${name} has the collation ${collation}`;
    }
    // REPLACE puts the default where NULL may not be, after the look at what is in the way.
    if (column.notNull && column.default !== undefined && !LITERAL.test(column.default)) {
      return `the default of ${name}, part of a unique key, is an expression`;
    }
  }
  return undefined;
}

/** A BEFORE trigger that writes can put a row into the way after we have looked. */
function triggerReason(table: FileTable, all: readonly FileTrigger[]): string | undefined {
  const doubtful = on(table.name, all).find(
    ({ isBefore, isForWrites, writes }) => isBefore && isForWrites && !isNotes(writes, all),
  );
  return doubtful && `trigger ${doubtful.name} writes before the row is written`;
}

/** Whether all of these are Springhouse's own tables, in which a write reaches no others. */
function isNotes(
  writes: FileTrigger["writes"],
  all: readonly FileTrigger[],
  known: ReadonlySet<string> = new Set(),
): boolean {
  if (writes === "any") return false;
  return [...writes].every((name) => {
    if (!/^springhouse_/.test(name)) return false;
    if (known.has(name)) return true;
    const seen = new Set([...known, name]);
    return on(name, all).every((trigger) => isNotes(trigger.writes, all, seen));
  });
}

/**
 * RAISE(FAIL) in a trigger that a foreign key sets off ends the statement and keeps the row that it
 * has changed, and the triggers after that row never come.
 */
function failReason(
  table: FileTable,
  { tables }: FileTables,
  triggers: readonly FileTrigger[],
): string | undefined {
  const failing = triggers.find(({ mayFail }) => mayFail);
  const isParent = tables.some(({ references }) =>
    references.some((reference) => same(reference.table, table.name) && isActive(reference)),
  );
  if (failing === undefined || !isParent) return undefined;
  return `trigger ${failing.name} says RAISE(FAIL), and foreign keys with actions lead here`;
}

/** Whether something but the statement itself can change the table's keys. */
function mayMove(table: FileTable, triggers: readonly FileTrigger[]): boolean {
  const name = lowerAscii(table.name);
  if (triggers.some(({ mayUpdate }) => mayUpdate.has(name))) return true;
  const keys = keyColumns(table).map(lowerAscii);
  return table.references.some((reference) => {
    return (
      (reference.onDelete.startsWith("set") || isChange(reference.onUpdate)) &&
      reference.columns.some((column) => keys.includes(lowerAscii(column)))
    );
  });
}

function isActive({ onDelete, onUpdate }: FileTable["references"][number]): boolean {
  return isChange(onDelete) || isChange(onUpdate);
}

function isChange(action: string): boolean {
  return action === "cascade" || action.startsWith("set");
}

function on(table: string, triggers: readonly FileTrigger[]): readonly FileTrigger[] {
  return triggers.filter((trigger) => same(trigger.table, table));
}

function namesIn(sql: string | undefined): readonly string[] {
  return sql === undefined ? [] : codeTokens(sql).map(identifierOf);
}

function same(a: string, b: string): boolean {
  return lowerAscii(a) === lowerAscii(b);
}
