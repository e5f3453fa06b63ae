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
      return `${operation.object.kind} ${operation.object.name} is not declared as it stands`;
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
