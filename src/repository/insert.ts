/** Inserts: one row, many rows, and the statements that they are made of. */

import { type Issue, isSpringhouseError, SpringhouseError } from "../core/errors.ts";
import { validateInsert, validateInserts, validationError } from "../schema/validate.ts";
import type { Checked } from "../schema/validate-plan.ts";
import type { CallOptions, ResultSet, SqlValue, Statement } from "../store/store.ts";
import type { Field } from "./field.ts";
import { type Model, type Part, type Row, rowOfFields } from "./model.ts";
import { isWanted, raiseChange, raiseChanges } from "./row-events.ts";
import { inTransaction, type Scope, withReasons, writeUnit } from "./scope.ts";
import { SqlText } from "./sql-text.ts";

/** Rows that are checked and sent at a time: enough to be fast, little enough to keep in memory. */
export const CHUNK_ROWS = 500;

/**
 * What is gathered is sent after so long at the latest: the writer waits for it, and its deadline
 * is meant for a source that stalls, not for one that gives its rows slowly.
 */
const GATHER_MS_MAX = 4;

/** Many rows, however they come. */
export type Rows = Iterable<unknown> | AsyncIterable<unknown>;

/** Checks and inserts one row; gives it as it stands in the database. */
export async function insertOne(
  scope: Scope,
  model: Model,
  input: unknown,
  options: CallOptions,
): Promise<Row> {
  const checked = validateInsert(model.facts, input, scope.validation);
  const values = checked instanceof Promise ? await checked : checked;
  const row = isNumbered(model, values)
    ? await inTransaction(scope, model, options, (inner) => insertByParts(inner, model, values))
    : insertedRow(
        model,
        await writeUnit(scope, model, insertStatements(model, values), options),
        0,
      );
  raiseChange(scope, model, "Created", { new: row });
  return row;
}

/** Checks the rows, a list of them whole, and inserts them in one transaction. */
export async function insertMany(
  scope: Scope,
  model: Model,
  inputs: Rows,
  options: CallOptions,
): Promise<number> {
  if (model.parts.length > 1 || isWanted(scope, model, "Created")) {
    return (await insertReturning(scope, model, inputs, options)).length;
  }
  const chunks = checkedChunks(scope, model, inputs);
  const first = await chunks.next();
  if (first.done === true) return 0;
  const shape = shapeOf(model.own, first.value[0] as Checked);
  const sql = insertSql(model, shape, false);
  const rows = parameterRows(model, shape, first.value, chunks);
  return withReasons(scope, model, () => scope.session.writeMany(sql, rows, options));
}

/** As `insertMany`, but gives the rows, in the order of the inputs. */
export async function insertReturning(
  scope: Scope,
  model: Model,
  inputs: Rows,
  options: CallOptions,
): Promise<Row[]> {
  const bulk = { ...options, deadlineFor: "pauses" } as const;
  const chunks = checkedChunks(scope, model, inputs);
  const first = await chunks.next();
  if (first.done === true) return [];
  const rows = await inTransaction(scope, model, bulk, async (inner) => {
    const inserted = await insertChunk(inner, model, first.value);
    for await (const chunk of chunks) inserted.push(...(await insertChunk(inner, model, chunk)));
    return inserted;
  });
  const created = Iterator.from(rows).map((row) => ({ new: row }));
  await raiseChanges(scope, model, "Created", created);
  return rows;
}

/** One statement for each table of the entity. The key has to be known if there are several. */
function insertStatements(model: Model, values: Checked): readonly Statement[] {
  return model.parts.map((part) => {
    const shape = shapeOf(part, values);
    return { sql: insertSql(model, shape, true), parameters: encodedValues(shape, values) };
  });
}

/** The row from the results of `insertStatements`, of which the first is at `at`. */
function insertedRow(model: Model, results: readonly ResultSet[], at: number): Row {
  const rows = model.parts.map((part, index) =>
    rowOfFields(part.fields, results[at + index]?.rows[0] ?? []),
  );
  return Object.assign({}, ...rows) as Row;
}

/** Whether the database numbers the row and the number is needed for a second table. */
function isNumbered(model: Model, values: Checked): boolean {
  return (
    model.parts.length > 1 && model.key.some(({ property }) => !Object.hasOwn(values, property))
  );
}

async function insertByParts(scope: Scope, model: Model, values: Checked): Promise<Row> {
  let row: Row = {};
  for (const part of model.parts) {
    const known = { ...values, ...row };
    const shape = shapeOf(part, known);
    const statement = {
      sql: insertSql(model, shape, true),
      parameters: encodedValues(shape, known),
    };
    const [result] = await scope.session.write([statement]);
    row = { ...row, ...rowOfFields(part.fields, result?.rows[0] ?? []) };
  }
  return row;
}

