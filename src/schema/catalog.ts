/**
 * All entities of one database together, and the rules that only show when they are seen together:
 * foreign keys must lead somewhere that can be referred to, and names must not be used twice.
 */

import { SpringhouseError } from "../core/errors.ts";
import { lowerAscii } from "../core/lower-ascii.ts";
import { nearest } from "../core/options.ts";
import { searchTableName } from "./ddl-search.ts";
import { factsOf } from "./entity.ts";
import type { ColumnFacts, EntityFacts, ForeignKeyFact } from "./facts.ts";
import { invalidSchema } from "./refuse.ts";
import type { Entity } from "./types.ts";

/** The facts of all entities. */
export interface Catalog {
  /** In the order in which they were given. */
  readonly entities: readonly EntityFacts[];
  /** Each after the tables it refers to, as far as there is no cycle. */
  readonly creationOrder: readonly EntityFacts[];
  /** Read like entities, by the names of their views. */
  readonly rollups: readonly EntityFacts[];
  /** Entities and rollups. */
  readonly byTable: ReadonlyMap<string, EntityFacts>;
  /** A column by SQL names, undefined when it is not declared. */
  column(table: string, column: string): ColumnFacts | undefined;
}

/**
 * Puts entities, and rollups of them, together and checks them against each other.
 *
 * @throws `INVALID_SCHEMA` naming the entity, the property and the reason; `INVALID_ARGUMENT` for
 * what is not a list of entities.
 */
export function createCatalog(
  declared: readonly Entity[],
  rolledUp: readonly Entity[] = [],
): Catalog {
  if (!Array.isArray(declared)) {
    throw new SpringhouseError("INVALID_ARGUMENT", "Entities are given as a list: [Week, Task].");
  }
  if (!Array.isArray(rolledUp)) {
    throw new SpringhouseError("INVALID_ARGUMENT", "Rollups are given as a list: [Statistics].");
  }
  const entities = declared.map(factsOf);
  const rollups = rolledUp.map(factsOf);
  const tables = new Map(entities.map((facts) => [facts.table, facts]));
  refuseNamesUsedTwice([...entities, ...rollups]);
  for (const facts of entities) {
    if (facts.rollup !== undefined) throw misplaced(facts, "a rollup, so give it under rollups");
    for (const key of facts.foreignKeys) checkForeignKey(facts, key, tables);
    checkBase(facts, tables);
  }
  for (const facts of rollups) checkSource(facts, tables);
  const byTable = new Map([...tables, ...rollups.map((facts) => [facts.table, facts] as const)]);
  return Object.freeze({
    entities,
    creationOrder: inCreationOrder(entities, tables),
    rollups,
    byTable,
    column: (table: string, column: string) => byTable.get(table)?.byName.get(column),
  });
}

/** Tables, indexes and UNIQUE constraints share one space of names, without regard to case. */
function refuseNamesUsedTwice(entities: readonly EntityFacts[]): void {
  const owners = new Map<string, string>();
  for (const { table, indexes, uniques, search } of entities) {
    const names = [table, ...[...indexes, ...uniques].map(({ name }) => name)];
    if (search.length > 0) names.push(...searchTables(table));
    for (const name of names) {
      const owner = owners.get(lowerAscii(name));
      if (owner !== undefined) {
        const reason = `the name "${name}" is used twice, here and by entity "${owner}"`;
        throw invalidSchema(table, undefined, `${reason}; each table and index needs its own`);
      }
      owners.set(lowerAscii(name), table);
    }
  }
}

/** The FTS5 table and the tables that FTS5 makes for itself. */
function searchTables(table: string): readonly string[] {
  return ["", "_config", "_data", "_docsize", "_idx"].map(
    (suffix) => `${searchTableName(table)}${suffix}`,
  );
}

function checkForeignKey(
  facts: EntityFacts,
  key: ForeignKeyFact,
  byTable: ReadonlyMap<string, EntityFacts>,
): void {
  const columns = key.columns.map((name) => facts.byName.get(name) as ColumnFacts);
  const property = columns.map((column) => column.property).join(", ");
  const refuse = (reason: string): Error => invalidSchema(facts.table, property, reason);
  const target = byTable.get(key.table);
  if (target === undefined) {
    throw refuse(`refers to ${missing("table", key.table, [...byTable.keys()])}`);
  }
  key.references.forEach((name, index) => {
    const referred = target.byName.get(name);
    if (referred === undefined) {
      const what = missing("column", name, [...target.byName.keys()]);
      throw refuse(`refers to ${what} in "${key.table}"`);
    }
    const kind = columns[index]?.kind;
    if (!isComparable(kind, referred.kind)) {
      throw refuse(`is ${kind} but refers to "${key.table}.${name}", which is ${referred.kind}`);
    }
  });
  if (isUniqueIn(target, key.references)) return;
  throw refuse(
    `refers to "${key.table}" (${key.references.join(", ")}), which is neither its primary key ` +
      "nor under uniques; the database would refuse every write",
  );
}

function missing(what: string, name: string, known: readonly string[]): string {
  const near = nearest(name, known);
  const hint = near === undefined ? "" : ` (is "${near}" meant?)`;
  return `the ${what} "${name}", which is not declared${hint}`;
}

/** An enum refers to a text and a text to an enum: both are stored as text. */
function isComparable(kind: string | undefined, referred: string): boolean {
  const plain = (name: string | undefined): string | undefined => (name === "enum" ? "text" : name);
  return plain(kind) === plain(referred);
}

function isUniqueIn(target: EntityFacts, columns: readonly string[]): boolean {
  const keys = [target.primaryKey.map(({ name }) => name), ...target.uniques.map((u) => u.columns)];
  return keys.some(
    (key) => key.length === columns.length && key.every((name) => columns.includes(name)),
  );
}

/** The base has to be the entity that is declared under that name, not another one. */
function checkBase({ table, base }: EntityFacts, byTable: ReadonlyMap<string, EntityFacts>): void {
  if (base === undefined || byTable.get(base.facts.table) === base.facts) return;
  const reason = `its base "${base.facts.table}" is not among the entities; give both`;
  throw new SpringhouseError("INVALID_SCHEMA", `Entity "${table}": ${reason}.`, {
    fields: { table },
  });
}

/** The source has to be the entity that is declared under that name, not another one. */
function checkSource(facts: EntityFacts, tables: ReadonlyMap<string, EntityFacts>): void {
  const source = facts.rollup?.source;
  if (source === undefined) throw misplaced(facts, "no rollup, so give it under entities");
  if (tables.get(source.table) === source) return;
  const reason = `its source "${source.table}" is not among the entities; give both`;
  throw invalidSchema(facts.table, undefined, reason);
}

function misplaced({ table }: EntityFacts, reason: string): SpringhouseError {
  return invalidSchema(table, undefined, `is ${reason}`);
}

/** Depth first along the foreign keys; a table that is being visited closes a cycle and waits. */
function inCreationOrder(
  entities: readonly EntityFacts[],
  byTable: ReadonlyMap<string, EntityFacts>,
): readonly EntityFacts[] {
  const visited = new Set<EntityFacts>();
  const order: EntityFacts[] = [];
  const visit = (facts: EntityFacts): void => {
    if (visited.has(facts)) return;
    visited.add(facts);
    for (const key of facts.foreignKeys) {
      const target = byTable.get(key.table);
      if (target !== undefined) visit(target);
    }
    order.push(facts);
  };
  for (const facts of entities) visit(facts);
  return order;
}
