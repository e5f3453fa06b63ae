/**
 * The order of rows: what a caller asked for, then the key, so that rows that tie keep one place
 * and a page neither repeats nor skips a row.
 */

import { SpringhouseError } from "../core/errors.ts";
import { isPlainObject } from "../core/plain-object.ts";
import type { Dialect } from "../schema/physical.ts";
import type { Field } from "./field.ts";
import type { Model } from "./model.ts";
import { refuseField } from "./operators.ts";

/** One part of an order. */
export interface OrderTerm {
  readonly field: Field;
  readonly descending: boolean;
}

/** The terms of `orderBy`, with those of the key that it does not name. */
export function orderTerms(model: Model, orderBy: unknown): readonly OrderTerm[] {
  const given = (Array.isArray(orderBy) ? orderBy : [orderBy ?? {}]).flatMap((part) =>
    termsOf(model, part),
  );
  const named = new Set(given.map(({ field }) => field.property));
  if (named.size < given.length) throw refused("names a property twice");
  const rest = model.key.filter(({ property }) => !named.has(property));
  const descending = given.at(-1)?.descending ?? false;
  return [...given, ...rest.map((field) => ({ field, descending }))];
}

/** The terms after ORDER BY. NULL comes before every value in both dialects. */
export function orderSql(terms: readonly OrderTerm[], dialect: Dialect): string {
  return terms.map((term) => termSql(term, dialect)).join(", ");
}

/** The same order from the other end. */
export function reversed(terms: readonly OrderTerm[]): readonly OrderTerm[] {
  return terms.map(({ field, descending }) => ({ field, descending: !descending }));
}

function termsOf(model: Model, part: unknown): readonly OrderTerm[] {
  if (!isPlainObject(part)) {
    throw refused('takes an object such as { createdAt: "desc" }, or a list of them');
  }
  return Object.entries(part).map(([property, direction]) => {
    const field = model.field(property);
    if (field.column.kind === "json") throw refuseField(field, "is json, which has no order");
    if (direction === "asc" || direction === "desc") {
      return { field, descending: direction === "desc" };
    }
    throw refuseField(field, 'is ordered by "asc" or "desc"');
  });
}

function termSql({ field, descending }: OrderTerm, dialect: Dialect): string {
  const direction = descending ? " DESC" : "";
  const nulls = descending ? " NULLS LAST" : " NULLS FIRST";
  const isNullsSaid = dialect === "postgres" && field.column.nullable;
  return `${field.reference}${direction}${isNullsSaid ? nulls : ""}`;
}

function refused(reason: string): SpringhouseError {
  return new SpringhouseError("INVALID_ARGUMENT", `orderBy ${reason}.`);
}
