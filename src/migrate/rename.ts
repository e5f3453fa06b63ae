/**
 * Renames, declared and never guessed: a column that went and one that came look the same as one
 * that got a new name, and only the author knows which it is.
 */

import { SpringhouseError } from "../core/errors.ts";
import { codeTokens, identifierOf, isWord, mentions, tokenize } from "../core/sql-tokens.ts";
import type { ForeignKeyFact } from "../schema/facts.ts";
import type {
  PhysicalIndex,
  PhysicalObject,
  PhysicalSchema,
  PhysicalTable,
} from "../schema/physical.ts";
import { isInternal } from "./internal.ts";
import { canonicalName } from "./normalise.ts";
import type { Operation } from "./operation.ts";

/** A table, or with `column` one of its columns, and its new name. All are SQL names. */
export interface Rename {
  /** For a column of a table that is renamed too: the table's new name. */
  readonly table: string;
  readonly column?: string;
  readonly to: string;
}

/** The renames as operations. */
export function renameOperations(renames: readonly Rename[]): readonly Operation[] {
  return renames.map(({ table, column, to }) =>
    column === undefined
      ? { kind: "rename table", table, to }
      : { kind: "rename column", table, column, to },
  );
}

/** The renames that lead back, in the order in which they have to be made. */
export function inverseRenames(renames: readonly Rename[]): readonly Rename[] {
  return renames.toReversed().map(({ table, column, to }) => {
    return column === undefined ? { table: to, to: table } : { table, column: to, to: column };
  });
}

/**
 * The schema as it is after the renames, tables before their columns: what SQLite makes of it,
 * references from other objects included.
 *
 * @throws `INVALID_ARGUMENT` when the old name does not exist or the new one does.
 */
export function applyRenames<Schema extends PhysicalSchema>(
  schema: Schema,
  renames: readonly Rename[],
): Schema {
  let result = schema;
  for (const rename of renames) result = applyRename(result, rename);
  return result;
}

/** The rename that a statement makes; undefined when it makes none. */
export function renameOf(sql: string): Rename | undefined {
  const tokens = codeTokens(sql);
  if (!isWord(tokens[0], "alter") || !isWord(tokens[1], "table")) return undefined;
  const at = tokens.findIndex((token, index) => index > 2 && isWord(token, "rename"));
  const table = identifierOf(tokens[at - 1]);
  const words = tokens.slice(at + 1).filter((token) => !isWord(token, "column"));
  if (at === -1) return undefined;
  if (isWord(words[0], "to")) return { table, to: identifierOf(words[1]) };
  return { table, column: identifierOf(words[0]), to: identifierOf(words[2]) };
}

/** The renames that the schema allows, one after the other; the others made what is new in it. */
export function applicableRenames(
  schema: PhysicalSchema,
  renames: readonly Rename[],
): readonly Rename[] {
  let result = schema;
  return renames.filter((rename) => {
    if (problemOf(result, rename) !== undefined) return false;
    result = applyRename(result, rename);
    return true;
  });
}

/**
 * Refuses a rename to a name that `desired` does not have: a slip of the pen would be planned as a
 * rename and a loss.
 *
 * @throws `INVALID_ARGUMENT` naming what is declared.
 */
export function checkTargets(desired: PhysicalSchema, renames: readonly Rename[]): void {
  for (const { table, column, to } of renames) {
    if (column === undefined) continue;
    const columns = desired.tables.find(({ name }) => same(name, table))?.columns;
    if (columns === undefined || columns.some(({ name }) => same(name, to))) continue;
    const known = columns.map(({ name }) => name).join(", ");
    throw refuse(`${table} has no column of that name in the declaration; it has ${known}`, {
      table,
      column,
      to,
    });
  }
}

function applyRename<Schema extends PhysicalSchema>(schema: Schema, rename: Rename): Schema {
  const problem = problemOf(schema, rename);
  if (problem !== undefined) throw refuse(problem, { ...rename });
  return {
    ...schema,
    tables: schema.tables.map((table) => renameInTable(table, rename)),
    indexes: schema.indexes.map((index) => renameInIndex(index, rename)),
    objects: schema.objects.map((object) => renameInObject(object, rename)),
  };
}

