/**
 * An entity compiled for one dialect: its properties, where its rows come from, and how a result
 * row becomes an object. A detail entity has two tables, the base's first; everything that writes
 * goes table by table over `parts`, so a plain entity is the case of one.
 */

import { SpringhouseError } from "../core/errors.ts";
import { nearest } from "../core/options.ts";
import type { EntityFacts, ForeignKeyFact } from "../schema/facts.ts";
import type { Dialect } from "../schema/physical.ts";
import { quoteIdentifier } from "../schema/quote.ts";
import type { SqlValue } from "../store/store.ts";
import { type Field, fieldOf } from "./field.ts";

/** Programs have a few dozen; patches of every set of columns must not fill the memory. */
const SHAPES_MAX = 500;

/** A row as plain data. */
export type Row = Record<string, unknown>;

/** One table of an entity. */
export interface Part {
  readonly facts: EntityFacts;
  /** The table in SQL: `"tasks"`. */
  readonly table: string;
  readonly fields: readonly Field[];
  readonly key: readonly Field[];
}

/** A foreign key and the table that has it. */
export interface HeldKey {
  readonly holder: string;
  readonly key: ForeignKeyFact;
}

/** An entity compiled for one dialect. */
export class Model {
  readonly facts: EntityFacts;
  readonly dialect: Dialect;
  /** Name of the entity for messages: its table. */
  readonly name: string;
  /** The tables that a row is spread over: base before detail. */
  readonly parts: readonly Part[];
  /** The entity's own table, the last of the parts. */
  readonly own: Part;
  /** All properties in the order of a row. */
  readonly fields: readonly Field[];
  readonly byProperty: ReadonlyMap<string, Field>;
  readonly key: readonly Field[];
  /** What follows FROM: the table, or detail and base joined. */
  readonly source: string;
  /** What follows SELECT: all properties in the order of `fields`. */
  readonly selection: string;

  /** What the entity is called in events: `task`. */
  readonly eventName: string;
  readonly #texts = new Map<string, string>();

  constructor(facts: EntityFacts, dialect: Dialect, eventName: string) {
    this.facts = facts;
    this.dialect = dialect;
    this.name = facts.table;
    this.eventName = eventName;
    this.own = partOf(facts, dialect);
    const base = facts.base === undefined ? undefined : partOf(facts.base.facts, dialect);
    this.parts = base === undefined ? [this.own] : [base, this.own];
    this.key = this.own.key;
    this.fields = base === undefined ? this.own.fields : joinedFields(base, this.own);
    this.byProperty = new Map(this.fields.map((field) => [field.property, field]));
    this.source = base === undefined ? this.own.table : joinedSource(base, this.own);
    this.selection = this.fields.map((field) => field.reference).join(", ");
  }

  /** The field of a property, or `UNKNOWN_FIELD` naming the nearest one. */
  field(property: string): Field {
    return this.byProperty.get(property) ?? this.refuseUnknown(property, "field", this.properties);
  }

  get properties(): readonly string[] {
    return this.fields.map((field) => field.property);
  }

  refuseUnknown(given: string, what: string, known: readonly string[]): never {
    const near = nearest(given, known);
    const hint = near === undefined ? "" : ` Did you mean "${near}"?`;
    throw new SpringhouseError(
      "UNKNOWN_FIELD",
      `"${this.name}": unknown ${what} ${JSON.stringify(given)}.${hint} ` +
        `Known: ${known.join(", ")}.`,
      { fields: { table: this.name, name: given, known } },
    );
  }

