/**
 * Reads of one entity: by key, as a list, as a page, counted, streamed. Every function takes the
 * narrowing that permissions gave, and every row comes from a statement that this file wrote.
 */

import { SpringhouseError } from "../core/errors.ts";
import { mapInSlices } from "../core/slices.ts";
import type { ReadingOf } from "../store/reading.ts";
import type { CallOptions, ResultSet, SqlValue, Statement } from "../store/store.ts";
import { afterSql, type Cursor, decodeCursor, encodeCursor, readingOrder } from "./cursor.ts";
import { noteDemands } from "./demands.ts";
import type { Field } from "./field.ts";
import { inRowsSql } from "./in-list.ts";
import { keyText, type Model, type Row } from "./model.ts";
import { type OrderTerm, orderSql, orderTerms } from "./order.ts";
import type { Narrowing } from "./permissions.ts";
import type { Scope } from "./scope.ts";
import { SqlText } from "./sql-text.ts";
import type { PageLimits } from "./types.ts";
import { whereSql } from "./where.ts";

/** Rows by key in one statement; more keys are read in several, so that no SQL text is endless. */
export const KEYS_PER_READ = 1_000;

/** A read that is ready to be made, also more than once. */
export interface Planned<T> {
  readonly statement: Statement;
  readonly reading: ReadingOf;
  run(): Promise<T>;
}

/** The options of a list without their types. */
export interface ListPlan {
  readonly where?: unknown;
  readonly orderBy?: unknown;
  readonly limit?: number | undefined;
  readonly offset?: number | undefined;
  readonly cursor?: string | undefined;
}

/** `"tasks"."id" = ?`, for a statement of which it is the only condition. */
export function keyCondition(
  fields: readonly Field[],
  values: readonly SqlValue[],
  text: SqlText,
): string {
  return fields
    .map((field, index) => `${field.reference} = ${text.bind(values[index] as SqlValue)}`)
    .join(" AND ");
}

/** The row with this key, or undefined. */
export function readOne(
  scope: Scope,
  model: Model,
  key: unknown,
  narrowing: Narrowing,
  options: CallOptions,
): Promise<Row | undefined> {
  return planOne(scope, model, model.keyValues(key), narrowing, options).run();
}

/** As `readOne`, by the stored values of the key. */
export function planOne(
  scope: Scope,
  model: Model,
  key: readonly SqlValue[],
  narrowing: Narrowing,
  options: CallOptions,
): Planned<Row | undefined> {
  const among = { fields: model.key, rows: [key] };
  const demands = { among, where: [narrowing], wholeRows: true };
  const statement = selectByKey(model, key, narrowing);
  const reading = noteDemands(scope, statement, model, demands);
  const run = async (): Promise<Row | undefined> => {
    const { rows } = await scope.session.read(statement, options);
    return rows[0] === undefined ? undefined : model.row(rows[0]);
  };
  return { statement, reading, run };
}

/** SELECT of one whole row. */
export function selectByKey(
  model: Model,
  key: readonly SqlValue[],
  narrowing: Narrowing,
): Statement {
  const text = new SqlText(model.dialect);
  if (narrowing === undefined) {
    const sql = model.sql("get", () => selectWhere(model, keyCondition(model.key, key, text)));
    return { sql, parameters: key };
  }
  const condition = keyCondition(model.key, key, text);
  const narrowed = `${condition} AND ${whereSql(model, narrowing, text)}`;
  return text.statement(selectWhere(model, narrowed));
}

/** The rows with these keys, in the order of the keys; undefined where there is none. */
export async function readMany(
  scope: Scope,
  model: Model,
  keys: readonly unknown[],
  narrowing: Narrowing,
  options: CallOptions,
): Promise<(Row | undefined)[]> {
  if (!Array.isArray(keys)) {
    const message = `getMany of "${model.name}" takes a list of keys; get() takes one.`;
    throw new SpringhouseError("INVALID_ARGUMENT", message, { fields: { entity: model.name } });
  }
  const { signal } = options;
  const wanted = await mapInSlices(keys, (key) => model.keyValues(key), signal);
  const found = new Map<string, Row>();
  for (let at = 0; at < wanted.length; at += KEYS_PER_READ) {
    const chunk = wanted.slice(at, at + KEYS_PER_READ);
    const read = planByKeys(scope, model, chunk, narrowing, options);
    for (const [text, row] of await read.run()) found.set(text, row);
  }
  return mapInSlices(wanted, (values) => found.get(keyText(values)), signal);
}