function problemOf(schema: PhysicalSchema, { table, column, to }: Rename): string | undefined {
  const facts = schema.tables.find((entry) => same(entry.name, table));
  const names = column === undefined ? schema.tables : (facts?.columns ?? []);
  const what = column === undefined ? "table" : `column of ${table}`;
  const from = column ?? table;
  if (facts === undefined || !names.some(({ name }) => same(name, from))) {
    return `there is no ${what} named "${from}"`;
  }
  if (!same(from, to) && names.some(({ name }) => same(name, to))) {
    return `there is already a ${what} named "${to}"`;
  }
  return undefined;
}

function refuse(reason: string, fields: Record<string, unknown>): SpringhouseError {
  return new SpringhouseError("INVALID_ARGUMENT", `Rename to "${fields["to"]}": ${reason}.`, {
    fields,
  });
}

function renameInTable(table: PhysicalTable, rename: Rename): PhysicalTable {
  const foreignKeys = table.foreignKeys.map((key) => renameInKey(key, table.name, rename));
  if (!same(table.name, rename.table)) return { ...table, foreignKeys };
  const { column, to } = rename;
  if (column === undefined) return { ...table, name: to, foreignKeys };
  const list = (names: readonly string[]): readonly string[] => replaceIn(names, column, to);
  return {
    ...table,
    columns: table.columns.map((entry) =>
      same(entry.name, column) ? { ...entry, name: to } : entry,
    ),
    primaryKey: list(table.primaryKey),
    uniques: table.uniques.map((unique) => ({ ...unique, columns: list(unique.columns) })),
    checks: table.checks.map((entry) => ({
      ...entry,
      expression: replaceName(entry.expression, column, to),
    })),
    foreignKeys,
  };
}

function renameInKey(key: ForeignKeyFact, owner: string, rename: Rename): ForeignKeyFact {
  const { table, column, to } = rename;
  if (column === undefined) return same(key.table, table) ? { ...key, table: to } : key;
  return {
    ...key,
    columns: same(owner, table) ? replaceIn(key.columns, column, to) : key.columns,
    references: same(key.table, table) ? replaceIn(key.references, column, to) : key.references,
  };
}

function renameInIndex(index: PhysicalIndex, { table, column, to }: Rename): PhysicalIndex {
  if (!same(index.table, table)) return index;
  if (column === undefined) return { ...index, table: to };
  return {
    ...index,
    columns: index.columns.map((part) => (same(part.name, column) ? { ...part, name: to } : part)),
    ...(index.where !== undefined && { where: replaceName(index.where, column, to) }),
  };
}

/**
 * Texts of our own stay as they are: they do not follow the rename as the declaration wants it, so
 * the difference shows and they are made anew. A virtual table's text SQLite leaves alone as well.
 */
function renameInObject(object: PhysicalObject, { table, column, to }: Rename): PhysicalObject {
  const isOn = object.table !== undefined && same(object.table, table);
  const moved = isOn && column === undefined ? { ...object, table: to } : object;
  if (object.kind === "virtual table" || isInternal(object.name)) return moved;
  if (!isOn && !mentions(object.sql, table)) return moved;
  return { ...moved, sql: replaceName(object.sql, column ?? table, to) };
}

/** Replaces an identifier outside strings and comments. */
function replaceName(sql: string, from: string, to: string): string {
  let result = "";
  let at = 0;
  for (const token of tokenize(sql)) {
    const isIdentifier = token.kind === "word" || token.kind === "name";
    if (!isIdentifier || !same(identifierOf(token), from)) continue;
    result += `${sql.slice(at, token.start)}"${to.replaceAll('"', '""')}"`;
    at = token.end;
  }
  return result + sql.slice(at);
}

function replaceIn(list: readonly string[], from: string, to: string): readonly string[] {
  return list.map((name) => (same(name, from) ? to : name));
}

function same(a: string, b: string): boolean {
  return canonicalName(a) === canonicalName(b);
}
