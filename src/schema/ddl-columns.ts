/** Columns in the words of a dialect: types, defaults and what the values must meet. */

import { unreachable } from "../core/assert.ts";
import { codecOf } from "./codec.ts";
import type { ColumnFacts, ColumnKind } from "./facts.ts";
import type { Dialect, PhysicalColumn } from "./physical.ts";
import { literal, quoteIdentifier } from "./quote.ts";

const TYPES: Readonly<Record<Dialect, Readonly<Record<ColumnKind, string>>>> = {
  sqlite: {
    int: "INTEGER",
    bigint: "INTEGER",
    real: "REAL",
    text: "TEXT",
    boolean: "INTEGER",
    json: "TEXT",
    uuid: "TEXT",
    date: "TEXT",
    timestamp: "INTEGER",
    blob: "BLOB",
    enum: "TEXT",
  },
  postgres: {
    // JavaScript's whole numbers have 53 bits, more than `integer` holds.
    int: "bigint",
    bigint: "bigint",
    real: "double precision",
    text: "text",
    boolean: "boolean",
    json: "jsonb",
    uuid: "uuid",
    date: "date",
    // Milliseconds, as `Date` has: with microseconds a value that was read is not found again.
    timestamp: "timestamptz(3)",
    blob: "bytea",
    enum: "text",
  },
};

const NOW: Readonly<Record<Dialect, Readonly<Record<"timestamp" | "date", string>>>> = {
  sqlite: {
    // Rounded, because the product of a fraction may lie just below the whole number.
    timestamp: "CAST(round(unixepoch('subsec') * 1000) AS INTEGER)",
    date: "date('now')",
  },
  postgres: { timestamp: "now()", date: "(now() AT TIME ZONE 'UTC')::date" },
};

const UUID_GLOB = [8, 4, 4, 4, 12].map((digits) => "[0-9a-f]".repeat(digits)).join("-");
const DATE_GLOB = [4, 2, 2].map((digits) => "[0-9]".repeat(digits)).join("-");

/** A column as it stands in the database. */
export function physicalColumn(
  table: string,
  column: ColumnFacts,
  dialect: Dialect,
): PhysicalColumn {
  const expression = defaultExpression(table, column, dialect);
  return {
    name: column.name,
    type: TYPES[dialect][column.kind],
    notNull: !column.nullable,
    ...(expression === undefined ? {} : { default: expression }),
    ...(dialect === "postgres" && column.default?.from === "rowid" ? { identity: true } : {}),
  };
}

function defaultExpression(
  table: string,
  column: ColumnFacts,
  dialect: Dialect,
): string | undefined {
  switch (column.default?.from) {
    case undefined:
    case "random":
    case "rowid":
      return undefined;
    case "now":
      return NOW[dialect][column.kind === "date" ? "date" : "timestamp"];
    case "value":
      return literal(codecOf(table, column, dialect).encode(column.default.value), dialect);
    default:
      return unreachable(column.default);
  }
}

/** What the values of a column must meet as one SQL expression, if its type does not say all. */
export function columnCondition(column: ColumnFacts, dialect: Dialect): string | undefined {
  const name = quoteIdentifier(column.name);
  const conditions = [
    ...(dialect === "sqlite" ? sqliteForm(column.kind, name) : []),
    ...(column.values === undefined ? [] : [`${name} IN (${column.values.map(text).join(", ")})`]),
    ...limit(name, ">=", column.min),
    ...limit(name, "<=", column.max),
    ...limit(`length(${name})`, ">=", column.minLength === 0 ? undefined : column.minLength),
    ...limit(`length(${name})`, "<=", column.maxLength),
  ];
  return conditions.length === 0 ? undefined : conditions.join(" AND ");
}

/** The form of kinds that SQLite has no type for. With NULL it is unknown: a CHECK accepts that. */
function sqliteForm(kind: ColumnKind, name: string): readonly string[] {
  switch (kind) {
    case "boolean":
      return [`${name} IN (0, 1)`];
    case "json":
      return [`json_valid(${name})`];
    case "uuid":
      return [`${name} GLOB '${UUID_GLOB}'`];
    case "date":
      // The form first: `date('now')` is an error inside a CHECK.
      return [`${name} GLOB '${DATE_GLOB}'`, `date(${name}) IS ${name}`];
    default:
      return [];
  }
}

function limit(what: string, operator: string, value: number | undefined): readonly string[] {
  return value === undefined ? [] : [`${what} ${operator} ${value}`];
}

function text(value: string): string {
  return literal(value, "sqlite");
}
