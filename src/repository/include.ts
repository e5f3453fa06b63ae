/**
 * Loading of related rows. Each relation costs one statement for all rows together (for each
 * thousand of them), never one for each row, and relations of relations likewise.
 */

import { SpringhouseError } from "../core/errors.ts";
import { refuseUnknownKeys } from "../core/options.ts";
import { isPlainObject } from "../core/plain-object.ts";
import { forEachInSlices } from "../core/slices.ts";
import type { CallOptions, SqlValue, Statement } from "../store/store.ts";
import { noteDemands } from "./demands.ts";
import type { Field } from "./field.ts";
import { inRowsSql } from "./in-list.ts";
import { type Link, linkOf } from "./link.ts";
import { keyText, type Model, type Row } from "./model.ts";
import { orderSql, orderTerms } from "./order.ts";
import type { Narrowing } from "./permissions.ts";
import { conditionSql, readRows, selectWhere } from "./read.ts";
import type { Includes, Relation } from "./relation.ts";
import { authorize, type Scope } from "./scope.ts";
import { SqlText } from "./sql-text.ts";

/** So many different keys go into one statement. */
const KEYS_PER_READ = 1_000;
/** Relations of relations: nobody shows more, and one that contains itself would never end. */
const DEPTH_MAX = 10;
const ONE_OPTIONS = ["by", "include"];
const MANY_OPTIONS = ["by", "where", "orderBy", "limit", "include"];

/** Loads the relations of all rows and puts them into the rows. */
export async function includeRelations(
  scope: Scope,
  model: Model,
  rows: readonly Row[],
  includes: Includes | undefined,
  options: CallOptions,
  depth = 0,
): Promise<void> {
  if (includes === undefined) return;
  if (!isPlainObject(includes)) throw refused(model, "include", "is an object of relations");
  for (const [property, relation] of Object.entries(includes)) {
    if (depth >= DEPTH_MAX) throw refused(model, property, `is deeper than ${DEPTH_MAX} relations`);
    if (property === "__proto__") throw refused(model, property, "is no name for a relation");
    if (model.byProperty.has(property)) {
      throw refused(model, property, "is a property of the entity; call the relation otherwise");
    }
    await includeOne(scope, model, rows, property, relation, options, depth);
  }
}

async function includeOne(
  scope: Scope,
  model: Model,
  rows: readonly Row[],
  property: string,
  relation: Relation,
  options: CallOptions,
  depth: number,
): Promise<void> {
  const isMany = checkedKind(model, property, relation) === "many";
  const target = scope.models.of(relation.entity);
  const link = linkOf(model, target, relation.kind, relation.options.by);
  const narrowing = await authorize(scope, target, { action: "read" });
  const keys = await distinctKeys(rows, link.from);
  const chunks: Row[][] = [];
  for (let at = 0; at < keys.length; at += KEYS_PER_READ) {
    const chunk = keys.slice(at, at + KEYS_PER_READ);
    const statement = relatedStatement(target, link, chunk, relation, narrowing);
    const where = [relation.options.where, narrowing];
    const among = { fields: link.to, rows: chunk };
    noteDemands(scope, statement, target, { among, where, wholeRows: true });
    chunks.push(await readRows(scope, target, statement, options));
  }
  const found = chunks.flat();
  await includeRelations(scope, target, found, relation.options.include, options, depth + 1);
  const groups = await groupsOf(found, link.to);
  await forEachInSlices(rows, (row) => {
    const group = groups.get(rowKey(row, link.from)) ?? [];
    row[property] = isMany ? group : (group[0] ?? null);
  });
}

function checkedKind(model: Model, property: string, relation: Relation): "one" | "many" {
  const kind: unknown = (relation as Partial<Relation> | undefined)?.kind;
  if (kind !== "one" && kind !== "many") {
    throw refused(model, property, "is made by one() or many()");
  }
  const known = kind === "one" ? ONE_OPTIONS : MANY_OPTIONS;
  refuseUnknownKeys(relation.options, known, `${kind}() of "${property}"`);
  return kind;
}

/** The stored values by which rows are related, each once; a NULL in them relates to nothing. */
async function distinctKeys(
  rows: readonly Row[],
  fields: readonly Field[],
): Promise<readonly (readonly SqlValue[])[]> {
  const distinct = new Map<string, readonly SqlValue[]>();
  await forEachInSlices(rows, (row) => {
    const values = fields.map((field) => field.encode(row[field.property]));
    if (!values.includes(null)) distinct.set(keyText(values), values);
  });
  return [...distinct.values()];
}

async function groupsOf(
  rows: readonly Row[],
  fields: readonly Field[],
): Promise<ReadonlyMap<string, Row[]>> {
  const groups = new Map<string, Row[]>();
  await forEachInSlices(rows, (row) => {
    const key = rowKey(row, fields);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [row]);
    else group.push(row);
  });
  return groups;
}

function rowKey(row: Row, fields: readonly Field[]): string {
  return keyText(fields.map((field) => field.encode(row[field.property])));
}

function relatedStatement(
  target: Model,
  { to }: Link,
  keys: readonly (readonly SqlValue[])[],
  relation: Relation,
  narrowing: Narrowing,
): Statement {
  const text = new SqlText(target.dialect);
  if (relation.kind === "one") {
    const related = inRowsSql(text, to, keys);
    const allowed = conditionSql(target, undefined, narrowing, text);
    return text.statement(selectWhere(target, `${related} AND ${allowed}`));
  }
  const { where, orderBy, limit } = relation.options;
  const order = orderSql(orderTerms(target, orderBy), target.dialect);
  const related = inRowsSql(text, to, keys);
  const condition = `${related} AND ${conditionSql(target, where, narrowing, text)}`;
  if (limit === undefined) {
    return text.statement(`${selectWhere(target, condition)} ORDER BY ${order}`);
  }
  return text.statement(firstOfEach(target, to, condition, order, text.bind(checkedLimit(limit))));
}

/** The first rows of each group, by their position in it. */
function firstOfEach(
  { fields, source }: Model,
  to: readonly Field[],
  condition: string,
  order: string,
  limit: string,
): string {
  const columns = fields.map((field, index) => `${field.reference} AS c${index}`).join(", ");
  const group = to.map((field) => field.reference).join(", ");
  const position = `row_number() OVER (PARTITION BY ${group} ORDER BY ${order}) AS position`;
  const inner = `SELECT ${columns}, ${position} FROM ${source} WHERE ${condition}`;
  const names = fields.map((_, index) => `c${index}`).join(", ");
  return `SELECT ${names} FROM (${inner}) AS related WHERE position <= ${limit} ORDER BY position`;
}

function checkedLimit(limit: number): number {
  if (Number.isSafeInteger(limit) && limit >= 0) return limit;
  throw new SpringhouseError(
    "INVALID_ARGUMENT",
    `many(): limit must be a whole number from 0, got ${String(limit)}.`,
  );
}

function refused(model: Model, property: string, reason: string): SpringhouseError {
  return new SpringhouseError(
    "INVALID_ARGUMENT",
    `include of "${model.name}": "${property}" ${reason}.`,
    { fields: { entity: model.name, property } },
  );
}
