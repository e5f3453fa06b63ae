/**
 * From the declaration of an entity to its facts: columns, primary key, indexes and constraints
 * with their names, and the base. A declaration that cannot work is refused with the reason; what
 * needs a second entity to judge is left to the catalog.
 */

import { lowerAscii } from "../core/lower-ascii.ts";
import type { AnyColumn, Columns } from "./column.ts";
import { checkFixed, columnFacts } from "./column-facts.ts";
import { conditionProblem } from "./conditions.ts";
import {
  checksOf,
  Draft,
  type ForeignKeyDeclaration,
  foreignKeysOf,
  type IndexDeclaration,
  indexesOf,
  searchOf,
  type UniqueDeclaration,
  uniquesOf,
} from "./constraint-facts.ts";
import type { BaseFact, CheckFact, ColumnFacts, EntityFacts } from "./facts.ts";
import { invalidSchema } from "./refuse.ts";

/** The options of `entity()` as this file reads them: no types of properties, the base as facts. */
export interface Declaration {
  readonly primaryKey?: readonly string[] | undefined;
  readonly indexes?: readonly IndexDeclaration[] | undefined;
  readonly uniques?: readonly UniqueDeclaration[] | undefined;
  readonly checks?: readonly CheckFact[] | undefined;
  readonly foreignKeys?: readonly ForeignKeyDeclaration[] | undefined;
  readonly audit?: boolean | undefined;
  readonly search?: readonly string[] | undefined;
  readonly base?: BaseFact | undefined;
}

/** The facts of an entity, frozen. The options have the shape that their types say. */
export function entityFacts(table: string, declared: Columns, options: Declaration): EntityFacts {
  const columns = columnsOf(table, declared, options);
  const draft = new Draft(table, columns);
  const base = options.base === undefined ? undefined : checkBase(table, columns, options.base);
  const facts: EntityFacts = {
    table,
    columns,
    primaryKey: primaryKeyOf(draft, options.primaryKey),
    uniques: uniquesOf(draft, options.uniques),
    indexes: indexesOf(draft, options.indexes),
    checks: checksOf(draft, options.checks),
    foreignKeys: foreignKeysOf(draft, options.foreignKeys, base),
    audit: options.audit ?? false,
    search: searchOf(draft, options.search),
    ...(base === undefined ? {} : { base }),
    byProperty: draft.byProperty,
    byName: new Map(columns.map((column) => [column.name, column])),
  };
  const problem = conditionProblem(facts);
  if (problem !== undefined) throw draft.refuse(problem);
  return Object.freeze(facts);
}

function columnsOf(table: string, declared: Columns, options: Declaration): readonly ColumnFacts[] {
  const keys = options.primaryKey ?? [];
  const base = options.base?.facts;
  const inherited = base?.primaryKey ?? [];
  const own = Object.entries(declared).map(([property, column]) => {
    const above = inherited.find((key) => key.property === property);
    if (above !== undefined) return inheritedKey(table, above, base?.table ?? "", column);
    const isKey = column?.settings?.primaryKey === true || keys.includes(property);
    return columnFacts(table, property, column, isKey);
  });
  const missing = inherited
    .filter((key) => !Object.hasOwn(declared, key.property))
    .map((key) => inheritedKey(table, key, base?.table ?? ""));
  const columns = [...missing, ...own];
  refuseOneNameTwice(table, columns);
  const numbered = columns.filter((column) => column.primaryKey);
  return columns.map((column) =>
    Object.freeze(numbered.length === 1 ? asNumbered(column) : column),
  );
}

/** A single int key that nothing else gives a value is numbered by the database. */
function asNumbered(column: ColumnFacts): ColumnFacts {
  const isGiven = column.default !== undefined || column.references !== undefined;
  if (!column.primaryKey || column.kind !== "int" || isGiven) return column;
  return { ...column, default: { from: "rowid" } };
}

/** The key of a detail: the key of its base, with a name of its own when it is declared again. */
function inheritedKey(
  table: string,
  key: ColumnFacts,
  baseTable: string,
  declared?: AnyColumn,
): ColumnFacts {
  const settings = declared?.settings;
  if (settings !== undefined && settings.kind !== key.kind) {
    const reason = `is ${settings.kind} but ${key.kind} in the base "${baseTable}"`;
    throw invalidSchema(table, key.property, reason);
  }
  if (settings?.default !== undefined || settings?.references !== undefined) {
    const reason = "is the key of the base, so it takes its value and refers to it by itself";
    throw invalidSchema(table, key.property, reason);
  }
  const { default: _, refine: __, references: ___, onUpdateNow: ____, ...kept } = key;
  return {
    ...kept,
    name: settings?.name ?? key.name,
    unique: false,
    index: false,
    onUpdateNow: false,
    references: { table: baseTable, column: key.name, onDelete: "cascade", onUpdate: "cascade" },
  };
}

function refuseOneNameTwice(table: string, columns: readonly ColumnFacts[]): void {
  const owners = new Map<string, string>();
  for (const { name, property } of columns) {
    const owner = owners.get(lowerAscii(name));
    if (owner !== undefined) {
      const reason = `has the same SQL name as "${owner}", "${name}"; give one by column()`;
      throw invalidSchema(table, property, reason);
    }
    owners.set(lowerAscii(name), property);
  }
}

function checkBase(table: string, columns: readonly ColumnFacts[], base: BaseFact): BaseFact {
  const { facts } = base;
  if (facts.base !== undefined) {
    const reason = `the base "${facts.table}" is itself a detail of "${facts.base.facts.table}"`;
    throw invalidSchema(table, undefined, `${reason}; one level is supported`);
  }
  for (const column of columns) {
    if (column.primaryKey && !facts.byProperty.get(column.property)?.primaryKey) {
      const reason = `the primary key is that of the base "${facts.table}"`;
      throw invalidSchema(table, column.property, reason);
    }
    if (!column.primaryKey && facts.byProperty.has(column.property)) {
      throw invalidSchema(table, column.property, `is a property of the base "${facts.table}"`);
    }
  }
  const set = Object.entries(base.set).map(([property, value]) => {
    const refuse = (reason: string): Error => invalidSchema(table, property, `base.set: ${reason}`);
    const column = facts.byProperty.get(property);
    if (column === undefined) throw refuse(`the base "${facts.table}" has no such property`);
    if (column.primaryKey) throw refuse("the key cannot be fixed");
    const isNull = value === null && column.nullable;
    return [property, isNull ? null : checkFixed(column, value, refuse)];
  });
  return Object.freeze({ facts, set: Object.freeze(Object.fromEntries(set)) });
}

function primaryKeyOf(draft: Draft, named: readonly string[] | undefined): readonly ColumnFacts[] {
  const flagged = draft.columns.filter((column) => column.primaryKey);
  if (named === undefined) {
    if (flagged.length > 0) return flagged;
    throw draft.refuse("has no primary key; add primaryKey() to a column, or the option");
  }
  const key = draft.find(named, "primaryKey");
  const both = flagged.find((column) => !key.includes(column));
  if (both === undefined) return key;
  throw draft.refuse("has primaryKey() but is not in the option primaryKey", both.property);
}
