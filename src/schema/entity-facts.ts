/**
 * From the declaration of an entity to its facts: columns, primary key, indexes and constraints
 * with their names, and the base. A declaration that cannot work is refused with the reason; what
 * needs a second entity to judge is left to the catalog.
 */

import { nearest, refuseUnknownKeys } from "../core/options.ts";
import type { AnyColumn, Columns } from "./column.ts";
import { actionOnColumnProblem, actionProblem, checkFixed, columnFacts } from "./column-facts.ts";
import type {
  BaseFact,
  ColumnFacts,
  EntityFacts,
  ForeignKeyFact,
  IndexFact,
  ReferentialAction,
} from "./facts.ts";
import { derivedName, nameProblem, tableNameProblem } from "./names.ts";
import { invalidSchema } from "./refuse.ts";

/** The options of `entity()` as this file reads them: no types of properties, the base as facts. */
export interface Declaration {
  readonly primaryKey?: readonly string[] | undefined;
  readonly indexes?: readonly IndexDeclaration[] | undefined;
  readonly uniques?: readonly UniqueDeclaration[] | undefined;
  readonly checks?: readonly { readonly name: string; readonly expression: string }[] | undefined;
  readonly foreignKeys?: readonly ForeignKeyDeclaration[] | undefined;
  readonly audit?: boolean | undefined;
  readonly search?: readonly string[] | undefined;
  readonly base?: BaseFact | undefined;
}

interface IndexDeclaration {
  readonly on: readonly (string | Readonly<Record<string, "asc" | "desc" | undefined>>)[];
  readonly unique?: boolean;
  readonly where?: string;
  readonly name?: string;
}

interface UniqueDeclaration {
  readonly on: readonly string[];
  readonly name?: string;
}

interface ForeignKeyDeclaration {
  readonly on: readonly string[];
  readonly references: { readonly table: string; readonly columns: readonly string[] };
  readonly onDelete?: ReferentialAction;
  readonly onUpdate?: ReferentialAction;
}

const OPTIONS = [
  "primaryKey",
  "indexes",
  "uniques",
  "checks",
  "foreignKeys",
  "audit",
  "search",
  "base",
] as const;

/** The name of the CHECK constraint that a column's kind and limits give. */
export function columnCheckName(table: string, column: string): string {
  return derivedName("ck", table, [column]);
}

/** The facts of an entity, frozen. */
export function entityFacts(table: string, declared: Columns, options: Declaration): EntityFacts {
  const problem = tableNameProblem(table);
  if (problem !== undefined) throw invalidSchema(String(table), undefined, problem);
  refuseUnknownKeys(options, OPTIONS, `Entity "${table}"`, "INVALID_SCHEMA");
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
  return Object.freeze(facts);
}

/** What all parts below need: the columns, and how to find one or refuse. */
class Draft {
  readonly table: string;
  readonly columns: readonly ColumnFacts[];
  readonly byProperty: ReadonlyMap<string, ColumnFacts>;

  constructor(table: string, columns: readonly ColumnFacts[]) {
    this.table = table;
    this.columns = columns;
    this.byProperty = new Map(columns.map((column) => [column.property, column]));
  }

  /** The columns of these properties, in order; `what` names the option. */
  find(properties: readonly string[], what: string): readonly ColumnFacts[] {
    if (properties.length === 0) throw this.refuse(`${what} names no property`);
    const twice = properties.find((name, index) => properties.indexOf(name) !== index);
    if (twice !== undefined) throw this.refuse(`${what} names the property twice`, twice);
    return properties.map((property) => {
      const column = this.byProperty.get(property);
      if (column !== undefined) return column;
      const near = nearest(property, [...this.byProperty.keys()]);
      const hint = near === undefined ? "" : `; did you mean "${near}"`;
      throw this.refuse(`${what} names a property that does not exist${hint}`, property);
    });
  }

  refuse(reason: string, property?: string): Error {
    return invalidSchema(this.table, property, reason);
  }

  /** The given name, checked, or the derived one. */
  name(given: string | undefined, prefix: string, columns: readonly string[]): string {
    const name = given ?? derivedName(prefix, this.table, columns);
    const problem = nameProblem(name);
    if (problem !== undefined) throw this.refuse(`the name "${name}": ${problem}`);
    return name;
  }

