/**
 * The `where` language: from plain data to a SQL condition. Names are looked up in the model and
 * values become parameters, so nothing of the input is ever part of the SQL text.
 *
 * A row matches or it does not; there is no third value, also where NULL is involved: `not` gives
 * exactly the rows that its condition does not give.
 */

import { SpringhouseError } from "../core/errors.ts";
import { LOGIC } from "../schema/column-facts.ts";
import type { Field } from "./field.ts";
import type { Model } from "./model.ts";
import { OPERATORS, refuseField } from "./operators.ts";
import type { SqlText } from "./sql-text.ts";

/** Nobody writes deeper conditions, and SQLite's parser stops at an expression depth of 1,000. */
const DEPTH_MAX = 50;
/** A list stands in one row up to here, which reads better; each of its items is a level. */
const ROW_ITEMS_MAX = 8;

/**
 * The condition in SQL; values are bound to `text`.
 *
 * @throws `UNKNOWN_FIELD` for a property or operator that does not exist, `INVALID_ARGUMENT` for a
 * value that cannot be compared with the property.
 */
export function whereSql(model: Model, where: unknown, text: SqlText, depth = 0): string {
  if (depth > DEPTH_MAX) throw refused(`is nested deeper than ${DEPTH_MAX}`);
  if (!isPlainObject(where)) {
    throw refused("must be an object with properties and conditions");
  }
  const parts = Object.entries(where).map(([name, value]) => {
    if (name === "not") return `(${whereSql(model, value, text, depth + 1)}) IS NOT TRUE`;
    if (name === "and" || name === "or") return listSql(model, name, value, text, depth);
    return propertySql(model, name, value, text);
  });
  return parts.length === 0 ? "TRUE" : parts.join(" AND ");
}

function listSql(
  model: Model,
  name: "and" | "or",
  value: unknown,
  text: SqlText,
  depth: number,
): string {
  if (!Array.isArray(value)) throw refused(`takes a list of conditions for "${name}"`);
  if (value.length === 0) return name === "and" ? "TRUE" : "FALSE";
  const parts = value.map((each) => `(${whereSql(model, each, text, depth + 1)})`);
  return name === "and" ? joined(parts, " AND ") : `(${joined(parts, " OR ")})`;
}

/** A long list as a balanced tree: SQLite counts one level of depth for each item of a row. */
function joined(parts: readonly string[], word: string): string {
  if (parts.length <= ROW_ITEMS_MAX) return parts.join(word);
  const middle = parts.length >> 1;
  const halves = [parts.slice(0, middle), parts.slice(middle)];
  return halves.map((half) => `(${joined(half, word)})`).join(word);
}

function propertySql(model: Model, name: string, value: unknown, text: SqlText): string {
  const field = model.byProperty.get(name);
  if (field === undefined) {
    return model.refuseUnknown(name, "field", [...model.properties, ...LOGIC]);
  }
  if (isOperators(value)) return operatorsSql(model, field, value, text);
  if (value !== undefined) return operatorSql(model, field, "eq", value, text);
  throw refuseField(field, "is undefined: leave it out to match all rows, give null for NULL");
}

function operatorsSql(model: Model, field: Field, operators: object, text: SqlText): string {
  const entries = Object.entries(operators);
  if (entries.length === 0) throw refuseField(field, "has an object without any operator");
  return entries.map(([name, value]) => operatorSql(model, field, name, value, text)).join(" AND ");
}

function operatorSql(
  model: Model,
  field: Field,
  name: string,
  value: unknown,
  text: SqlText,
): string {
  const operator = OPERATORS.get(name);
  if (operator === undefined) {
    return model.refuseUnknown(name, `operator for ${field.property}`, [...OPERATORS.keys()]);
  }
  return operator(text, field, value);
}

/** Values that are objects themselves (dates, bytes) are compared with; others are operators. */
function isOperators(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  return !(value instanceof Date || value instanceof Uint8Array || Array.isArray(value));
}

function refused(reason: string): SpringhouseError {
  return new SpringhouseError("INVALID_ARGUMENT", `where ${reason}.`);
}

/** A Map, a Date and the like have no conditions to read, and would match every row. */
function isPlainObject(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