/** Inserts checked rows inside a transaction, without events; the rows in the same order. */
export async function insertChunk(
  scope: Scope,
  model: Model,
  chunk: readonly Checked[],
): Promise<Row[]> {
  if (chunk.some((values) => isNumbered(model, values))) {
    const rows: Row[] = [];
    for (const values of chunk) rows.push(await insertByParts(scope, model, values));
    return rows;
  }
  const unit = chunk.flatMap((values) => insertStatements(model, values));
  const results = await scope.session.write(unit);
  return chunk.map((_, index) => insertedRow(model, results, index * model.parts.length));
}

/** The columns of one table that an insert gives: all of them, or all but a number. */
interface Shape {
  readonly part: Part;
  readonly fields: readonly Field[];
}

function shapeOf(part: Part, values: Checked): Shape {
  return { part, fields: part.fields.filter(({ property }) => Object.hasOwn(values, property)) };
}

function insertSql(model: Model, { part, fields }: Shape, returning: boolean): string {
  const isWhole = fields.length === part.fields.length;
  return model.sql(`insert ${returning} ${isWhole} ${part.facts.table}`, () => {
    const names = fields.map((field) => field.name).join(", ");
    const text = new SqlText(model.dialect);
    const values = text.bindAll(fields.map(() => null));
    const given = fields.length === 0 ? "DEFAULT VALUES" : `(${names}) VALUES (${values})`;
    const all = part.fields.map((field) => field.name).join(", ");
    return `INSERT INTO ${part.table} ${given}${returning ? ` RETURNING ${all}` : ""}`;
  });
}

function encodedValues({ fields }: Shape, values: Checked): SqlValue[] {
  return fields.map(({ encode, property }) => encode(values[property]));
}

async function* parameterRows(
  model: Model,
  shape: Shape,
  first: readonly Checked[],
  chunks: AsyncIterable<readonly Checked[]>,
): AsyncGenerator<readonly SqlValue[]> {
  for (const values of first) yield parametersOf(model, shape, values);
  for await (const chunk of chunks) {
    for (const values of chunk) yield parametersOf(model, shape, values);
  }
}

/** One SQL text inserts all rows, so that their number does not matter. */
function parametersOf(model: Model, shape: Shape, values: Checked): readonly SqlValue[] {
  if (Object.keys(values).length === shape.fields.length) return encodedValues(shape, values);
  throw new SpringhouseError(
    "INVALID_ARGUMENT",
    `createMany of "${model.name}": either all rows give their key or none of them does.`,
    { fields: { entity: model.name } },
  );
}

async function* checkedChunks(
  scope: Scope,
  model: Model,
  inputs: Rows,
): AsyncGenerator<readonly Checked[]> {
  if (Array.isArray(inputs)) {
    const checked = await validateInserts(model.facts, inputs, scope.validation);
    for (let at = 0; at < checked.length; at += CHUNK_ROWS)
      yield checked.slice(at, at + CHUNK_ROWS);
    return;
  }
  if (!isIterable(inputs)) {
    const message = `createMany of "${model.name}" takes rows: a list or another iterable.`;
    throw new SpringhouseError("INVALID_ARGUMENT", message, { fields: { entity: model.name } });
  }
  let chunk: unknown[] = [];
  let position = 0;
  let startMs = performance.now();
  for await (const input of inputs) {
    chunk.push(input);
    if (chunk.length < CHUNK_ROWS && performance.now() - startMs < GATHER_MS_MAX) continue;
    yield await checkChunk(scope, model, chunk, position);
    position += chunk.length;
    chunk = [];
    startMs = performance.now();
  }
  if (chunk.length > 0) yield await checkChunk(scope, model, chunk, position);
}

function isIterable(inputs: unknown): boolean {
  if (typeof inputs !== "object" || inputs === null) return false;
  return Symbol.iterator in inputs || Symbol.asyncIterator in inputs;
}

/** Issues name the position among all rows, not that in the chunk. */
async function checkChunk(
  scope: Scope,
  model: Model,
  chunk: readonly unknown[],
  position: number,
): Promise<readonly Checked[]> {
  try {
    return await validateInserts(model.facts, chunk, scope.validation);
  } catch (error) {
    if (!isSpringhouseError(error, "VALIDATION")) throw error;
    const moved = ({ path: [row, ...rest], message }: Issue): Issue => ({
      path: [Number(row) + position, ...rest],
      message,
    });
    throw validationError(model.facts, error.issues.map(moved));
  }
}