/** The rows with at most `KEYS_PER_READ` keys, by the texts of their keys. */
export function planByKeys(
  scope: Scope,
  model: Model,
  keys: readonly (readonly SqlValue[])[],
  narrowing: Narrowing,
  options: CallOptions,
): Planned<ReadonlyMap<string, Row>> {
  const text = new SqlText(model.dialect);
  const condition = inRowsSql(text, model.key, keys);
  const narrowed = narrowing === undefined ? "" : ` AND ${whereSql(model, narrowing, text)}`;
  const demands = {
    among: { fields: model.key, rows: keys },
    where: [narrowing],
    wholeRows: true,
  };
  const sql = selectWhere(model, condition + narrowed);
  const statement = text.statement(sql);
  const reading = noteDemands(scope, statement, model, demands);
  const run = async (): Promise<ReadonlyMap<string, Row>> => {
    const rows = await readRows(scope, model, statement, options);
    const key = (row: Row): string =>
      keyText(model.key.map((field) => field.encode(row[field.property])));
    return new Map(rows.map((row) => [key(row), row]));
  };
  return { statement, reading, run };
}

/** A list of rows. */
export async function readList(
  scope: Scope,
  model: Model,
  plan: ListPlan,
  narrowing: Narrowing,
  options: CallOptions,
): Promise<Row[]> {
  return planList(scope, model, plan, narrowing, options)?.run() ?? [];
}

/** As `readList`; undefined for a list of no rows. */
export function planList(
  scope: Scope,
  model: Model,
  plan: ListPlan,
  narrowing: Narrowing,
  options: CallOptions,
): Planned<Row[]> | undefined {
  const terms = orderTerms(model, plan.orderBy);
  const cursor = cursorOf(model, terms, plan);
  const limit = limitOf(plan.limit, scope.limits);
  const offset = offsetOf(plan);
  if (limit === 0) return undefined;
  const statement = selectList(model, plan, narrowing, { terms, cursor, limit, offset });
  const reading = noteDemands(scope, statement, model, {
    where: [plan.where, narrowing],
    wholeRows: true,
  });
  const run = async (): Promise<Row[]> => {
    const rows = await readRows(scope, model, statement, options);
    return cursor?.direction === "previous" ? rows.reverse() : rows;
  };
  return { statement, reading, run };
}

/** Rows and the cursors around them. */
export interface RowPage {
  readonly rows: readonly Row[];
  readonly next?: string;
  readonly previous?: string;
}

/** A page of rows with the cursors around it. */
export async function readPage(
  scope: Scope,
  model: Model,
  plan: ListPlan,
  narrowing: Narrowing,
  options: CallOptions,
): Promise<RowPage> {
  return planPage(scope, model, plan, narrowing, options)?.run() ?? { rows: [] };
}

/** As `readPage`; undefined for one of no rows. */
export function planPage(
  scope: Scope,
  model: Model,
  plan: ListPlan,
  narrowing: Narrowing,
  options: CallOptions,
): Planned<RowPage> | undefined {
  const terms = orderTerms(model, plan.orderBy);
  const cursor = cursorOf(model, terms, plan);
  const limit = limitOf(plan.limit, scope.limits);
  if (limit === 0) return undefined;
  // One row more tells whether there is another page.
  const place = { terms, cursor, limit: limit + 1, offset: 0 };
  const statement = selectList(model, plan, narrowing, place);
  const reading = noteDemands(scope, statement, model, {
    where: [plan.where, narrowing],
    wholeRows: true,
  });
  const run = async (): Promise<RowPage> => {
    const rows = await readRows(scope, model, statement, options);
    return pageOf(model, rows, place);
  };
  return { statement, reading, run };
}

/** @param rows one more than the page has when there is a further one. */
function pageOf(model: Model, rows: Row[], { terms, cursor, limit }: Place): RowPage {
  const isMore = rows.length === limit;
  if (isMore) rows.pop();
  const isBackward = cursor?.direction === "previous";
  if (isBackward) rows.reverse();
  const [first, last] = [rows.at(0), rows.at(-1)];
  const hasNext = isBackward || isMore;
  const hasPrevious = isBackward ? isMore : cursor !== undefined;
  return {
    rows,
    ...(hasNext && last !== undefined ? { next: encodeCursor(model, terms, "next", last) } : {}),
    ...(hasPrevious && first !== undefined
      ? { previous: encodeCursor(model, terms, "previous", first) }
      : {}),
  };
}

/** How many rows match. */
export function planCount(
  scope: Scope,
  model: Model,
  where: unknown,
  narrowing: Narrowing,
  options: CallOptions,
): Planned<number> {
  const text = new SqlText(model.dialect);
  const condition = conditionSql(model, where, narrowing, text);
  const sql = `SELECT count(*) FROM ${model.source} WHERE ${condition}`;
  const demands = { where: [where, narrowing], wholeRows: false };
  const statement = text.statement(sql);
  const reading = noteDemands(scope, statement, model, demands);
  const run = async (): Promise<number> => {
    const { rows } = await scope.session.read(statement, options);
    return Number(rows[0]?.[0]);
  };
  return { statement, reading, run };
}

