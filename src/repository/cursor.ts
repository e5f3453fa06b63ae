/**
 * Keyset pagination: a cursor holds the order values of the row where a page ended, and the next
 * page is what comes after it. No row is counted past, so page 1,000 costs as much as page 1.
 *
 * Cursors travel through clients, so everything in them is checked on the way in: form, entity,
 * order and the kind of each value. The values become parameters like any others.
 */

import { SpringhouseError } from "../core/errors.ts";
import type { SqlValue } from "../store/store.ts";
import type { Model, Row } from "./model.ts";
import { type OrderTerm, reversed } from "./order.ts";
import type { SqlText } from "./sql-text.ts";

/** Cursors of other versions are refused instead of misread. */
const VERSION = 1;
/** Far beyond the longest order values; longer texts are not ours. */
const CURSOR_CHARACTERS_MAX = 1_048_576;

/** A place between two rows, and the direction in which the page lies from there. */
export interface Cursor {
  readonly direction: "next" | "previous";
  readonly values: readonly SqlValue[];
}

/** What is inside: version, direction, entity, order, values as tagged texts. */
type Content = readonly [number, "next" | "previous", string, string, readonly string[]];

/** The cursor of the page beyond `row`. */
export function encodeCursor(
  model: Model,
  terms: readonly OrderTerm[],
  direction: Cursor["direction"],
  row: Row,
): string {
  const values = terms.map(({ field }) => tagged(field.encode(row[field.property])));
  const content: Content = [VERSION, direction, model.name, signature(terms), values];
  return Buffer.from(JSON.stringify(content)).toString("base64url");
}

/** @throws `INVALID_ARGUMENT` when the text is not a cursor of this entity and order. */
export function decodeCursor(model: Model, terms: readonly OrderTerm[], text: unknown): Cursor {
  const content = contentOf(text);
  if (content === undefined) throw refused("is not a cursor", model);
  const [version, direction, table, order, values] = content;
  if (version !== VERSION) throw refused("comes from another version", model);
  if (table !== model.name) throw refused("belongs to another entity", model);
  if (order !== signature(terms)) throw refused("belongs to another orderBy", model);
  if (values.length !== terms.length) throw refused("is not a cursor", model);
  return { direction, values: terms.map((term, index) => storedValue(model, term, values[index])) };
}

/** The condition for rows that come after the cursor in the order of `terms`. */
export function afterSql(
  terms: readonly OrderTerm[],
  values: readonly SqlValue[],
  text: SqlText,
): string {
  if (isUniform(terms)) return rowAfterSql(terms, values, text);
  return stepAfterSql(terms, values, text, 0);
}

/** The terms in which a page in this direction is read. */
export function readingOrder(
  terms: readonly OrderTerm[],
  cursor: Cursor | undefined,
): readonly OrderTerm[] {
  return cursor?.direction === "previous" ? reversed(terms) : terms;
}

function isUniform(terms: readonly OrderTerm[]): boolean {
  return terms.every(
    ({ field, descending }) => !field.column.nullable && descending === terms[0]?.descending,
  );
}

/** One comparison of whole rows, which an index over the terms can answer. */
function rowAfterSql(
  terms: readonly OrderTerm[],
  values: readonly SqlValue[],
  text: SqlText,
): string {
  const left = terms.map(({ field }) => field.reference).join(", ");
  return `(${left}) ${terms[0]?.descending ? "<" : ">"} (${text.bindAll(values)})`;
}

/** Beyond the first value, or equal to it and beyond the rest. */
function stepAfterSql(
  terms: readonly OrderTerm[],
  values: readonly SqlValue[],
  text: SqlText,
  index: number,
): string {
  const term = terms[index] as OrderTerm;
  const value = values[index] as SqlValue;
  const beyond = beyondSql(term, value, text);
  if (index === terms.length - 1) return beyond;
  const { reference } = term.field;
  const same = value === null ? `${reference} IS NULL` : `${reference} = ${text.bind(value)}`;
  return `(${beyond} OR (${same} AND ${stepAfterSql(terms, values, text, index + 1)}))`;
}

/** NULL comes first when ascending and last when descending. */
function beyondSql({ field, descending }: OrderTerm, value: SqlValue, text: SqlText): string {
  const { reference } = field;
  if (value === null) return descending ? "FALSE" : `${reference} IS NOT NULL`;
  if (!descending) return `${reference} > ${text.bind(value)}`;
  const less = `${reference} < ${text.bind(value)}`;
  return field.column.nullable ? `(${less} OR ${reference} IS NULL)` : less;
}

function signature(terms: readonly OrderTerm[]): string {
  return terms.map(({ field, descending }) => `${descending ? "-" : ""}${field.property}`).join();
}

function tagged(value: SqlValue): string {
  if (value === null) return "z";
  if (typeof value === "bigint") return `i${value}`;
  if (typeof value === "number") return `n${value}`;
  if (typeof value === "string") return `t${value}`;
  return `b${Buffer.from(value).toString("hex")}`;
}

function untagged(text: string): SqlValue | undefined {
  const rest = text.slice(1);
  switch (text[0]) {
    case "z":
      return rest === "" ? null : undefined;
    case "i":
      return /^-?\d{1,19}$/.test(rest) ? BigInt(rest) : undefined;
    case "n":
      return rest !== "" && Number.isFinite(Number(rest)) ? Number(rest) : undefined;
    case "t":
      return rest;
    case "b":
      return /^(?:[0-9a-f]{2})*$/.test(rest) ? new Uint8Array(Buffer.from(rest, "hex")) : undefined;
    default:
      return undefined;
  }
}

function contentOf(text: unknown): Content | undefined {
  if (typeof text !== "string" || text.length > CURSOR_CHARACTERS_MAX) return undefined;
  try {
    const content: unknown = JSON.parse(Buffer.from(text, "base64url").toString());
    return isContent(content) ? content : undefined;
  } catch {
    return undefined;
  }
}

function isContent(content: unknown): content is Content {
  if (!Array.isArray(content) || content.length !== 5) return false;
  const [version, direction, table, order, values] = content;
  return (
    typeof version === "number" &&
    (direction === "next" || direction === "previous") &&
    typeof table === "string" &&
    typeof order === "string" &&
    Array.isArray(values) &&
    values.every((value) => typeof value === "string")
  );
}

/** The stored value, provided that the column could hold it. */
function storedValue(model: Model, { field }: OrderTerm, text: string | undefined): SqlValue {
  const stored = untagged(text ?? "");
  if (stored === undefined) throw refused("is not a cursor", model);
  if (stored === null) {
    if (field.column.nullable) return null;
    throw refused("is not a cursor of this entity", model);
  }
  try {
    return field.operand(field.decode(stored));
  } catch (cause) {
    throw refused("is not a cursor of this entity", model, cause);
  }
}

function refused(reason: string, model: Model, cause?: unknown): SpringhouseError {
  return new SpringhouseError(
    "INVALID_ARGUMENT",
    `This cursor ${reason} ("${model.name}"): begin again without it.`,
    { fields: { table: model.name }, cause },
  );
}
