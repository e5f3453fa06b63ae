/**
 * The operators of `where`, each as SQL in both dialects. They are written so that NULL makes them
 * false, except `ne` and `notIn`, which are the exact opposites of `eq` and `in`.
 */

import { SpringhouseError } from "../core/errors.ts";
import type { ColumnKind } from "../schema/facts.ts";
import type { SqlValue } from "../store/store.ts";
import type { Field } from "./field.ts";
import { inListSql } from "./in-list.ts";
import type { SqlText } from "./sql-text.ts";

/** Gives the condition and binds the values. */
export type Operator = (text: SqlText, field: Field, value: unknown) => string;

/** JSON has no equality that both databases agree on: the order of keys, 1 against 1.0. */
const KINDS_NOT_EQUAL: ReadonlySet<ColumnKind> = new Set<ColumnKind>(["json"]);
const KINDS_NOT_ORDERED: ReadonlySet<ColumnKind> = new Set<ColumnKind>(["json", "boolean"]);
const KINDS_OF_TEXT: ReadonlySet<ColumnKind> = new Set<ColumnKind>(["text", "enum"]);

/** All operators by name. */
export const OPERATORS: ReadonlyMap<string, Operator> = new Map<string, Operator>([
  ["eq", equal],
  ["ne", (text, field, value) => (value === null ? notNull(field) : differ(text, field, value))],
  ["gt", ordered(">")],
  ["gte", ordered(">=")],
  ["lt", ordered("<")],
  ["lte", ordered("<=")],
  ["in", oneOf],
  ["notIn", (text, field, value) => `(${oneOf(text, field, value)}) IS NOT TRUE`],
  ["like", like],
  ["startsWith", startsWith],
  ["endsWith", endsWith],
  ["contains", contains],
]);

/** The error for a value or operator that does not fit the field. */
export function refuseField(field: Field, reason: string): SpringhouseError {
  const { table, property } = field;
  return new SpringhouseError("INVALID_ARGUMENT", `"${table}": ${property} ${reason}.`, {
    fields: { table, property },
  });
}

function equal(text: SqlText, field: Field, value: unknown): string {
  if (value === null) return `${field.reference} IS NULL`;
  return `${field.reference} = ${text.bind(operand(field, value, KINDS_NOT_EQUAL))}`;
}

function differ(text: SqlText, field: Field, value: unknown): string {
  const operator = field.column.nullable ? "IS DISTINCT FROM" : "<>";
  return `${field.reference} ${operator} ${text.bind(operand(field, value, KINDS_NOT_EQUAL))}`;
}

function ordered(operator: string): Operator {
  return (text, field, value) =>
    `${field.reference} ${operator} ${text.bind(operand(field, value, KINDS_NOT_ORDERED))}`;
}

function oneOf(text: SqlText, field: Field, value: unknown): string {
  if (!Array.isArray(value)) throw refuseField(field, "takes a list for in and notIn");
  const given = value.filter((each) => each !== null);
  const values = given.map((each) => operand(field, each, KINDS_NOT_EQUAL));
  const listed = inListSql(text, field, values);
  if (given.length === value.length) return listed;
  return `(${listed} OR ${field.reference} IS NULL)`;
}

function like(text: SqlText, field: Field, value: unknown): string {
  const operator = text.dialect === "postgres" ? "ILIKE" : "LIKE";
  return `${field.reference} ${operator} ${text.bind(textValue(field, value))}`;
}

/** On SQLite a range, which an index can answer: texts are ordered by their code points there. */
function startsWith(text: SqlText, field: Field, value: unknown): string {
  const prefix = textValue(field, value);
  if (prefix === "") return notNull(field);
  if (text.dialect === "postgres") return `starts_with(${field.reference}, ${text.bind(prefix)})`;
  const from = `${field.reference} >= ${text.bind(prefix)}`;
  const end = afterPrefix(prefix);
  return end === undefined ? from : `${from} AND ${field.reference} < ${text.bind(end)}`;
}

function endsWith(text: SqlText, field: Field, value: unknown): string {
  const suffix = textValue(field, value);
  if (suffix === "") return notNull(field);
  const length = text.bind([...suffix].length);
  const end =
    text.dialect === "postgres"
      ? `right(${field.reference}, ${length}::int)`
      : `substr(${field.reference}, -${length})`;
  return `${end} = ${text.bind(suffix)}`;
}

function contains(text: SqlText, field: Field, value: unknown): string {
  const find = text.dialect === "postgres" ? "strpos" : "instr";
  return `${find}(${field.reference}, ${text.bind(textValue(field, value))}) > 0`;
}

function notNull(field: Field): string {
  return `${field.reference} IS NOT NULL`;
}

function operand(field: Field, value: unknown, refused: ReadonlySet<ColumnKind>): SqlValue {
  if (refused.has(field.column.kind)) {
    throw refuseField(field, `is ${field.column.kind}, which this operator cannot compare`);
  }
  if (value === null || value === undefined) {
    throw refuseField(field, `cannot be compared with ${value} by this operator`);
  }
  return field.operand(value);
}

function textValue(field: Field, value: unknown): string {
  if (!KINDS_OF_TEXT.has(field.column.kind)) {
    throw refuseField(field, `is ${field.column.kind}, and this operator is for text`);
  }
  if (typeof value === "string" && value.isWellFormed() && !value.includes("\0")) return value;
  throw refuseField(field, "takes a text for this operator, without NUL and lone surrogates");
}

const CODE_POINT_MAX = 0x10ffff;
const SURROGATE_MIN = 0xd800;
const SURROGATE_MAX = 0xdfff;

/** The first text after all that begin with `prefix`, or undefined when there is none. */
export function afterPrefix(prefix: string): string | undefined {
  const points = [...prefix];
  for (let last = points.pop(); last !== undefined; last = points.pop()) {
    const point = last.codePointAt(0) ?? 0;
    if (point === CODE_POINT_MAX) continue;
    const next =
      point + 1 >= SURROGATE_MIN && point + 1 <= SURROGATE_MAX ? SURROGATE_MAX + 1 : point + 1;
    return points.join("") + String.fromCodePoint(next);
  }
  return undefined;
}
