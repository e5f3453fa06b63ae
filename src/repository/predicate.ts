/**
 * What a `where` demands of the row of one table, as far as it can be judged without the database.
 * It is the meaning of `where.ts` and `operators.ts` again, not as SQL but as a predicate, and only
 * for conditions that those have accepted. What cannot be judged is opaque: patterns, ends and
 * parts of texts, properties of another table of the entity, values that a column of the file may
 * compare in another way than its declaration says.
 *
 * A `where` has two truth values. SQL's comparisons have three, which matters only below a `not`:
 * there each comparison is made to be false for NULL (`exact`), and then NOT is the opposite.
 */

import { withAffinity } from "../change/affinity.ts";
import type { Comparison, Predicate } from "../change/predicate.ts";
import {
  type ColumnStructure,
  columnOf,
  type SchemaStructure,
  type TableStructure,
} from "../change/structure.ts";
import type { StoredValue } from "../change/value.ts";
import { lowerAscii } from "../core/lower-ascii.ts";
import type { SqlValue } from "../store/store.ts";
import type { Field } from "./field.ts";
import type { Model } from "./model.ts";
import { afterPrefix } from "./operators.ts";
import { isOperators } from "./where.ts";

/** One table of an entity as it stands in the file. */
export interface Place {
  readonly model: Model;
  readonly schema: SchemaStructure;
  readonly structure: TableStructure;
}

/** A condition on one column: `value` is what the caller gave, checked. */
type Leaf = (column: ColumnStructure, field: Field, value: unknown, exact: boolean) => Predicate;

const ALWAYS: Predicate = { kind: "always" };
const OPAQUE: Predicate = { kind: "opaque" };

/** Longer lists are bound as JSON, whose reals are other texts than ours. */
const REALS_MAX = 64;
/** Longer lists are not judged: each change would be compared with all of it. */
const LIST_MAX = 1_000;

/** The predicate of a `where`. */
export function predicateOf(place: Place, where: unknown, exact = false): Predicate {
  const parts = Object.entries(where as object).map(([name, value]): Predicate => {
    if (name === "not") return { kind: "not", part: predicateOf(place, value, true) };
    if (name !== "and" && name !== "or") return propertyPredicate(place, name, value, exact);
    const conditions = value as readonly unknown[];
    if (conditions.length > LIST_MAX) return OPAQUE;
    const list = conditions.map((each) => predicateOf(place, each, exact));
    return name === "and" ? all(list) : { kind: "or", parts: list };
  });
  return all(parts);
}

/** That fields have one of the rows of stored values. */
export function amongPredicate(
  place: Place,
  fields: readonly Field[],
  rows: readonly (readonly SqlValue[])[],
): Predicate {
  const each = fields.map((field, index) => {
    const column = columnIn(place, field);
    const values = [...new Set(rows.map((row) => row[index] as SqlValue))];
    return column === undefined ? OPAQUE : (within(column, field, values) ?? OPAQUE);
  });
  return all(each);
}

/** All of them hold. */
export function all(parts: readonly Predicate[]): Predicate {
  const flat = parts.flatMap((part) => (part.kind === "and" ? part.parts : [part]));
  const [only = ALWAYS, another] = flat.filter(({ kind }) => kind !== "always");
  return another === undefined ? only : { kind: "and", parts: flat };
}

function propertyPredicate(
  place: Place,
  property: string,
  value: unknown,
  exact: boolean,
): Predicate {
  const field = place.model.field(property);
  const column = columnIn(place, field);
  if (column === undefined) return OPAQUE;
  const operators = isOperators(value) ? Object.entries(value) : [["eq", value] as const];
  return all(
    operators.map(([name, given]) => LEAVES.get(name)?.(column, field, given, exact) ?? OPAQUE),
  );
}

/**
 * The column of this table that a field is in. The key of a detail entity is in both of its tables:
 * the join makes the two the same, where they compare alike.
 */
function columnIn({ model, schema, structure }: Place, field: Field): ColumnStructure | undefined {
  const own = columnOf(structure, lowerAscii(field.column.name));
  if (lowerAscii(field.table) === structure.name) return own;
  const base = model.parts.find(({ facts }) => lowerAscii(facts.table) === structure.name);
  const twin = base?.key.find(({ property }) => property === field.property);
  const detail = schema.table(lowerAscii(field.table));
  if (twin === undefined || detail === undefined || !model.key.includes(field)) return undefined;
  const [one, other] = [
    columnOf(structure, lowerAscii(twin.column.name)),
    columnOf(detail, lowerAscii(field.column.name)),
  ];
  const isBinary = one?.collation === "binary" && other?.collation === "binary";
  return isBinary && one.affinity === other.affinity ? one : undefined;
}