/** Whether a row has this key, given by its stored values. */
export function planExists(
  scope: Scope,
  model: Model,
  key: readonly SqlValue[],
  narrowing: Narrowing,
  options: CallOptions,
): Planned<boolean> {
  const text = new SqlText(model.dialect);
  const condition = keyCondition(model.key, key, text);
  const narrowed = narrowing === undefined ? "" : ` AND ${whereSql(model, narrowing, text)}`;
  const sql = `SELECT 1 FROM ${model.source} WHERE ${condition}${narrowed}`;
  const among = { fields: model.key, rows: [key] };
  const demands = { among, where: [narrowing], wholeRows: false };
  const statement = text.statement(sql);
  const reading = noteDemands(scope, statement, model, demands);
  const run = async (): Promise<boolean> => {
    const { rows } = await scope.session.read(statement, options);
    return rows.length > 0;
  };
  return { statement, reading, run };
}

/** All rows that match, in chunks from one snapshot. */
export async function* streamRows(
  scope: Scope,
  model: Model,
  plan: ListPlan,
  narrowing: Narrowing,
  options: CallOptions,
): AsyncGenerator<Row> {
  const text = new SqlText(model.dialect);
  const condition = conditionSql(model, plan.where, narrowing, text);
  const order = orderSql(orderTerms(model, plan.orderBy), model.dialect);
  const statement = text.statement(`${selectWhere(model, condition)} ORDER BY ${order}`);
  for await (const chunk of scope.session.stream(statement, options)) {
    yield* await rowsOf(model, chunk);
  }
}

/** The rows that a statement with the model's selection gives. */
export async function readRows(
  scope: Scope,
  model: Model,
  statement: Statement,
  options: CallOptions,
): Promise<Row[]> {
  return rowsOf(model, await scope.session.read(statement, options), options);
}

/** The rows of a result whose columns are the model's selection. */
function rowsOf(model: Model, { rows }: ResultSet, { signal }: CallOptions = {}): Promise<Row[]> {
  return mapInSlices(rows, (values) => model.row(values), signal);
}

/** `where` and narrowing together. */
export function conditionSql(
  model: Model,
  where: unknown,
  narrowing: Narrowing,
  text: SqlText,
): string {
  const given = where === undefined ? "TRUE" : whereSql(model, where, text);
  if (narrowing === undefined) return given;
  return `(${given}) AND (${whereSql(model, narrowing, text)})`;
}

/** SELECT of whole rows. */
export function selectWhere(model: Model, condition: string): string {
  return `SELECT ${model.selection} FROM ${model.source} WHERE ${condition}`;
}

/** @throws `INVALID_ARGUMENT` unless it is a whole number from 0 to the most that is allowed. */
export function limitOf(limit: number | undefined, limits: PageLimits): number {
  if (limit === undefined) return limits.size;
  if (Number.isSafeInteger(limit) && limit >= 0 && limit <= limits.sizeMax) return limit;
  throw new SpringhouseError(
    "INVALID_ARGUMENT",
    `limit must be a whole number from 0 to ${limits.sizeMax}, got ${String(limit)}. ` +
      "Use page() to go through more rows, or stream() for all of them.",
    { fields: { limit, max: limits.sizeMax } },
  );
}

/** @throws `INVALID_ARGUMENT` unless it is a whole number from 0, without a cursor beside it. */
export function offsetOf({ offset, cursor }: ListPlan): number {
  if (offset === undefined) return 0;
  const isWhole = Number.isSafeInteger(offset) && offset >= 0;
  if (isWhole && cursor === undefined) return offset;
  const reason = isWhole
    ? "offset and cursor exclude each other"
    : `offset must be a whole number from 0, got ${String(offset)}`;
  throw new SpringhouseError("INVALID_ARGUMENT", `${reason}.`, { fields: { offset } });
}

interface Place {
  readonly terms: readonly OrderTerm[];
  readonly cursor: Cursor | undefined;
  readonly limit: number;
  readonly offset: number;
}

function selectList(
  model: Model,
  plan: ListPlan,
  narrowing: Narrowing,
  { terms, cursor, limit, offset }: Place,
): Statement {
  const text = new SqlText(model.dialect);
  const inOrder = readingOrder(terms, cursor);
  const condition = conditionSql(model, plan.where, narrowing, text);
  const after = cursor === undefined ? "" : ` AND ${afterSql(inOrder, cursor.values, text)}`;
  const sql = selectWhere(model, after === "" ? condition : `(${condition})${after}`);
  const order = orderSql(inOrder, model.dialect);
  const page = `LIMIT ${text.bind(limit)}${offset === 0 ? "" : ` OFFSET ${text.bind(offset)}`}`;
  return text.statement(`${sql} ORDER BY ${order} ${page}`);
}

function cursorOf(
  model: Model,
  terms: readonly OrderTerm[],
  { cursor }: ListPlan,
): Cursor | undefined {
  return cursor === undefined ? undefined : decodeCursor(model, terms, cursor);
}
