/**
 * What a violated constraint means in the words of the entity. The store tells the kind, and for
 * most kinds the table and columns; here they become properties and an advice.
 */

import { isSpringhouseError, SpringhouseError } from "../core/errors.ts";
import { columnCheckName } from "../schema/constraint-facts.ts";
import type { Model } from "./model.ts";
import type { Models } from "./models.ts";

/** The same error with `entity`, `properties` and a message for people; others are given back. */
export function enrichConstraint(error: unknown, model: Model, models: Models): unknown {
  if (!isSpringhouseError(error, "CONSTRAINT") || "entity" in error.fields) return error;
  const { table } = error.fields;
  const owner = (typeof table === "string" ? models.ofTable(table) : undefined) ?? model;
  const properties = propertiesOf(error, owner);
  return new SpringhouseError("CONSTRAINT", messageFor(error, owner, properties), {
    cause: error,
    fields: { ...error.fields, entity: owner.name, properties },
  });
}

function messageFor(
  error: SpringhouseError,
  { name, facts }: Model,
  properties: readonly string[],
): string {
  const list = properties.join(", ");
  switch (error.fields["kind"]) {
    case "unique":
    case "primaryKey":
    case "rowid":
      return `"${name}": there is already a row with the same ${list || "key"}.`;
    case "notNull":
      return `"${name}": ${list} must not be null.`;
    case "check":
      if (list === "") return `"${name}": the check "${error.fields["constraint"]}" does not hold.`;
      return `"${name}": ${list} has a value that is not allowed.`;
    case "foreignKey":
      return (
        `"${name}": a foreign key does not hold. Either the row that ${list || "it"} refers to ` +
        "does not exist, or other rows still refer to this one."
      );
    default:
      return `"${facts.table}": ${error.message}`;
  }
}

function propertiesOf(error: SpringhouseError, model: Model): readonly string[] {
  const { kind, columns, constraint } = error.fields;
  if (Array.isArray(columns)) return columns.map((column) => propertyOf(model, String(column)));
  if (kind === "foreignKey") {
    const names = model.foreignKeys.flatMap(({ key }) => key.columns);
    return names.map((column) => propertyOf(model, column));
  }
  if (kind !== "check" && kind !== "unique") return [];
  for (const { facts } of model.parts) {
    const unique = facts.uniques.find(({ name }) => name === constraint);
    if (unique !== undefined) return unique.columns.map((column) => propertyOf(model, column));
    const checked = facts.columns.find(
      ({ name }) => columnCheckName(facts.table, name) === constraint,
    );
    if (checked !== undefined) return [checked.property];
  }
  return [];
}

function propertyOf({ fields }: Model, column: string): string {
  return fields.find((field) => field.column.name === column)?.property ?? column;
}
