/** The differences between two schemas, one by one, as data and in words. */

import type { ForeignKeyFact } from "../schema/facts.ts";
import type {
  PhysicalColumn,
  PhysicalIndex,
  PhysicalObject,
  PhysicalTable,
} from "../schema/physical.ts";

/** A rule that is part of a table. */
export type Constraint =
  | { readonly type: "primary key"; readonly columns: readonly string[] }
  | { readonly type: "unique"; readonly columns: readonly string[] }
  | { readonly type: "check"; readonly name?: string; readonly expression: string }
  | { readonly type: "foreign key"; readonly key: ForeignKeyFact }
  | { readonly type: "strict" };

/** One difference: what has to be done to the current schema to get the desired one. */
export type Operation =
  | { readonly kind: "rename table"; readonly table: string; readonly to: string }
  | {
      readonly kind: "rename column";
      readonly table: string;
      readonly column: string;
      readonly to: string;
    }
  | { readonly kind: "create table"; readonly table: PhysicalTable }
  | { readonly kind: "drop table"; readonly table: PhysicalTable }
  | { readonly kind: "add column"; readonly table: string; readonly column: PhysicalColumn }
  | { readonly kind: "drop column"; readonly table: string; readonly column: PhysicalColumn }
  | {
      readonly kind: "change column";
      readonly table: string;
      readonly from: PhysicalColumn;
      readonly to: PhysicalColumn;
    }
  | { readonly kind: "add constraint"; readonly table: string; readonly constraint: Constraint }
  | { readonly kind: "drop constraint"; readonly table: string; readonly constraint: Constraint }
  | { readonly kind: "create index"; readonly index: PhysicalIndex }
  | { readonly kind: "drop index"; readonly index: PhysicalIndex }
  | { readonly kind: "create object"; readonly object: PhysicalObject }
  | { readonly kind: "drop object"; readonly object: PhysicalObject };

/** All operations in words; what goes and comes back under one name is one difference. */
export function describeOperations(operations: readonly Operation[]): readonly string[] {
  const [gone, made] = [new Set<string>(), new Set<string>()];
  for (const operation of operations) {
    if (operation.kind.startsWith("drop")) gone.add(entryName(operation));
    if (operation.kind.startsWith("create")) made.add(entryName(operation));
  }
  return operations.flatMap((operation) => {
    const name = entryName(operation);
    if (name === "" || !gone.has(name) || !made.has(name)) return [describeOperation(operation)];
    return operation.kind.startsWith("drop") ? [] : [`${name} is not as declared`];
  });
}

function entryName(operation: Operation): string {
  if ("index" in operation) return `index ${operation.index.name} on ${operation.index.table}`;
  return "object" in operation ? `${operation.object.kind} ${operation.object.name}` : "";
}

/** The operation as a statement about the current schema: "column tasks.score is missing". */
export function describeOperation(operation: Operation): string {
  switch (operation.kind) {
    case "rename table":
      return `table ${operation.table} is renamed to ${operation.to}`;
    case "rename column":
      return `column ${operation.table}.${operation.column} is renamed to ${operation.to}`;
    case "create table":
      return `table ${operation.table.name} is missing`;
    case "drop table":
      return `table ${operation.table.name} is not declared`;
    case "add column":
      return `column ${operation.table}.${operation.column.name} is missing`;
    case "drop column":
      return `column ${operation.table}.${operation.column.name} is not declared`;
    case "change column": {
      const { table, from, to } = operation;
      return `column ${table}.${from.name} is ${columnWords(from)}, declared ${columnWords(to)}`;
    }
    case "add constraint":
      return `table ${operation.table} lacks ${constraintWords(operation.constraint)}`;
    case "drop constraint":
      return `table ${operation.table} has ${constraintWords(operation.constraint)}, undeclared`;
    case "create index":
      return `index ${operation.index.name} on ${operation.index.table} is missing`;
    case "drop index":
      return `index ${operation.index.name} on ${operation.index.table} is not declared`;
    case "create object":
      return `${operation.object.kind} ${operation.object.name} is missing`;
    case "drop object":
      return `${operation.object.kind} ${operation.object.name} is not declared`;
  }
}

/** The operation as what it does: "add column tasks.score INTEGER". */
export function describeAction(operation: Operation): string {
  switch (operation.kind) {
    case "rename table":
    case "rename column":
      return describeOperation(operation).replace("is renamed", "renamed");
    case "create table":
    case "drop table":
      return `${operation.kind} ${operation.table.name}`;
    case "add column": {
      const { table, column } = operation;
      return `add column ${table}.${column.name} ${columnWords(column)}`;
    }
    case "drop column":
      return `drop column ${operation.table}.${operation.column.name}`;
    case "change column": {
      const { table, from, to } = operation;
      return `change column ${table}.${to.name} from ${columnWords(from)} to ${columnWords(to)}`;
    }
    case "add constraint":
      return `add ${constraintWords(operation.constraint)} to ${operation.table}`;
    case "drop constraint":
      return `drop ${constraintWords(operation.constraint)} from ${operation.table}`;
    case "create index":
    case "drop index":
      return `${operation.kind} ${operation.index.name} on ${operation.index.table}`;
    case "create object":
    case "drop object":
      return `${operation.kind.split(" ")[0]} ${operation.object.kind} ${operation.object.name}`;
  }
}

/** A column's type and rules: "TEXT NOT NULL DEFAULT ''". */
export function columnWords(column: PhysicalColumn): string {
  const rule = column.notNull ? " NOT NULL" : "";
  const value = column.default === undefined ? "" : ` DEFAULT ${column.default}`;
  return `${column.type || "of any type"}${rule}${value}`;
}

function constraintWords(constraint: Constraint): string {
  switch (constraint.type) {
    case "strict":
      return "the mark STRICT";
    case "check":
      return `CHECK (${constraint.expression})`;
    case "primary key":
      return `PRIMARY KEY (${constraint.columns.join(", ")})`;
    case "unique":
      return `UNIQUE (${constraint.columns.join(", ")})`;
    case "foreign key": {
      const { columns, table, references, onDelete, onUpdate } = constraint.key;
      const actions = `ON DELETE ${onDelete.toUpperCase()} ON UPDATE ${onUpdate.toUpperCase()}`;
      const target = `${table} (${references.join(", ")})`;
      return `FOREIGN KEY (${columns.join(", ")}) REFERENCES ${target} ${actions}`;
    }
  }
}
