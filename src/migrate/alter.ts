/**
 * What happens to each changed table: ALTER TABLE where SQLite can do it in place, a rebuild where
 * it cannot. ADD COLUMN touches no row; DROP COLUMN rewrites the table but keeps its rules.
 */

import { updateTriggerOf } from "../capture/audit-rebuild.ts";
import { codeTokens, mentions } from "../core/sql-tokens.ts";
import { columnDefinition, createIndex } from "../schema/ddl.ts";
import type {
  PhysicalColumn,
  PhysicalObject,
  PhysicalSchema,
  PhysicalTable,
} from "../schema/physical.ts";
import { quoteIdentifier, quoteList } from "../schema/quote.ts";
import type { FileSchema } from "./introspect.ts";
import { canonicalDefault, canonicalIndex, canonicalName, includesName } from "./normalise.ts";
import { type Constraint, columnWords, describeAction, type Operation } from "./operation.ts";
import { changesValues, keepsRowids, rebuildStatements } from "./rebuild.ts";

/** What is done to one table. */
export interface TableChanges {
  readonly table: string;
  readonly mode: "alter" | "rebuild";
  readonly sql: readonly string[];
  readonly changes: readonly string[];
  readonly losesColumns: boolean;
  readonly hints: readonly string[];
}

type TableOperation = Extract<Operation, { readonly table: string }>;

/** The changes of all tables that stay, in the order of declaration. */
export function changeTables(
  current: FileSchema,
  desired: PhysicalSchema,
  operations: readonly Operation[],
): readonly TableChanges[] {
  const byTable = Map.groupBy(operations.filter(isTableOperation), ({ table }) => table);
  return [...byTable].map(([name, list]) => {
    const before = findTable(current, name);
    const after = findTable(desired, name);
    const isInPlace = canAlter(list, before, current);
    return {
      table: name,
      mode: isInPlace ? "alter" : "rebuild",
      sql: isInPlace ? alterStatements(list, after) : rebuildWhole(before, after, current, desired),
      changes: list.map(describeAction),
      losesColumns: list.some(({ kind }) => kind === "drop column"),
      hints: [...hintsOf(list), ...(isInPlace ? [] : lostFeatures(current, before.name))],
    };
  });
}

function isTableOperation(operation: Operation): operation is TableOperation {
  if (!("table" in operation) || typeof operation.table !== "string") return false;
  return !operation.kind.startsWith("rename");
}

function findTable(schema: PhysicalSchema, name: string): PhysicalTable {
  const found = schema.tables.find((table) => canonicalName(table.name) === canonicalName(name));
  if (found === undefined) throw new Error(`no table ${name}`);
  return found;
}

/** Whether ALTER TABLE suffices for everything that changes about the table. */
function canAlter(
  list: readonly TableOperation[],
  current: PhysicalTable,
  schema: FileSchema,
): boolean {
  const added = list.flatMap((entry) => (entry.kind === "add column" ? [entry.column] : []));
  return list.every((operation) => {
    switch (operation.kind) {
      case "add column":
        return canAdd(operation.column) && !isComputed(operation.column, current, schema);
      case "add constraint":
        return carrierOf(operation.constraint, added) !== undefined;
      case "drop column":
        return canDrop(operation.column, current, schema);
      default:
        return false;
    }
  });
}

/** ADD COLUMN takes constants only, and NOT NULL only with a value for the rows that exist. */
function canAdd(column: PhysicalColumn): boolean {
  const value = canonicalDefault(column.default);
  if (value === null) return !column.notNull;
  const tokens = codeTokens(value);
  const literal = tokens[0]?.text === "-" || tokens[0]?.text === "+" ? tokens.slice(1) : tokens;
  return literal.length === 1 && ["number", "string"].includes(literal[0]?.kind ?? "");
}