/** The operators that can be judged; the others are opaque. */
const LEAVES: ReadonlyMap<string, Leaf> = new Map<string, Leaf>([
  ["eq", equal],
  ["ne", differ],
  ["gt", ordered(">")],
  ["gte", ordered(">=")],
  ["lt", ordered("<")],
  ["lte", ordered("<=")],
  ["in", oneOf],
  ["notIn", noneOf],
  ["startsWith", begins],
]);

function equal(column: ColumnStructure, field: Field, value: unknown, exact: boolean): Predicate {
  if (value === null) return isNull(column);
  return compare(column, "=", storedValue(column, field.operand(value)), exact);
}

function differ(column: ColumnStructure, field: Field, value: unknown, exact: boolean): Predicate {
  if (value === null) return notNull(column);
  const operator = field.column.nullable ? "is not" : "<>";
  return compare(column, operator, storedValue(column, field.operand(value)), exact);
}

function ordered(operator: Comparison): Leaf {
  return (column, field, value, exact) =>
    compare(column, operator, storedValue(column, field.operand(value)), exact);
}

function begins(column: ColumnStructure, _: Field, value: unknown, exact: boolean): Predicate {
  const prefix = value as string;
  if (prefix === "") return notNull(column);
  const end = afterPrefix(prefix);
  const from = compare(column, ">=", storedValue(column, prefix), exact);
  return end === undefined
    ? from
    : all([from, compare(column, "<", storedValue(column, end), exact)]);
}

function oneOf(column: ColumnStructure, field: Field, value: unknown, exact: boolean): Predicate {
  const { listed, hasNull } = listOf(column, field, value);
  if (listed === undefined) return OPAQUE;
  // With NULL in the list it has two truth values by itself.
  if (hasNull) return { kind: "or", parts: [listed, isNull(column)] };
  return exact ? all([listed, notNull(column)]) : listed;
}

function noneOf(column: ColumnStructure, field: Field, value: unknown): Predicate {
  const { listed, hasNull } = listOf(column, field, value);
  if (listed === undefined) return OPAQUE;
  if (hasNull) return { kind: "not", part: { kind: "or", parts: [listed, isNull(column)] } };
  return { kind: "or", parts: [{ kind: "not", part: listed }, isNull(column)] };
}

function listOf(
  column: ColumnStructure,
  field: Field,
  value: unknown,
): { readonly listed: Predicate | undefined; readonly hasNull: boolean } {
  const given = value as readonly unknown[];
  const values = given.filter((each) => each !== null).map((each) => field.operand(each));
  return { listed: within(column, field, values), hasNull: values.length < given.length };
}

/** Undefined when a value of the list is in doubt. */
function within(
  column: ColumnStructure,
  { column: { kind } }: Field,
  given: readonly SqlValue[],
): Predicate | undefined {
  const isDoubtful = kind === "real" || kind === "blob";
  if (given.length > (isDoubtful ? REALS_MAX : LIST_MAX)) return undefined;
  const values: StoredValue[] = [];
  for (const each of given) {
    const value = storedValue(column, each);
    if (value === undefined) return undefined;
    values.push(value);
  }
  return { kind: "in", column: column.name, values };
}

/** A comparison with a value that is not NULL; with an exact one NULL is not it. */
function compare(
  { name }: ColumnStructure,
  operator: Comparison,
  value: StoredValue | undefined,
  exact: boolean,
): Predicate {
  if (value === undefined) return OPAQUE;
  const predicate: Predicate = { kind: "compare", column: name, operator, value };
  if (!exact || operator === "is not") return predicate;
  return all([predicate, notNull({ name })]);
}

function isNull({ name }: Pick<ColumnStructure, "name">): Predicate {
  return { kind: "compare", column: name, operator: "is", value: null };
}

function notNull({ name }: Pick<ColumnStructure, "name">): Predicate {
  return { kind: "compare", column: name, operator: "is not", value: null };
}

/**
 * A bound value as it meets the column; undefined when that is not certain. A number is bound as a
 * real, whose text in a TEXT column would be another one than that of an integer.
 */
function storedValue(column: ColumnStructure, value: SqlValue): StoredValue | undefined {
  if (typeof value !== "number") return withAffinity(value, column);
  if (column.affinity === "text") return undefined;
  return withAffinity(Number.isSafeInteger(value) ? BigInt(value) : value, column);
}