  refuseTwice(names: readonly string[], what: string): void {
    const lower = names.map((name) => name.toLowerCase());
    const twice = names.find((_, index) => lower.indexOf(lower[index] ?? "") !== index);
    if (twice !== undefined) throw this.refuse(`two ${what} have the name "${twice}"`);
  }
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
    const owner = owners.get(name.toLowerCase());
    if (owner !== undefined) {
      const reason = `has the same SQL name as "${owner}", "${name}"; give one by column()`;
      throw invalidSchema(table, property, reason);
    }
    owners.set(name.toLowerCase(), property);
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
    return [property, checkFixed(column, value, refuse)];
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

function uniquesOf(
  draft: Draft,
  declared: readonly UniqueDeclaration[] = [],
): EntityFacts["uniques"] {
  const single = draft.columns.filter((column) => column.unique).map(({ name }) => [name]);
  const uniques = [
    ...single.map((columns) => ({ name: draft.name(undefined, "uq", columns), columns })),
    ...declared.map(({ on, name }) => {
      const columns = draft.find(on, "uniques").map((column) => column.name);
      return { name: draft.name(name, "uq", columns), columns };
    }),
  ];
  draft.refuseTwice(
    uniques.map(({ name }) => name),
    "uniques",
  );
  return uniques;
}

function indexesOf(draft: Draft, declared: readonly IndexDeclaration[] = []): readonly IndexFact[] {
  const single = draft.columns.filter((column) => column.index);
  const indexes = [
    ...single.map((column) => indexOf(draft, { on: [column.property] })),
    ...declared.map((index) => indexOf(draft, index)),
  ];
  draft.refuseTwice(
    indexes.map(({ name }) => name),
    "indexes",
  );
  return indexes;
}

function indexOf(draft: Draft, { on, unique = false, where, name }: IndexDeclaration): IndexFact {
  const parts = on.flatMap((part): readonly (readonly [string, string | undefined])[] =>
    typeof part === "string" ? [[part, "asc"]] : Object.entries(part),
  );
  const odd = parts.find(([, direction]) => direction !== "asc" && direction !== "desc");
  if (odd !== undefined) throw draft.refuse('an index goes "asc" or "desc"', odd[0]);
  if (where?.trim() === "") throw draft.refuse("where of an index is empty");
  const found = draft.find(
    parts.map(([property]) => property),
    "indexes",
  );
  const columns = found.map((column, index) => ({
    name: column.name,
    descending: parts[index]?.[1] === "desc",
  }));
  const names = found.map((column) => column.name);
  return {
    name: draft.name(name, unique ? "uq" : "idx", names),
    columns,
    unique,
    ...(where === undefined ? {} : { where }),
  };
}

function checksOf(draft: Draft, checks: Declaration["checks"] = []): EntityFacts["checks"] {
  const derived = draft.columns.map((column) => columnCheckName(draft.table, column.name));
  for (const { name, expression } of checks) {
    draft.name(name ?? "", "ck", []);
    if (expression.trim() === "") throw draft.refuse(`the check "${name}" is empty`);
  }
  draft.refuseTwice([...derived, ...checks.map(({ name }) => name)], "checks");
  return checks.map(({ name, expression }) => ({ name, expression }));
}

function foreignKeysOf(
  draft: Draft,
  declared: readonly ForeignKeyDeclaration[] = [],
  base: BaseFact | undefined,
): readonly ForeignKeyFact[] {
  const toBase = draft.columns.filter((column) => base !== undefined && column.primaryKey);
  const single = draft.columns.filter((column) => !toBase.includes(column));
  const keys = single.flatMap(({ name, references }): readonly ForeignKeyFact[] => {
    if (references === undefined) return [];
    const { column, ...rest } = references;
    return [{ ...rest, columns: [name], references: [column] }];
  });
  if (base !== undefined) {
    keys.unshift({
      columns: toBase.map((column) => column.name),
      table: base.facts.table,
      references: toBase.map((column) => column.references?.column ?? column.name),
      onDelete: "cascade",
      onUpdate: "cascade",
    });
  }
  return [...keys, ...declared.map((key) => foreignKeyOf(draft, key))];
}

function foreignKeyOf(
  draft: Draft,
  { on, references, onDelete = "no action", onUpdate = "no action" }: ForeignKeyDeclaration,
): ForeignKeyFact {
  const columns = draft.find(on, "foreignKeys");
  if (columns.length !== references.columns.length) {
    throw draft.refuse(
      `a foreign key has ${columns.length} columns but refers to ${references.columns.length}`,
    );
  }
  const problem =
    actionProblem(onDelete) ??
    actionProblem(onUpdate) ??
    columns
      .map((column) => actionOnColumnProblem(column, [onDelete, onUpdate]))
      .find((reason) => reason !== undefined);
  if (problem !== undefined) throw draft.refuse(problem);
  const names = columns.map((column) => column.name);
  return {
    columns: names,
    table: references.table,
    references: references.columns,
    onDelete,
    onUpdate,
  };
}

function searchOf(draft: Draft, search: readonly string[] = []): readonly string[] {
  if (search.length === 0) return [];
  return draft.find(search, "search").map((column) => {
    if (column.kind === "text") return column.name;
    throw draft.refuse(`search is over text, not over ${column.kind}`, column.property);
  });
}
