/** Changes of a row by key: patch what is given, or replace everything. */

import type { Issue } from "../core/errors.ts";
import { isPlainObject } from "../core/plain-object.ts";
import { checkPatch, validatePatch, validationError } from "../schema/validate.ts";
import type { Checked } from "../schema/validate-plan.ts";
import type { SqlValue, Statement, UnitOptions } from "../store/store.ts";
import type { Field } from "./field.ts";
import { type Model, type Part, type Row, rowOfFields } from "./model.ts";
import type { Narrowing } from "./permissions.ts";
import { keyCondition, readOne, selectByKey } from "./read.ts";
import { isWanted, raiseChange } from "./row-events.ts";
import { inTransaction, notFound, type Scope, writeUnit } from "./scope.ts";
import { SqlText } from "./sql-text.ts";
import { whereSql } from "./where.ts";

/** Writes the given properties; the row as it stands afterwards. `NOT_FOUND` when there is none. */
export async function patchRow(
  scope: Scope,
  model: Model,
  key: unknown,
  changes: unknown,
  narrowing: Narrowing,
  options: UnitOptions,
): Promise<Row> {
  const checked = validatePatch(model.facts, changes, scope.validation);
  const values = checked instanceof Promise ? await checked : checked;
  return writeChanges(scope, model, key, values, narrowing, options);
}

/** Writes all properties; those that are missing are refused. */
export async function replaceRow(
  scope: Scope,
  model: Model,
  key: unknown,
  input: unknown,
  narrowing: Narrowing,
  options: UnitOptions,
): Promise<Row> {
  const values = await checkReplacement(scope, model, key, input);
  return writeChanges(scope, model, key, values, narrowing, options);
}

async function writeChanges(
  scope: Scope,
  model: Model,
  key: unknown,
  values: Checked,
  narrowing: Narrowing,
  options: UnitOptions,
): Promise<Row> {
  const keyValues = model.keyValues(key);
  const images = await changedImages(scope, model, key, keyValues, values, narrowing, options);
  if (images.new === undefined) throw notFound(model, key);
  if (images.isChanged) raiseChange(scope, model, "Updated", images);
  return images.new;
}

interface Images {
  readonly old?: Row | undefined;
  readonly new?: Row | undefined;
  readonly isChanged: boolean;
}

async function changedImages(
  scope: Scope,
  model: Model,
  key: unknown,
  keyValues: readonly SqlValue[],
  values: Checked,
  narrowing: Narrowing,
  options: UnitOptions,
): Promise<Images> {
  if (Object.keys(values).length === 0) {
    const row = await readOne(scope, model, key, narrowing, options);
    return { new: row, isChanged: false };
  }
  if (model.parts.length > 1) {
    return changedByParts(scope, model, keyValues, values, narrowing, options);
  }
  const update = updateStatement(model, model.own, keyValues, values, narrowing);
  const wanted = isWanted(scope, model, "Updated");
  const unit = wanted ? [selectByKey(model, keyValues, narrowing), update] : [update];
  const results = await writeUnit(scope, model, unit, options);
  const after = results.at(-1)?.rows[0];
  const before = wanted ? results[0]?.rows[0] : undefined;
  return {
    old: before === undefined ? undefined : model.row(before),
    new: after === undefined ? undefined : rowOfFields(model.own.fields, after),
    isChanged: true,
  };
}

/** A row of two tables: found first, so that no part of a row is written that is not ours. */
function changedByParts(
  scope: Scope,
  model: Model,
  key: readonly SqlValue[],
  values: Checked,
  narrowing: Narrowing,
  options: UnitOptions,
): Promise<Images> {
  return inTransaction(scope, model, options, async ({ session }) => {
    const before = (await session.read(selectByKey(model, key, narrowing))).rows[0];
    if (before === undefined) return { isChanged: false };
    const updates = model.parts
      .filter((part) => changedFields(part, values).length > 0)
      .map((part) => updateStatement(model, part, key, values, undefined));
    await session.write(updates);
    const after = (await session.read(selectByKey(model, key, undefined))).rows[0];
    return {
      old: model.row(before),
      new: after === undefined ? undefined : model.row(after),
      isChanged: true,
    };
  });
}

/** UPDATE of one table's columns; gives all of them. */
function updateStatement(
  model: Model,
  part: Part,
  key: readonly SqlValue[],
  values: Checked,
  narrowing: Narrowing,
): Statement {
  const fields = changedFields(part, values);
  const parameters = fields.map(({ encode, property }) => encode(values[property]));
  if (narrowing !== undefined) {
    const text = new SqlText(model.dialect);
    return text.statement(updateSql(part, fields, parameters, key, text, narrowing, model));
  }
  const shape = `update ${part.facts.table} ${fields.map((field) => field.property).join()}`;
  const sql = model.sql(shape, () =>
    updateSql(part, fields, parameters, key, new SqlText(model.dialect), undefined, model),
  );
  return { sql, parameters: [...parameters, ...key] };
}

function updateSql(
  part: Part,
  fields: readonly Field[],
  values: readonly SqlValue[],
  key: readonly SqlValue[],
  text: SqlText,
  narrowing: Narrowing,
  model: Model,
): string {
  const set = fields.map(
    (field, index) => `${field.name} = ${text.bind(values[index] as SqlValue)}`,
  );
  const where = keyCondition(part.key, key, text);
  const narrowed = narrowing === undefined ? "" : ` AND ${whereSql(model, narrowing, text)}`;
  const all = part.fields.map((field) => field.name).join(", ");
  return `UPDATE ${part.table} SET ${set.join(", ")} WHERE ${where}${narrowed} RETURNING ${all}`;
}

function changedFields(part: Part, values: Checked): readonly Field[] {
  return part.fields.filter(
    (field) => !part.key.includes(field) && Object.hasOwn(values, field.property),
  );
}

/**
 * Everything but the key must be there. The key may be, when it is the same; what is set by the
 * database at each update may be too, and is set nevertheless, because whoever replaces a row has
 * read it before.
 */
async function checkReplacement(
  scope: Scope,
  model: Model,
  key: unknown,
  input: unknown,
): Promise<Checked> {
  const given = withoutOwnKey(model, key, input);
  const result = await checkPatch(model.facts, given, scope.validation);
  const missing = missingProperties(model, given).map(
    (property): Issue => ({
      path: [property],
      message: "is missing; patch() takes a part of a row",
    }),
  );
  const issues = [...(result.issues ?? []), ...missing];
  if (issues.length > 0) throw validationError(model.facts, issues);
  return result.issues === undefined ? result.value : {};
}

function withoutOwnKey(model: Model, key: unknown, input: unknown): unknown {
  if (!isPlainObject(input)) return input;
  const rest: Row = { ...input };
  const keyValues = model.keyValues(key);
  model.key.forEach((field, index) => {
    const value = rest[field.property];
    if (value === undefined || value === null) return;
    if (field.operand(value) === keyValues[index]) delete rest[field.property];
  });
  for (const { property, column } of model.fields) if (column.onUpdateNow) delete rest[property];
  return rest;
}

function missingProperties(model: Model, input: unknown): readonly string[] {
  if (!isPlainObject(input)) return [];
  const fixed = model.facts.base?.set ?? {};
  return model.fields
    .filter(({ column }) => !column.primaryKey && !column.onUpdateNow)
    .map(({ property }) => property)
    .filter((property) => !Object.hasOwn(fixed, property))
    .filter((property) => input[property] === undefined);
}
