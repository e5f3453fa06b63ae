/** Conditions and orders, by the types of the entity. */

import type { Entity, KindOf, RowOf } from "../schema/types.ts";

/**
 * Which rows: each property with a value, null or operators; all of them have to hold.
 *
 * A row either matches or does not, also where NULL is involved: `not` gives exactly the other
 * rows, and `{ ne: 5 }` includes the rows that have no value.
 *
 * @example
 * { weekId: 7, score: { gte: 3 }, or: [{ dateAudited: null }, { locale: { in: ["de", "fr"] } }] }
 */
export type Where<E extends Entity> = {
  readonly [P in keyof RowOf<E>]?: Condition<RowOf<E>[P], KindOf<E, P>>;
} & {
  /** All of these hold. */
  readonly and?: readonly Where<E>[];
  /** At least one of these holds; an empty list matches nothing. */
  readonly or?: readonly Where<E>[];
  /** This does not hold. */
  readonly not?: Where<E>;
};

/** What can be said about one property, by its kind. JSON has no equality in SQL. */
type Condition<Value, Kind> = Kind extends "json"
  ? null | JsonOperators
  : Value | OperatorsOf<Value, Kind>;

type OperatorsOf<Value, Kind> = Kind extends "boolean"
  ? EqualityOperators<Value>
  : Kind extends "text" | "enum"
    ? TextOperators<Value>
    : Operators<Value>;

/** Whether there is a value at all. */
export interface JsonOperators {
  readonly eq?: null;
  readonly ne?: null;
}

/** Comparisons with one property; several of them have to hold together. */
export interface EqualityOperators<Value> {
  readonly eq?: Value;
  readonly ne?: Value;
  /** One of the values, however many. */
  readonly in?: readonly Value[];
  readonly notIn?: readonly Value[];
}

/** As above, for values that have an order. */
export interface Operators<Value> extends EqualityOperators<Value> {
  readonly gt?: NonNullable<Value>;
  readonly gte?: NonNullable<Value>;
  readonly lt?: NonNullable<Value>;
  readonly lte?: NonNullable<Value>;
}

/** As above, for texts. */
export interface TextOperators<Value> extends Operators<Value> {
  /** A pattern with `%` and `_`; upper and lower case of ASCII letters are the same. */
  readonly like?: string;
  /** Exactly this beginning, upper and lower case as given. */
  readonly startsWith?: string;
  readonly endsWith?: string;
  readonly contains?: string;
}

/** Properties and directions, the first decides first. Rows that tie are ordered by their key. */
export type OrderBy<E extends Entity> = OrderPart<E> | readonly OrderPart<E>[];

type OrderPart<E extends Entity> = {
  readonly [P in keyof RowOf<E>]?: "asc" | "desc";
};