  /** SQL text of one shape, built once. Values must not be part of a shape. */
  sql(shape: string, build: () => string): string {
    const known = this.#texts.get(shape);
    if (known !== undefined) return known;
    if (this.#texts.size >= SHAPES_MAX) this.#texts.clear();
    const text = build();
    this.#texts.set(shape, text);
    return text;
  }

  /** A row from the values of `selection`. */
  row(values: readonly SqlValue[]): Row {
    return rowOfFields(this.fields, values);
  }

  /** The stored values of a key, as given by a caller. */
  keyValues(key: unknown): readonly SqlValue[] {
    const [only] = this.key;
    if (this.key.length === 1 && only !== undefined) return [this.#keyValue(only, key)];
    if (typeof key !== "object" || key === null || Array.isArray(key)) {
      const names = this.key.map((field) => field.property).join(", ");
      throw this.#badKey(`is an object with ${names}`);
    }
    const given = key as Row;
    for (const property of Object.keys(given)) {
      if (!this.key.some((field) => field.property === property)) {
        this.refuseUnknown(
          property,
          "part of the key",
          this.key.map((field) => field.property),
        );
      }
    }
    return this.key.map((field) => this.#keyValue(field, given[field.property]));
  }

  /** The key of a row as callers give it: the value, or an object when it has several columns. */
  keyOf(row: Row): unknown {
    const [only] = this.key;
    if (this.key.length === 1 && only !== undefined) return row[only.property];
    return Object.fromEntries(this.key.map(({ property }) => [property, row[property]]));
  }

  /** Foreign keys by the table that holds them, save the one that ties a detail to its base. */
  get foreignKeys(): readonly HeldKey[] {
    return this.parts.flatMap(({ facts }) =>
      facts.foreignKeys
        .filter((key) => !this.#leadsToBase(key))
        .map((key) => ({ holder: facts.table, key })),
    );
  }

  /** The field of a column by table and SQL name, both as they stand in the facts. */
  fieldOfColumn(table: string, name: string): Field | undefined {
    const part = this.parts.find(({ facts }) => facts.table === table);
    return part?.fields.find(({ column }) => column.name === name);
  }

  /** Detail and base are one row, not two related ones. */
  #leadsToBase(key: ForeignKeyFact): boolean {
    const names = this.own.key.map(({ column }) => column.name);
    return (
      key.table === this.facts.base?.facts.table &&
      key.columns.length === names.length &&
      key.columns.every((name) => names.includes(name))
    );
  }

  #keyValue(field: Field, value: unknown): SqlValue {
    if (value !== null && value !== undefined) return field.operand(value);
    throw this.#badKey(`needs a value for ${field.property}, not ${value}`);
  }

  #badKey(reason: string): SpringhouseError {
    return new SpringhouseError("INVALID_ARGUMENT", `The key of "${this.name}" ${reason}.`, {
      fields: { table: this.name },
    });
  }
}

/** A row from values in the order of `fields`. */
export function rowOfFields(fields: readonly Field[], values: readonly SqlValue[]): Row {
  const row: Row = {};
  for (let index = 0; index < fields.length; index++) {
    const { property, decode } = fields[index] as Field;
    row[property] = decode(values[index] as SqlValue);
  }
  return row;
}

/** A text that is the same exactly for the same stored values. */
export function keyText(values: readonly SqlValue[]): string {
  return values.map(valueText).join("\u0000");
}

function valueText(value: SqlValue): string {
  if (value instanceof Uint8Array) return `b${Buffer.from(value).toString("hex")}`;
  return typeof value === "string" ? `t${value}` : `n${value}`;
}

function partOf(facts: EntityFacts, dialect: Dialect): Part {
  const fields = facts.columns.map((column) => fieldOf(facts, column, dialect));
  const key = facts.primaryKey.map(
    (column) => fields.find((field) => field.column.property === column.property) as Field,
  );
  return { facts, table: quoteIdentifier(facts.table), fields, key };
}

/** The key comes from the detail, so that a read by key starts at its own, smaller table. */
function joinedFields(base: Part, own: Part): readonly Field[] {
  const ofKey = (field: Field): Field =>
    own.key.find(({ property }) => property === field.property) ?? field;
  return [...base.fields.map(ofKey), ...own.fields.filter((field) => !own.key.includes(field))];
}

function joinedSource(base: Part, own: Part): string {
  const on = own.key.map((field) => {
    const above = base.key.find(({ property }) => property === field.property);
    return `${above?.reference} = ${field.reference}`;
  });
  return `${own.table} JOIN ${base.table} ON ${on.join(" AND ")}`;
}
