/**
 * What separates two schemas: a pure function from both to the list of operations between them.
 *
 * What the desired schema does not know is left alone unless the caller says "drop": whole tables,
 * views and foreign triggers may belong to another program. Inside a declared table everything
 * counts, for the declaration says all of what the table is.
 */

import { mentions } from "../core/sql-tokens.ts";
import type {
  PhysicalColumn,
  PhysicalObject,
  PhysicalSchema,
  PhysicalTable,
} from "../schema/physical.ts";
import { isInternal, isOwnObject } from "./internal.ts";
import {
  canonicalColumn,
  canonicalIndex,
  canonicalName,
  canonicalObject,
  constraintsOf,
} from "./normalise.ts";
import type { Operation } from "./operation.ts";
import { applyRenames, type Rename, renameOperations } from "./rename.ts";

/** For `diff`. */
export interface DiffOptions {
  /** Declared renames; they come first among the operations. Default: none. */
  readonly renames?: readonly Rename[];
  /** What to do with tables, views and triggers that are not desired. Default: "keep". */
  readonly undeclared?: "keep" | "drop";
}

/** The operations that turn `current` into `desired`; empty when they are the same. */
export function diff(
  current: PhysicalSchema,
  desired: PhysicalSchema,
  options: DiffOptions = {},
): readonly Operation[] {
  const renames = options.renames ?? [];
  const renamed = applyRenames(current, renames);
  const drop = options.undeclared === "drop";
  return [
    ...renameOperations(renames),
    ...diffTables(renamed, desired, drop),
    ...diffIndexes(renamed, desired, drop),
    ...diffObjects(renamed, desired, drop),
  ];
}

/** What `diff` leaves alone because `desired` does not know it, in words. */
export function undeclaredIn(current: PhysicalSchema, desired: PhysicalSchema): readonly string[] {
  const tables = byName(desired.tables);
  const objects = byName(desired.objects);
  return [
    ...current.tables
      .filter((table) => !tables.has(canonicalName(table.name)) && !isInternal(table.name))
      .map((table) => `table ${table.name} is not declared; it is left alone`),
    ...current.objects
      .filter((object) => !objects.has(canonicalName(object.name)))
      .filter((object) => !isInternal(object.name) && !goes(object, current, desired))
      .map((object) => `${object.kind} ${object.name} is not declared; it is left alone`),
  ];
}

/** The schema that `current` becomes: `desired`, and what of `current` is left alone. */
export function merge<Schema extends PhysicalSchema>(
  current: Schema,
  desired: PhysicalSchema,
): Schema {
  const tables = byName(desired.tables);
  const objects = byName(desired.objects);
  return {
    ...current,
    tables: [
      ...current.tables.filter((table) => !tables.has(canonicalName(table.name))),
      ...desired.tables,
    ],
    indexes: [
      ...current.indexes.filter((index) => !tables.has(canonicalName(index.table))),
      ...desired.indexes,
    ],
    objects: [
      ...current.objects
        .filter((object) => !objects.has(canonicalName(object.name)))
        .filter((object) => !goes(object, current, desired)),
      ...desired.objects,
    ],
  };
}

function diffTables(current: PhysicalSchema, desired: PhysicalSchema, drop: boolean): Operation[] {
  const operations: Operation[] = [];
  const before = byName(current.tables);
  const after = byName(desired.tables);
  for (const table of desired.tables) {
    const old = before.get(canonicalName(table.name));
    if (old === undefined) operations.push({ kind: "create table", table });
    else operations.push(...diffTable(old, table));
  }
  if (!drop) return operations;
  for (const table of current.tables) {
    if (!after.has(canonicalName(table.name))) operations.push({ kind: "drop table", table });
  }
  return operations;
}

function diffTable(current: PhysicalTable, desired: PhysicalTable): Operation[] {
  const operations: Operation[] = [];
  const table = desired.name;
  const before = byName(current.columns);
  const after = byName(desired.columns);
  for (const column of desired.columns) {
    const old = before.get(canonicalName(column.name));
    if (old === undefined) operations.push({ kind: "add column", table, column });
    else if (canonicalColumn(old, current) !== canonicalColumn(column, desired)) {
      operations.push({ kind: "change column", table, from: old, to: column });
    }
  }
  for (const column of current.columns) {
    if (!after.has(canonicalName(column.name))) {
      operations.push({ kind: "drop column", table, column });
    }
  }
  const [oldRules, newRules] = [constraintsOf(current), constraintsOf(desired)];
  for (const [key, constraint] of newRules) {
    if (!oldRules.has(key)) operations.push({ kind: "add constraint", table, constraint });
  }
  for (const [key, constraint] of oldRules) {
    if (!newRules.has(key)) operations.push({ kind: "drop constraint", table, constraint });
  }
  return operations;
}

function diffIndexes(current: PhysicalSchema, desired: PhysicalSchema, drop: boolean): Operation[] {
  const operations: Operation[] = [];
  const tables = byName(desired.tables);
  const after = byName(desired.indexes);
  const kept = new Set<string>();
  for (const index of current.indexes) {
    const name = canonicalName(index.name);
    const wanted = after.get(name);
    const isDeclared = tables.has(canonicalName(index.table));
    if (wanted !== undefined && canonicalIndex(wanted) === canonicalIndex(index)) kept.add(name);
    else if (wanted !== undefined || isDeclared || drop)
      operations.push({ kind: "drop index", index });
  }
  for (const index of desired.indexes) {
    if (!kept.has(canonicalName(index.name))) operations.push({ kind: "create index", index });
  }
  return operations;
}

function diffObjects(current: PhysicalSchema, desired: PhysicalSchema, drop: boolean): Operation[] {
  const operations: Operation[] = [];
  const after = byName(desired.objects);
  const kept = new Set<string>();
  for (const object of current.objects) {
    const name = canonicalName(object.name);
    const wanted = after.get(name);
    if (wanted !== undefined && canonicalObject(wanted.sql) === canonicalObject(object.sql)) {
      kept.add(name);
    } else if (wanted !== undefined || drop || goes(object, current, desired)) {
      operations.push({ kind: "drop object", object });
    }
  }
  for (const object of desired.objects) {
    if (!kept.has(canonicalName(object.name))) operations.push({ kind: "create object", object });
  }
  return operations;
}

/** Whether an object that is not declared goes nevertheless. */
function goes(object: PhysicalObject, current: PhysicalSchema, desired: PhysicalSchema): boolean {
  if (isOwnObject(object, desired)) return true;
  if (object.kind !== "index") return false;
  const isReplaced = byName(desired.indexes).has(canonicalName(object.name));
  return isReplaced || losesColumn(object, current, desired);
}

/** Whether an index is over a column that goes. */
function losesColumn(
  { table = "", sql }: PhysicalObject,
  current: PhysicalSchema,
  desired: PhysicalSchema,
): boolean {
  const columnsOf = ({ tables }: PhysicalSchema): readonly PhysicalColumn[] | undefined =>
    tables.find(({ name }) => canonicalName(name) === canonicalName(table))?.columns;
  const after = columnsOf(desired);
  if (after === undefined) return false;
  const gone = columnsOf(current)?.filter(({ name }) => !byName(after).has(canonicalName(name)));
  return gone?.some(({ name }) => mentions(sql, name)) ?? false;
}

function byName<Entry extends { readonly name: string }>(
  entries: readonly Entry[],
): ReadonlyMap<string, Entry> {
  return new Map(entries.map((entry) => [canonicalName(entry.name), entry]));
}
