/** Indexes and constraints of an entity, from properties to SQL names, each with its own name. */

import { lowerAscii } from "../core/lower-ascii.ts";
import { nearest } from "../core/options.ts";
import { actionOnColumnProblem, actionProblem } from "./column-facts.ts";
import type {
  BaseFact,
  CheckFact,
  ColumnFacts,
  EntityFacts,
  ForeignKeyFact,
  IndexFact,
  ReferentialAction,
} from "./facts.ts";
import { derivedName, nameProblem } from "./names.ts";
import { invalidSchema } from "./refuse.ts";

/** An index as it was declared. */
export interface IndexDeclaration {
  readonly on: readonly (string | Readonly<Record<string, "asc" | "desc" | undefined>>)[];
  readonly unique?: boolean;
  readonly where?: string;
  readonly name?: string;
}

/** A UNIQUE constraint as it was declared. */
export interface UniqueDeclaration {
  readonly on: readonly string[];
  readonly name?: string;
}

/** A foreign key as it was declared. */
export interface ForeignKeyDeclaration {
  readonly on: readonly string[];
  readonly references: { readonly table: string; readonly columns: readonly string[] };
  readonly onDelete?: ReferentialAction;
  readonly onUpdate?: ReferentialAction;
}

/** What all parts of a declaration need: the columns, and how to find one or refuse. */
export class Draft {
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
    const lower = names.map(lowerAscii);
    const twice = names.find((_, index) => lower.indexOf(lower[index] ?? "") !== index);
    if (twice !== undefined) throw this.refuse(`two ${what} have the name "${twice}"`);
  }
}

/** The name of the CHECK constraint that a column's kind and limits give. */
export function columnCheckName(table: string, column: string): string {
  return derivedName("ck", table, [column]);
}

/** UNIQUE constraints: those of single columns, then the declared ones. */
export function uniquesOf(
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

/** Indexes: those of single columns, then the declared ones. */
export function indexesOf(
  draft: Draft,
  declared: readonly IndexDeclaration[] = [],
): readonly IndexFact[] {
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

/** CHECK constraints of the entity; those of columns follow from their kinds and limits. */
export function checksOf(draft: Draft, checks: readonly CheckFact[] = []): EntityFacts["checks"] {
  const derived = draft.columns.map((column) => columnCheckName(draft.table, column.name));
  for (const { name, expression } of checks) {
    draft.name(name ?? "", "ck", []);
    if (expression.trim() === "") throw draft.refuse(`the check "${name}" is empty`);
  }
  draft.refuseTwice([...derived, ...checks.map(({ name }) => name)], "checks");
  return checks.map(({ name, expression }) => ({ name, expression }));
}

/** Foreign keys: to the base, those of single columns, then the declared ones. */
export function foreignKeysOf(
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

/** SQL names of the columns under full-text search. */
export function searchOf(draft: Draft, search: readonly string[] = []): readonly string[] {
  if (search.length === 0) return [];
  return draft.find(search, "search").map((column) => {
    if (column.kind !== "text") {
      throw draft.refuse(`search is over text, not over ${column.kind}`, column.property);
    }
    if (lowerAscii(column.name) !== "rank") return column.name;
    throw draft.refuse('FTS5 reserves the name "rank"; give another by column()', column.property);
  });
}