/** Whether SQLite has computed a column of this name so far; its values are copied then. */
function isComputed({ name }: PhysicalColumn, table: PhysicalTable, schema: FileSchema): boolean {
  return (
    schema.generated.get(table.name)?.some((column) => includesName([name], column.name)) ?? false
  );
}

/** The new column on whose definition the constraint can be written. */
function carrierOf(
  constraint: Constraint,
  added: readonly PhysicalColumn[],
): PhysicalColumn | undefined {
  if (constraint.type === "check") {
    return added.find(({ name }) => mentions(constraint.expression, name));
  }
  if (constraint.type !== "foreign key" || constraint.key.columns.length > 1) return undefined;
  return added.find(
    // With foreign keys on, SQLite wants NULL in the new column of the rows that exist.
    (column) => includesName(constraint.key.columns, column.name) && column.default === undefined,
  );
}

/**
 * DROP COLUMN refuses a column that anything else uses. Constraints and indexes on it go with it,
 * so they are among the differences; what is left are triggers and views that nobody declares.
 */
function canDrop(column: PhysicalColumn, table: PhysicalTable, schema: FileSchema): boolean {
  return !schema.objects.some(
    ({ kind, sql }) => kind !== "index" && mentions(sql, column.name) && mentions(sql, table.name),
  );
}

function alterStatements(list: readonly TableOperation[], after: PhysicalTable): string[] {
  const statements: string[] = [];
  const table = quoteIdentifier(after.name);
  const added = list.flatMap((entry) => (entry.kind === "add column" ? [entry.column] : []));
  for (const operation of list) {
    if (operation.kind === "add column") {
      const rules = list.flatMap((entry) =>
        entry.kind === "add constraint" && carrierOf(entry.constraint, added) === operation.column
          ? [columnConstraint(entry.constraint)]
          : [],
      );
      const definition = [columnDefinition(operation.column, "sqlite"), ...rules].join(" ");
      statements.push(`ALTER TABLE ${table} ADD COLUMN ${definition}`);
    }
    if (operation.kind === "drop column") {
      const column = quoteIdentifier(operation.column.name);
      statements.push(`ALTER TABLE ${table} DROP COLUMN ${column}`);
    }
  }
  return statements;
}

function columnConstraint(constraint: Constraint): string {
  if (constraint.type === "check") {
    const { name, expression } = constraint;
    const named = name === undefined ? "" : `CONSTRAINT ${quoteIdentifier(name)} `;
    return `${named}CHECK (${expression})`;
  }
  if (constraint.type !== "foreign key") return "";
  const { table, references, onDelete, onUpdate } = constraint.key;
  const actions = `ON DELETE ${onDelete.toUpperCase()} ON UPDATE ${onUpdate.toUpperCase()}`;
  return `REFERENCES ${quoteIdentifier(table)} (${quoteList(references)}) ${actions}`;
}

/** The rebuild, the indexes that stay, and what mirrors rows that are not what they were. */
function rebuildWhole(
  before: PhysicalTable,
  after: PhysicalTable,
  current: FileSchema,
  desired: PhysicalSchema,
): string[] {
  const withoutRowid = current.features.get(before.name)?.includes("WITHOUT ROWID") ?? false;
  const computed = current.generated.get(before.name) ?? [];
  const old = { ...before, columns: [...before.columns, ...computed] };
  const isOn = (table: string | undefined): boolean =>
    table !== undefined && canonicalName(table) === canonicalName(after.name);
  const isAudited = updateTriggerOf(current.objects, isOn) !== undefined;
  const auditTrigger = isAudited ? updateTriggerOf(desired.objects, isOn) : undefined;
  const rebuild = { current: old, desired: after, withoutRowid, auditTrigger };
  const wanted = new Set(desired.indexes.map(canonicalIndex));
  const kept = current.indexes.filter(
    (index) => isOn(index.table) && wanted.has(canonicalIndex(index)),
  );
  // What is made by the same migration is filled when it is made.
  const mirrors = desired.objects.filter(
    ({ kind, table, name, sql }) =>
      (kind === "virtual table" || kind === "table") &&
      isOn(table) &&
      current.objects.some((object) => object.name === name && object.sql === sql),
  );
  const isChanged = changesValues(rebuild);
  const isStale = ({ kind }: PhysicalObject): boolean =>
    isChanged || (kind === "virtual table" && !keepsRowids(rebuild));
  return [
    ...rebuildStatements(rebuild),
    ...kept.map(createIndex),
    ...mirrors.filter(isStale).flatMap(refill),
  ];
}

