/**
 * Insert, or change the row that stands in the way: ON CONFLICT … DO UPDATE, never REPLACE, which
 * would delete the row with everything that refers to it. Only what the caller gave is changed, so
 * `createdAt` and other defaults keep their values.
 */

import { SpringhouseError } from "../core/errors.ts";
import { validateInsert, validatePatch } from "../schema/validate.ts";
import type { Checked } from "../schema/validate-plan.ts";
import type { CallOptions, SqlValue, Statement } from "../store/store.ts";
import type { Field } from "./field.ts";
import { insertOne } from "./insert.ts";
import { isUnique } from "./link.ts";
import { type Model, type Row, rowOfFields } from "./model.ts";
import { type Narrowing, permissionDenied } from "./permissions.ts";
import { conditionSql, keyCondition, selectWhere } from "./read.ts";
import { isWanted, raiseChange } from "./row-events.ts";
import { inTransaction, type Scope, writeUnit } from "./scope.ts";
import { SqlText } from "./sql-text.ts";
import { patchRow } from "./update.ts";
import { whereSql } from "./where.ts";

/** The row as it stands afterwards. */
export async function upsertRow(
  scope: Scope,
  model: Model,
  input: unknown,
  on: readonly string[] | undefined,
  narrowing: Narrowing,
  options: CallOptions,
): Promise<Row> {
  const checked = validateInsert(model.facts, input, scope.validation);
  const values = checked instanceof Promise ? await checked : checked;
  const conflict = conflictFields(model, on, values);
  const patch = givenChanges(model, input as Row, conflict);
  if (model.parts.length > 1) {
    return upsertByParts(scope, model, input as Row, values, conflict, patch, narrowing, options);
  }
  const changes = await validatePatch(model.facts, patch, scope.validation);
  const upsert = upsertStatement(model, values, changes, conflict, narrowing);
  const isListened = isWanted(scope, model, "Created") || isWanted(scope, model, "Updated");
  const unit = isListened ? [selectByFields(model, conflict, values), upsert] : [upsert];
  const results = await writeUnit(scope, model, unit, options);
  const after = results.at(-1)?.rows[0];
  if (after === undefined) throw denied(scope, model);
  const row = rowOfFields(model.own.fields, after);
  const before = isListened ? results[0]?.rows[0] : undefined;
  if (before === undefined) raiseChange(scope, model, "Created", { new: row });
  else raiseChange(scope, model, "Updated", { old: model.row(before), new: row });
  return row;
}

/** Two tables have no common ON CONFLICT, so the row is looked for inside the transaction. */
function upsertByParts(
  scope: Scope,
  model: Model,
  input: Row,
  values: Checked,
  conflict: readonly Field[],
  patch: Row,
  narrowing: Narrowing,
  options: CallOptions,
): Promise<Row> {
  return inTransaction(scope, model, options, async (inner) => {
    const { rows } = await inner.session.read(selectByFields(model, conflict, values));
    if (rows[0] === undefined) return insertOne(inner, model, input, {});
    const key = model.keyOf(model.row(rows[0]));
    if (narrowing !== undefined && !(await isAllowed(inner, model, key, narrowing))) {
      throw denied(scope, model);
    }
    return patchRow(inner, model, key, patch, undefined, {});
  });
}

async function isAllowed(
  { session }: Scope,
  model: Model,
  key: unknown,
  narrowing: Narrowing,
): Promise<boolean> {
  const text = new SqlText(model.dialect);
  const byKey = keyCondition(model.key, model.keyValues(key), text);
  const condition = `${byKey} AND ${conditionSql(model, undefined, narrowing, text)}`;
  const { rows } = await session.read(text.statement(selectWhere(model, condition)));
  return rows.length > 0;
}

/** The properties that tell whether the row exists; they have to be unique and given. */
function conflictFields(
  model: Model,
  on: readonly string[] | undefined,
  values: Checked,
): readonly Field[] {
  const isList = Array.isArray(on) && on.every((property) => typeof property === "string");
  if (on !== undefined && !isList) throw refused(model, "on takes a list of properties");
  const fields = on === undefined ? model.key : on.map((property) => model.field(property));
  const names = fields.map(({ property }) => property).join(", ");
  if (fields.length === 0 || !isUnique(model, fields)) {
    throw refused(model, `on (${names}) is neither the key nor a unique constraint`);
  }
  const missing = fields.find(({ property }) => !Object.hasOwn(values, property));
  if (missing === undefined) return fields;
  throw refused(model, `${missing.property} is not given; name other unique properties by on`);
}

/** What the caller gave to be written, apart from what finds the row. */
function givenChanges(model: Model, input: Row, conflict: readonly Field[]): Row {
  const fixed = model.facts.base?.set ?? {};
  const changed = model.fields.filter(
    (field) =>
      !field.column.primaryKey &&
      !conflict.includes(field) &&
      !Object.hasOwn(fixed, field.property),
  );
  return Object.fromEntries(changed.map(({ property }) => [property, input[property]]));
}

function upsertStatement(
  model: Model,
  values: Checked,
  changes: Checked,
  conflict: readonly Field[],
  narrowing: Narrowing,
): Statement {
  const { table, fields } = model.own;
  const text = new SqlText(model.dialect);
  const given = fields.filter(({ property }) => Object.hasOwn(values, property));
  const inserted = text.bindAll(given.map(({ encode, property }) => encode(values[property])));
  const target = conflict.map((field) => field.name).join(", ");
  const changed = fields.filter(({ property }) => Object.hasOwn(changes, property));
  const set = changed.map(
    ({ name, encode, property }) => `${name} = ${text.bind(encode(changes[property]))}`,
  );
  // Without a change the row is still wanted back, which DO NOTHING would not give.
  if (set.length === 0) set.push(`${conflict[0]?.name} = excluded.${conflict[0]?.name}`);
  const where = narrowing === undefined ? "" : ` WHERE ${whereSql(model, narrowing, text)}`;
  return text.statement(
    `INSERT INTO ${table} (${given.map((field) => field.name).join(", ")}) VALUES (${inserted}) ` +
      `ON CONFLICT (${target}) DO UPDATE SET ${set.join(", ")}${where} ` +
      `RETURNING ${fields.map((field) => field.name).join(", ")}`,
  );
}

function selectByFields(model: Model, fields: readonly Field[], values: Checked): Statement {
  const text = new SqlText(model.dialect);
  const wanted = fields.map(({ encode, property }): SqlValue => encode(values[property]));
  return text.statement(selectWhere(model, keyCondition(fields, wanted, text)));
}

function denied(scope: Scope, model: Model): SpringhouseError {
  return permissionDenied(model, { entity: model.name, action: "update", actor: scope.actor });
}

function refused(model: Model, reason: string): SpringhouseError {
  return new SpringhouseError("INVALID_ARGUMENT", `upsert of "${model.name}": ${reason}.`, {
    fields: { entity: model.name },
  });
}
