/** From the rows that a mapping gives to the values that are stored. */

import type { Issue } from "../../core/errors.ts";
import { SpringhouseError } from "../../core/errors.ts";
import { nearest } from "../../core/options.ts";
import type { SqlValue } from "../../core/statement.ts";
import { codecOf } from "../../schema/codec.ts";
import { factsOf } from "../../schema/entity.ts";
import type { ColumnFacts, EntityFacts } from "../../schema/facts.ts";
import { checkInsert } from "../../schema/validate.ts";
import type { Checked } from "../../schema/validate-plan.ts";
import type { ImportTables } from "./options.ts";
import type { TableShape } from "./plan.ts";

/** Rows of one item, ready to be written: the number of the shape, and the values. */
export interface EncodedRows {
  readonly shapes: number[];
  readonly rows: SqlValue[][];
}

/** What turns rows into values. */
export interface Encoder {
  /** All shapes that rows can have. */
  readonly shapes: readonly TableShape[];
  /**
   * Adds the rows of one item; a promise when a check of an entity answers later.
   *
   * @throws `VALIDATION` when a row is wrong.
   */
  encode(given: Readonly<Record<string, unknown>>, into: EncodedRows): void | Promise<void>;
}

/** Some columns of one table, in order. */
interface Part {
  readonly shape: number;
  readonly fields: readonly {
    readonly property: string;
    readonly encode: (value: unknown) => SqlValue;
  }[];
}

/** One table under the name that the mapping uses. */
interface Target {
  readonly facts: EntityFacts;
  /** With the key, and without it where the database numbers the rows. */
  readonly whole: readonly Part[];
  readonly numbered: readonly Part[] | undefined;
  /** Property that decides between the two. */
  readonly key: string;
}

/** Rows of entities: checked, filled with defaults, encoded. */
export class EntityEncoder implements Encoder {
  readonly #targets: ReadonlyMap<string, Target>;
  readonly #shapes: TableShape[] = [];

  /**
   * @param keys properties that tell rows apart, by name of the table.
   * @throws `INVALID_ARGUMENT` for a key that no entity has.
   */
  constructor(tables: ImportTables, keys: Readonly<Record<string, readonly string[] | undefined>>) {
    for (const name of Object.keys(keys)) refuseUnknown(name, Object.keys(tables), "keys");
    this.#targets = new Map(
      Object.entries(tables).map(([name, entity]) => [
        name,
        this.#target(factsOf(entity), keys[name]),
      ]),
    );
  }

  get shapes(): readonly TableShape[] {
    return this.#shapes;
  }

  encode(given: Readonly<Record<string, unknown>>, into: EncodedRows): void | Promise<void> {
    const names = Object.keys(given);
    for (let index = 0; index < names.length; index++) {
      const name = names[index] ?? "";
      const target = this.#targets.get(name);
      if (target === undefined) throw unknownTable(name, [...this.#targets.keys()]);
      const pending = encodeRows(target, given[name], into);
      if (pending === undefined) continue;
      const rest = Object.fromEntries(names.slice(index + 1).map((next) => [next, given[next]]));
      return pending.then(() => this.encode(rest, into));
    }
    return undefined;
  }

  #target(facts: EntityFacts, key: readonly string[] | undefined): Target {
    const tables = facts.base === undefined ? [facts] : [facts.base.facts, facts];
    const first = facts.primaryKey[0];
    const isNumbered = first?.default?.from === "rowid" && facts.base === undefined;
    const whole = tables.map((part) => this.#part(part, part.columns, key));
    const rest = facts.columns.filter((column) => column !== first);
    const numbered = isNumbered ? [this.#part(facts, rest, key ?? [])] : undefined;
    return { facts, whole, numbered, key: first?.property ?? "" };
  }

  #part(
    facts: EntityFacts,
    columns: readonly ColumnFacts[],
    key: readonly string[] | undefined,
  ): Part {
    const keyed =
      key === undefined ? facts.primaryKey.map(({ name }) => name) : keyNames(facts, key);
    const shape = this.#shapes.length;
    this.#shapes.push({ table: facts.table, columns: columns.map(({ name }) => name), key: keyed });
    const fields = columns.map((column) => ({
      property: column.property,
      encode: encoderOf(facts, column),
    }));
    return { shape, fields };
  }
}

/** JSON that has been checked needs no second look. */
function encoderOf({ table }: EntityFacts, column: ColumnFacts): (value: unknown) => SqlValue {
  if (column.kind !== "json") return codecOf(table, column, "sqlite").encode;
  return (value) => (value === null || value === undefined ? null : JSON.stringify(value));
}

function encodeRows(target: Target, given: unknown, into: EncodedRows): undefined | Promise<void> {
  if (given === undefined) return undefined;
  const rows = Array.isArray(given) ? given : [given];
  for (let index = 0; index < rows.length; index++) {
    const checked = checkInsert(target.facts, rows[index]);
    if (!(checked instanceof Promise)) {
      add(target, checked, into);
      continue;
    }
    return checked.then((result) => {
      add(target, result, into);
      return encodeRows(target, rows.slice(index + 1), into);
    });
  }
  return undefined;
}

type CheckResult = Awaited<ReturnType<typeof checkInsert>>;

function add(
  { facts, whole, numbered, key }: Target,
  result: CheckResult,
  into: EncodedRows,
): void {
  if (result.issues !== undefined) throw refused(facts, result.issues);
  const row: Checked = result.value;
  const parts = numbered !== undefined && !Object.hasOwn(row, key) ? numbered : whole;
  for (const { shape, fields } of parts) {
    into.shapes.push(shape);
    into.rows.push(fields.map(({ property, encode }) => encode(row[property])));
  }
}

function refused({ table }: EntityFacts, issues: readonly Issue[]): SpringhouseError {
  const list = issues.map(({ path, message }) => `${table}.${path.join(".")} ${message}`);
  return new SpringhouseError("VALIDATION", list.join("; "), { issues });
}

function keyNames(facts: EntityFacts, properties: readonly string[]): readonly string[] {
  if (properties.length === 0) return [];
  const names = properties.map((property) => {
    const column = facts.byProperty.get(property);
    if (column !== undefined) return column.name;
    refuseUnknown(property, [...facts.byProperty.keys()], `keys of "${facts.table}"`);
    return property;
  });
  const sorted = names.toSorted().join();
  const unique = [facts.primaryKey.map(({ name }) => name), ...facts.uniques.map((u) => u.columns)];
  if (unique.some((columns) => columns.toSorted().join() === sorted)) return names;
  const message = `keys: "${facts.table}" has no unique constraint on ${properties.join(", ")}.`;
  throw new SpringhouseError("INVALID_ARGUMENT", message, { fields: { table: facts.table } });
}

function refuseUnknown(name: string, known: readonly string[], what: string): void {
  if (known.includes(name)) return;
  const near = nearest(name, known);
  const hint = near === undefined ? "" : ` Did you mean "${near}"?`;
  const message = `${what}: "${name}" is unknown.${hint}`;
  throw new SpringhouseError("INVALID_ARGUMENT", message, { fields: { name } });
}

function unknownTable(name: string, known: readonly string[]): SpringhouseError {
  const message = `The mapping gives rows for "${name}". There are: ${known.join(", ")}.`;
  return new SpringhouseError("INVALID_ARGUMENT", message, { fields: { name, known } });
}
