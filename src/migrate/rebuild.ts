/**
 * A table made anew, by the twelve steps that SQLite's documentation gives for changes that ALTER
 * TABLE cannot make: a new table beside the old one, the rows copied, the old one dropped, the new
 * one renamed, indexes and triggers brought back.
 *
 * It runs with foreign keys off, set outside of the transaction, where alone it works. With them
 * on, dropping the old table would delete its rows and, by cascade, every row that refers to them.
 * The caller checks all foreign keys before the commit.
 *
 * Triggers are away meanwhile, so what the copy changes of an audited table is logged here.
 */

import { logCopy } from "../capture/audit-rebuild.ts";
import { createTable } from "../schema/ddl.ts";
import type { PhysicalColumn, PhysicalObject, PhysicalTable } from "../schema/physical.ts";
import { quoteIdentifier, quoteList } from "../schema/quote.ts";
import { canonicalDefault, includesName } from "./normalise.ts";

/** A table and what it shall become; columns of one name are the same column. */
export interface Rebuild {
  readonly current: PhysicalTable;
  readonly desired: PhysicalTable;
  /** The current table has no rowid. */
  readonly withoutRowid: boolean;
  /** Logs updates of the table's rows; absent when it is not audited before and after. */
  readonly auditTrigger?: PhysicalObject | undefined;
}

/** The statements, without those for indexes and triggers. */
export function rebuildStatements(rebuild: Rebuild): readonly string[] {
  const { current, desired, withoutRowid } = rebuild;
  const temporary = temporaryName(desired.name);
  const copied = desired.columns.flatMap((column) => {
    const old = current.columns.find(({ name }) => includesName([name], column.name));
    return old === undefined ? [] : [{ to: column.name, from: copyExpression(old, column) }];
  });
  const target = rowidTarget(current, desired);
  if (target !== undefined && !withoutRowid) copied.unshift({ to: target, from: "rowid" });
  const statements = [renderTable(desired, temporary)];
  if (copied.length > 0) {
    statements.push(
      `INSERT INTO ${quoteIdentifier(temporary)} (${quoteList(copied.map(({ to }) => to))}) ` +
        `SELECT ${copied.map(({ from }) => from).join(", ")} FROM ${quoteIdentifier(current.name)}`,
    );
  }
  statements.push(
    ...auditStatements(rebuild),
    `DROP TABLE ${quoteIdentifier(current.name)}`,
    `ALTER TABLE ${quoteIdentifier(temporary)} RENAME TO ${quoteIdentifier(desired.name)}`,
  );
  return statements;
}

/** What a table is called until it can have its name. */
export function temporaryName(table: string): string {
  return `springhouse_new_${table}`;
}

/** Whether every row keeps its rowid, by which a search table knows it. */
export function keepsRowids({ current, desired, withoutRowid }: Rebuild): boolean {
  if (withoutRowid) return false;
  if (rowidTarget(current, desired) !== undefined) return true;
  const [old, next] = [rowidAlias(current), rowidAlias(desired)];
  return old !== undefined && next !== undefined && includesName([old], next);
}

/** CREATE TABLE, under another name if need be; a table made elsewhere may lack a primary key. */
export function renderTable(table: PhysicalTable, name: string = table.name): string {
  const head = `CREATE TABLE ${quoteIdentifier(table.name)}`;
  const body = createTable(table, "sqlite").slice(head.length);
  const sql = `CREATE TABLE ${quoteIdentifier(name)}${body}`;
  return table.primaryKey.length > 0 ? sql : sql.replace(/,\n {2}PRIMARY KEY \(\)/, "");
}

/** The column that stands for the rowid. */
function rowidAlias(table: PhysicalTable): string | undefined {
  const [key, second] = table.primaryKey;
  if (key === undefined || second !== undefined) return undefined;
  const column = table.columns.find(({ name }) => includesName([key], name));
  return column?.type.toUpperCase() === "INTEGER" ? column.name : undefined;
}

/** Where the old rowid goes, unless the copied columns carry it already. */
function rowidTarget(current: PhysicalTable, desired: PhysicalTable): string | undefined {
  const names = [...current.columns, ...desired.columns].map(({ name }) => name);
  if (includesName(names, "rowid")) return undefined;
  const alias = rowidAlias(desired);
  if (alias === undefined) return "rowid";
  return current.columns.some(({ name }) => includesName([name], alias)) ? undefined : alias;
}

/** The entries for rows whose copies differ, when any can. */
function auditStatements({ current, desired, auditTrigger }: Rebuild): readonly string[] {
  if (auditTrigger === undefined) return [];
  const names = current.columns.map(({ name }) => name);
  const shared = desired.columns.filter(({ name }) => includesName(names, name));
  const added = desired.columns.filter(({ name }) => !includesName(names, name));
  const table = {
    old: current.name,
    copy: temporaryName(desired.name),
    key: desired.primaryKey,
    shared: shared.map(({ name }) => name),
    added: added.map(({ name }) => name),
  };
  const log = changesValues({ current, desired }) ? logCopy(auditTrigger, table) : undefined;
  return log === undefined ? [] : [log];
}

/** Whether a copied value can differ from what it was. */
export function changesValues({ current, desired }: Pick<Rebuild, "current" | "desired">): boolean {
  return desired.columns.some((column) => {
    const old = current.columns.find(({ name }) => includesName([name], column.name));
    const isTyped = old?.type.toUpperCase() === column.type.toUpperCase();
    return (
      old !== undefined && (!isTyped || copyExpression(old, column) !== quoteIdentifier(old.name))
    );
  });
}

/** The old value; NULL gives way to the default where NULL is no longer allowed. */
function copyExpression(old: PhysicalColumn, column: PhysicalColumn): string {
  const value = quoteIdentifier(old.name);
  const becomesNotNull = column.notNull && !old.notNull;
  if (!becomesNotNull || canonicalDefault(column.default) === null) return value;
  return `coalesce(${value}, ${column.default})`;
}
