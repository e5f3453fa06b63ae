/**
 * The `where` language: from plain data to a SQL condition. Names are looked up in the model and
 * values become parameters, so nothing of the input is ever part of the SQL text.
 *
 * A row matches or it does not; there is no third value, also where NULL is involved: `not` gives
 * exactly the rows that its condition does not give.
 */

import { SpringhouseError } from "../core/errors.ts";
import { isPlainObject } from "../core/plain-object.ts";
import { LOGIC } from "../schema/column-facts.ts";
import type { Field } from "./field.ts";
import type { Model } from "./model.ts";
import { OPERATORS, refuseField } from "./operators.ts";
import type { SqlText } from "./sql-text.ts";

/** Nobody writes deeper conditions, and SQLite's parser stops at an expression depth of 1,000. */
const DEPTH_MAX = 50;

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
  refuseSymbols(where);
  const parts = Object.entries(where).map(([name, value]) => {
    if (name === "not") return `(${whereSql(model, value, text, depth + 1)}) IS NOT TRUE`;
    if (name === "and" || name === "or") return listSql(model, name, value, text, depth);
    return propertySql(model, name, value, text);
  });
  return parts.length === 0 ? "TRUE" : parts.join(" AND ");
}

/** Operators of other libraries are symbols; passed over, they would make a condition match all. */
function refuseSymbols(where: object): void {
  const [symbol] = Object.getOwnPropertySymbols(where);
  if (symbol !== undefined) throw refused(`has the symbol ${String(symbol)}, which means nothing`);
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
  return balanced(parts, name === "and" ? " AND " : " OR ");
}

/** Halves in parentheses: the depth of a long list is that of a tree, which SQLite bounds. */
function balanced(parts: readonly string[], operator: string): string {
  if (parts.length === 1) return parts.join();
  const middle = parts.length >> 1;
  const left = balanced(parts.slice(0, middle), operator);
  const right = balanced(parts.slice(middle), operator);
  return `(${left}${operator}${right})`;
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
  refuseSymbols(operators);
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
export function isOperators(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  return !(value instanceof Date || value instanceof Uint8Array || Array.isArray(value));
}

function refused(reason: string): SpringhouseError {
  return new SpringhouseError("INVALID_ARGUMENT", `where ${reason}.`);
}
