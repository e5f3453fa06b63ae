/**
 * From the declaration of a rollup to its facts. What could never work is refused with the reason:
 * columns of another entity, kinds that cannot be added up, conditions that SQLite does not take.
 */

import { refuseUnknownKeys } from "../core/options.ts";
import { isPlainObject } from "../core/plain-object.ts";
import { tokenize } from "../core/sql-tokens.ts";
import { show } from "./check.ts";
import { LOGIC } from "./column-facts.ts";
import { conditionProblem } from "./conditions.ts";
import type {
  Collation,
  ColumnFacts,
  ColumnKind,
  EntityFacts,
  GroupFact,
  MeasureFact,
} from "./facts.ts";
import type { Measure } from "./measure.ts";
import { isPropertyName, snakeCase } from "./names.ts";
import { invalidSchema } from "./refuse.ts";
import type { ColumnHandle } from "./types.ts";

const LIKE = /^like$/i;
const OPTIONS = ["by", "measures", "where"];
const AGGREGATES = ["count", "countDistinct", "sum", "avg", "min", "max", "topK"];
const COLLATIONS: readonly unknown[] = ["binary", "nocase", "rtrim"];
const NUMBERS: readonly ColumnKind[] = ["int", "bigint", "real"];
const TEXTS: readonly ColumnKind[] = ["text", "uuid", "date", "enum"];
/** Kinds whose values cannot be found again by comparing them. */
const NOT_GROUPS: readonly ColumnKind[] = ["real", "json", "blob"];
const NOT_ORDERED: readonly ColumnKind[] = ["json", "blob"];
/** JSON holds neither of them as they are. */
const NOT_TOLD: readonly ColumnKind[] = ["bigint", "json", "blob"];
/** What is longer is a list, and lists are read from the source. */
const TOP_MAX = 100;

type Given = Readonly<Record<string, unknown>>;
type Refuse = (reason: string) => Error;

/** The facts of the view, with what it is of under `rollup`. */
export function rollupFacts(name: string, source: EntityFacts, options: object): EntityFacts {
  refuseUnknownKeys(options, OPTIONS, `Entity "${name}"`, "INVALID_SCHEMA");
  const { by, measures, where } = options as Given;
  const keys = entriesOf(name, "by", "{ weekId: Task.weekId }", by);
  const known = entriesOf(name, "measures", "{ tasks: count() }", measures);
  if (known.length === 0) throw invalidSchema(name, undefined, "has no measures");
  const groups = keys.map(([property, key]) => groupOf(name, source, property, key));
  const facts = known.map(([property, measure]) => measureOf(name, source, property, measure));
  checkCondition(name, source, where);
  const columns = [
    ...(groups.length === 0 ? [columnOf({ property: "id", name: "id", kind: "int" }, true)] : []),
    ...groups.map(({ column, name: sql }, index) =>
      columnOf({ ...pick(column), property: keys[index]?.[0] ?? "", name: sql }, true),
    ),
    ...facts.map((fact, index) =>
      columnOf({ ...resultOf(fact), property: known[index]?.[0] ?? "", name: fact.name }, false),
    ),
  ];
  refuseTwice(name, columns);
  return Object.freeze({
    table: name,
    columns,
    primaryKey: columns.filter(({ primaryKey }) => primaryKey),
    uniques: [],
    indexes: [],
    checks: [],
    foreignKeys: [],
    audit: false,
    search: [],
    rollup: Object.freeze({
      source,
      groups: groups.length === 0 ? [{ name: "id", collation: "binary" as const }] : groups,
      measures: facts,
      ...(where === undefined ? {} : { where: String(where) }),
    }),
    byProperty: new Map(columns.map((column) => [column.property, column])),
    byName: new Map(columns.map((column) => [column.name, column])),
  });
}

function entriesOf(
  table: string,
  option: string,
  example: string,
  given: unknown,
): readonly (readonly [string, unknown])[] {
  if (!isPlainObject(given)) {
    const reason = `${option} is an object such as ${example}, not ${show(given)}`;
    throw invalidSchema(table, undefined, reason);
  }
  for (const property of Object.keys(given)) {
    const refuse: Refuse = (reason) => invalidSchema(table, property, reason);
    if (!isPropertyName(property)) {
      throw refuse("a property is a letter followed by letters, digits and underscores");
    }
    if (LOGIC.includes(property)) throw refuse(`is a word of where (${LOGIC.join(", ")})`);
  }
  return Object.entries(given);
}

function groupOf(
  table: string,
  source: EntityFacts,
  property: string,
  given: unknown,
): GroupFact & { readonly column: ColumnFacts } {
  const refuse: Refuse = (reason) => invalidSchema(table, property, reason);
  const { column: handle, ...options } = isHandle(given) ? { column: given } : asObject(given);
  const what = `Entity "${table}", property "${property}": by`;
  refuseUnknownKeys(options, ["collate"], what, "INVALID_SCHEMA");
  const column = columnIn(source, handle, refuse);
  if (NOT_GROUPS.includes(column.kind)) throw refuse(`groups cannot be made by ${column.kind}`);
  const collation = collationOf(column, options["collate"], refuse);
  return { name: snakeCase(property), column, collation };
}

