/** Deletes: one row by key, or all that match. A detail goes with its base, by the foreign key. */

import { SpringhouseError } from "../core/errors.ts";
import type { Statement, UnitOptions } from "../store/store.ts";
import type { Model } from "./model.ts";
import type { Narrowing } from "./permissions.ts";
import { conditionSql, keyCondition, selectWhere } from "./read.ts";
import { isWanted, raiseChanges } from "./row-events.ts";
import { type Scope, writeUnit } from "./scope.ts";
import { SqlText } from "./sql-text.ts";
import { whereSql } from "./where.ts";

/** Deletes the row with this key; whether there was one. */
export async function deleteRow(
  scope: Scope,
  model: Model,
  key: unknown,
  narrowing: Narrowing,
  options: UnitOptions,
): Promise<boolean> {
  const values = model.keyValues(key);
  const condition = (text: SqlText): string => {
    const byKey = keyCondition(model.key, values, text);
    return narrowing === undefined ? byKey : `${byKey} AND ${whereSql(model, narrowing, text)}`;
  };
  return (await deleteRows(scope, model, condition, options)) > 0;
}

/**
 * Deletes all rows that match; how many there were.
 *
 * @throws `INVALID_ARGUMENT` without conditions: a forgotten one must not empty a table.
 */
export async function deleteWhere(
  scope: Scope,
  model: Model,
  where: unknown,
  narrowing: Narrowing,
  options: UnitOptions,
): Promise<number> {
  if (where === undefined) {
    throw new SpringhouseError(
      "INVALID_ARGUMENT",
      `deleteMany of "${model.name}" takes conditions: give \`{}\` to delete all rows.`,
      { fields: { entity: model.name } },
    );
  }
  const condition = (text: SqlText): string => conditionSql(model, where, narrowing, text);
  return deleteRows(scope, model, condition, options);
}

async function deleteRows(
  scope: Scope,
  model: Model,
  condition: (text: SqlText) => string,
  options: UnitOptions,
): Promise<number> {
  const statement = (build: (condition: string) => string): Statement => {
    const text = new SqlText(model.dialect);
    return text.statement(build(condition(text)));
  };
  const remove = statement((where) => deleteSql(model, where));
  if (!isWanted(scope, model, "Deleted")) {
    const [result] = await writeUnit(scope, model, [remove], options);
    return result?.changes ?? 0;
  }
  const select = statement((where) => selectWhere(model, where));
  const [selected, result] = await writeUnit(scope, model, [select, remove], options);
  const rows = Iterator.from(selected?.rows ?? []).map((values) => ({ old: model.row(values) }));
  await raiseChanges(scope, model, "Deleted", rows);
  return result?.changes ?? 0;
}

function deleteSql(model: Model, condition: string): string {
  const [first] = model.parts;
  if (first === undefined || first === model.own) {
    return `DELETE FROM ${model.own.table} WHERE ${condition}`;
  }
  const baseKey = first.key.map((field) => field.reference).join(", ");
  const ownKey = model.key.map((field) => field.reference).join(", ");
  const [left, right] = first.key.length === 1 ? [baseKey, ownKey] : [`(${baseKey})`, ownKey];
  return (
    `DELETE FROM ${first.table} WHERE ${left} IN ` +
    `(SELECT ${right} FROM ${model.source} WHERE ${condition})`
  );
}