/** Empties a search table, or a table of a rollup, and fills it anew. */
function refill({ kind, name, fill }: PhysicalObject): readonly string[] {
  const table = quoteIdentifier(name);
  if (fill === undefined) return [];
  const empty =
    kind === "table"
      ? `DELETE FROM ${table}`
      : `INSERT INTO ${table} (${table}) VALUES ('delete-all')`;
  return [empty, fill];
}

function hintsOf(list: readonly TableOperation[]): readonly string[] {
  const added = list.flatMap((entry) => (entry.kind === "add column" ? [entry.column] : []));
  return list.flatMap((operation) => {
    const { table } = operation;
    if (operation.kind === "add column" && needsValue(operation.column)) {
      const name = `${table}.${operation.column.name}`;
      return [
        `${name} is NOT NULL without a default: it fails when the table has rows. Give it a ` +
          "default, or add it nullable, fill it in a data step and make it NOT NULL after that",
      ];
    }
    if (operation.kind === "add constraint") return ruleHints(table, operation.constraint, added);
    return operation.kind === "change column" ? changeHints(operation) : [];
  });
}

/** What a rule asks of the rows that are there; one about a new column asks nothing of them. */
function ruleHints(
  table: string,
  rule: Constraint,
  added: readonly PhysicalColumn[],
): readonly string[] {
  if (carrierOf(rule, added) !== undefined) return [];
  switch (rule.type) {
    case "unique":
      return [
        `${table} gets UNIQUE (${rule.columns.join(", ")}): it fails when rows are equal there`,
      ];
    case "check":
      return [`${table} gets CHECK (${rule.expression}): it fails when a row does not meet it`];
    case "foreign key": {
      const { columns, table: other } = rule.key;
      const names = columns.map((column) => `${table}.${column}`).join(", ");
      return [`${names} must refer to ${other}: it fails when a row refers to nothing`];
    }
    default:
      return [];
  }
}

function changeHints({
  table,
  from,
  to,
}: Extract<Operation, { readonly kind: "change column" }>): readonly string[] {
  const name = `${table}.${to.name}`;
  const hints: string[] = [];
  if (!fits(from.type, to.type)) {
    hints.push(
      `${name} changes from ${from.type || "any type"} to ${to.type}: it fails when a value is ` +
        "none of that type. Convert the values first",
    );
  }
  if (!from.notNull && to.notNull) {
    hints.push(
      canonicalDefault(to.default) === null
        ? `${name} becomes NOT NULL (${columnWords(to)}): it fails when a row has NULL there`
        : `${name} becomes NOT NULL: rows that have NULL there get the default ${to.default}`,
    );
  }
  return hints;
}

/** Whether a STRICT table takes every value of the one type for the other. */
function fits(from: string, to: string): boolean {
  const [before, after] = [from.toUpperCase(), to.toUpperCase()];
  if (before === after || after === "ANY") return true;
  const numbers = ["INT", "INTEGER"];
  if (numbers.includes(before)) return [...numbers, "REAL", "TEXT"].includes(after);
  return before === "REAL" && after === "TEXT";
}

function needsValue(column: PhysicalColumn): boolean {
  return column.notNull && canonicalDefault(column.default) === null;
}

function lostFeatures(current: FileSchema, table: string): readonly string[] {
  const features = current.features.get(table) ?? [];
  return features.map((feature) => `rebuilding ${table} loses ${feature}`);
}