function measureOf(
  table: string,
  source: EntityFacts,
  property: string,
  given: unknown,
): MeasureFact {
  const refuse: Refuse = (reason) => invalidSchema(table, property, reason);
  if (!isMeasure(given)) {
    throw refuse(`is a measure such as count() or sum(Task.score), not ${show(given)}`);
  }
  const name = snakeCase(property);
  const { aggregate, column: handle } = given;
  if (aggregate === "count" && handle === undefined) return { name, aggregate };
  const column = columnIn(source, handle, refuse);
  switch (aggregate) {
    case "count":
      return { name, aggregate, column };
    case "countDistinct": {
      if (column.kind === "json") throw refuse("json has no values that could be told apart");
      return { name, aggregate, column, collation: collationOf(column, given.collate, refuse) };
    }
    case "sum":
    case "avg":
      if (NUMBERS.includes(column.kind)) return { name, aggregate, column };
      throw refuse(`${aggregate}() is for ${NUMBERS.join(", ")}, not for ${column.kind}`);
    case "min":
    case "max":
      if (!NOT_ORDERED.includes(column.kind)) return { name, aggregate, column };
      throw refuse(`${column.kind} has no order`);
    case "topK":
      return topOf(name, source, column, given, refuse);
  }
}

function topOf(
  name: string,
  source: EntityFacts,
  column: ColumnFacts,
  { of: told, count, order = "desc" }: Measure,
  refuse: Refuse,
): MeasureFact {
  const of = told === undefined ? column : columnIn(source, told, refuse);
  if (NOT_ORDERED.includes(column.kind)) throw refuse(`${column.kind} has no order`);
  if (NOT_TOLD.includes(of.kind)) throw refuse(`a list cannot tell a ${of.kind}`);
  if (count === undefined || !Number.isSafeInteger(count) || count < 1 || count > TOP_MAX) {
    throw refuse(`topK() takes a whole number of rows from 1 to ${TOP_MAX}, not ${show(count)}`);
  }
  if (order !== "asc" && order !== "desc") {
    throw refuse(`the order of topK() is "asc" or "desc", not ${show(order)}`);
  }
  return { name, aggregate: "topK", column, of, count, order };
}

function columnIn(source: EntityFacts, given: unknown, refuse: Refuse): ColumnFacts {
  if (!isHandle(given)) {
    throw refuse(`a column is given as Task.score, not as ${show(given)}`);
  }
  const column = source.byProperty.get(given.property);
  if (column === given.facts) return column;
  throw refuse(`${given.table}.${given.property} is not a column of the source "${source.table}"`);
}

function collationOf(column: ColumnFacts, given: unknown, refuse: Refuse): Collation {
  if (given === undefined) return "binary";
  if (!COLLATIONS.includes(given)) {
    throw refuse(`collate is "binary", "nocase" or "rtrim", not ${show(given)}`);
  }
  if (!TEXTS.includes(column.kind)) throw refuse(`collate is for text, not for ${column.kind}`);
  return given as Collation;
}

/** SQLite judges it as it judges the condition of an index. */
function checkCondition(table: string, source: EntityFacts, where: unknown): void {
  if (where === undefined) return;
  const refuse: Refuse = (reason) => invalidSchema(table, undefined, reason);
  if (typeof where !== "string" || where.trim() === "") {
    throw refuse(`where is a condition such as "score > 0", not ${show(where)}`);
  }
  const index = { name: "where", columns: [], unique: false, where };
  const problem = conditionProblem({ ...source, checks: [], indexes: [index] });
  if (problem !== undefined) throw refuse(problem.replace('where of the index "where"', "where"));
  if (tokenize(where).some(({ kind, text }) => kind === "word" && LIKE.test(text))) {
    throw refuse(
      `where (${where}) cannot work: what LIKE finds is a setting of each program that writes ` +
        "(PRAGMA case_sensitive_like); compare with =, <, substr() or lower()",
    );
  }
}

/** What a measure gives, as a column. */
function resultOf(fact: MeasureFact): Pick<ColumnFacts, "kind"> & Partial<ColumnFacts> {
  switch (fact.aggregate) {
    case "count":
    case "countDistinct":
      return { kind: "int" };
    case "avg":
      return { kind: "real", nullable: fact.column.nullable };
    case "topK":
      return { kind: "json" };
    default:
      return pick(fact.column);
  }
}

function pick({ kind, nullable, values }: ColumnFacts): Pick<ColumnFacts, "kind" | "nullable"> {
  return { kind, nullable, ...(values === undefined ? {} : { values }) };
}

function columnOf(
  facts: Pick<ColumnFacts, "property" | "name" | "kind"> & Partial<ColumnFacts>,
  isKey: boolean,
): ColumnFacts {
  const none = { nullable: false, unique: false, index: false, onUpdateNow: false };
  return Object.freeze({ ...none, ...facts, primaryKey: isKey });
}

function refuseTwice(table: string, columns: readonly ColumnFacts[]): void {
  const owners = new Map<string, string>();
  for (const { name, property } of columns) {
    const owner = owners.get(name);
    if (owner !== undefined) {
      throw invalidSchema(table, property, `has the same SQL name as "${owner}", "${name}"`);
    }
    owners.set(name, property);
  }
}

function asObject(given: unknown): Given {
  return isPlainObject(given) ? given : { column: given };
}

function isHandle(given: unknown): given is ColumnHandle {
  return isPlainObject(given) && "facts" in given && "property" in given;
}

function isMeasure(given: unknown): given is Measure {
  return isPlainObject(given) && AGGREGATES.includes(String(given["aggregate"]));
}
