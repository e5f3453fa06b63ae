/**
 * When two texts or two parts of a schema count as the same. SQLite keeps the words of whoever made
 * a table; the case of names, quotes, spaces, the order of columns and the names of constraints are
 * not differences, for nothing about the data depends on them.
 */

import { lowerAscii } from "../core/lower-ascii.ts";
import { canonicalExpression, canonicalSql } from "../core/sql-tokens.ts";
import type { PhysicalColumn, PhysicalIndex, PhysicalTable } from "../schema/physical.ts";
import type { Constraint } from "./operation.ts";

/** The name under which two objects are the same object. */
export function canonicalName(name: string): string {
  return lowerAscii(name);
}

/** A column in one spelling. Columns of a primary key are never null, said or not. */
export function canonicalColumn(column: PhysicalColumn, table: PhysicalTable): string {
  const notNull = column.notNull || includesName(table.primaryKey, column.name);
  const value = canonicalDefault(column.default);
  return JSON.stringify([column.type.toUpperCase().replace(/\s+/g, " "), notNull, value]);
}

/** A default in one spelling; `DEFAULT NULL` says nothing. */
export function canonicalDefault(expression: string | undefined): string | null {
  const canonical = canonicalExpression(expression ?? "null");
  return canonical === "null" ? null : canonical;
}

/** The constraints of a table under keys that are equal when the constraints are. */
export function constraintsOf(table: PhysicalTable): ReadonlyMap<string, Constraint> {
  const constraints: Constraint[] = [];
  const { primaryKey } = table;
  if (primaryKey.length > 0) constraints.push({ type: "primary key", columns: primaryKey });
  for (const { columns } of table.uniques) {
    if (names(columns) !== names(primaryKey)) constraints.push({ type: "unique", columns });
  }
  for (const check of table.checks) constraints.push({ type: "check", ...check });
  for (const key of table.foreignKeys) constraints.push({ type: "foreign key", key });
  if (table.strict) constraints.push({ type: "strict" });
  return new Map(constraints.map((constraint) => [constraintKey(constraint), constraint]));
}

/** Equal for indexes that do the same. */
export function canonicalIndex(index: PhysicalIndex): string {
  const columns = index.columns.map(({ name, descending }) => [canonicalName(name), descending]);
  const where = index.where === undefined ? null : canonicalExpression(index.where);
  return JSON.stringify([canonicalName(index.table), columns, index.unique, where]);
}

/** Equal for CREATE statements that make the same object; `IF NOT EXISTS` is not kept by SQLite. */
export function canonicalObject(sql: string): string {
  return canonicalSql(sql)
    .replace(/^(create (?:trigger|view|virtual table)) if not exists /, "$1 ")
    .replace(/(?: ;)+$/, "");
}

/** Whether the list has the name, whatever its case. */
export function includesName(list: readonly string[], name: string): boolean {
  return list.some((entry) => canonicalName(entry) === canonicalName(name));
}

function constraintKey(constraint: Constraint): string {
  switch (constraint.type) {
    case "strict":
      return "strict";
    case "check":
      return `check ${canonicalExpression(constraint.expression)}`;
    case "primary key":
    case "unique":
      return `${constraint.type} ${names(constraint.columns)}`;
    case "foreign key": {
      const { columns, table, references, onDelete, onUpdate } = constraint.key;
      const target = `${canonicalName(table)} ${names(references)}`;
      return `foreign key ${names(columns)} ${target} ${onDelete} ${onUpdate}`;
    }
  }
}

function names(list: readonly string[]): string {
  return JSON.stringify(list.map(canonicalName));
}
