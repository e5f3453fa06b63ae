/**
 * Whether a row can meet a predicate, as SQLite would say, judged from an image of the row.
 *
 * Truth is a number: then AND is the least of its parts, OR the greatest, and NOT the negation.
 * What cannot be judged (an opaque part, a value or column that the image does not have, a text or
 * collating sequence in doubt, the order of texts in UTF-16) is taken for the highest truth, and
 * below a NOT for the lowest.
 * These operations never fall when a part rises, so what comes out is no lower than the truth.
 * It may be higher, never for rows without doubt.
 */

import { type Image, valueIn } from "./change.ts";
import { compareText, normalText } from "./collation.ts";
import type { Comparison, Predicate } from "./predicate.ts";
import { type ColumnStructure, columnOf, type TableStructure } from "./structure.ts";
import { type ImageValue, isDoubtfulInUtf16, type StoredValue, UNKNOWN } from "./value.ts";

type Truth = -1 | 0 | 1;
const TRUE = 1;
const NULL = 0;
const FALSE = -1;

type Value = NonNullable<StoredValue>;

interface Row {
  readonly image: Image;
  readonly structure: TableStructure;
}

/** False only when the predicate is surely FALSE or NULL for the row of the image. */
export function holds(predicate: Predicate, image: Image, structure: TableStructure): boolean {
  return highest(predicate, { image, structure }, TRUE) === TRUE;
}

/** The highest truth that is possible, or the lowest when `doubt` is FALSE. */
function highest(predicate: Predicate, row: Row, doubt: Truth): Truth {
  switch (predicate.kind) {
    case "always":
      return TRUE;
    case "opaque":
      return doubt;
    case "compare": {
      const { column, operator, value } = predicate;
      const { image, structure } = row;
      const found = valueIn(image, column);
      return compared(found, operator, value, columnOf(structure, column), structure) ?? doubt;
    }
    case "in":
      return isAmong(predicate.column, predicate.values, row, doubt);
    case "and": {
      let least: Truth = TRUE;
      for (const part of predicate.parts) {
        const truth = highest(part, row, doubt);
        if (truth === FALSE) return FALSE;
        if (truth < least) least = truth;
      }
      return least;
    }
    case "or": {
      let greatest: Truth = FALSE;
      for (const part of predicate.parts) {
        const truth = highest(part, row, doubt);
        if (truth === TRUE) return TRUE;
        if (truth > greatest) greatest = truth;
      }
      return greatest;
    }
    case "not":
      return opposite(highest(predicate.part, row, opposite(doubt)));
  }
}

function opposite(truth: Truth): Truth {
  if (truth === NULL) return NULL;
  return truth === TRUE ? FALSE : TRUE;
}

/** `IN` is an OR of equalities: FALSE for no values at all, NULL for a NULL among them. */
function isAmong(name: string, values: readonly StoredValue[], row: Row, doubt: Truth): Truth {
  const found = valueIn(row.image, name);
  const column = columnOf(row.structure, name);
  let greatest: Truth = FALSE;
  for (const value of values) {
    const truth = compared(found, "=", value, column, row.structure) ?? doubt;
    if (truth === TRUE) return TRUE;
    if (truth > greatest) greatest = truth;
  }
  return greatest;
}

/** Undefined when it cannot be judged. */
function compared(
  found: ImageValue,
  operator: Comparison,
  value: StoredValue,
  column: ColumnStructure | undefined,
  { isUtf16 }: TableStructure,
): Truth | undefined {
  if (found === UNKNOWN || column === undefined) return undefined;
  if (found === null || value === null) {
    if (operator === "is") return found === value ? TRUE : FALSE;
    if (operator === "is not") return found === value ? FALSE : TRUE;
    return NULL;
  }
  if (isUtf16 && !canTellInUtf16(found, operator, value)) return undefined;
  const order = orderOf(found, value, column.collation);
  if (order === undefined) return undefined;
  return meets(order, operator) ? TRUE : FALSE;
}

/** Texts can be told apart, when they stand for no others, and not be put in order. */
function canTellInUtf16(found: Value, operator: Comparison, value: Value): boolean {
  if (typeof found !== "string" || typeof value !== "string") return true;
  return EQUALITIES.has(operator) && !isDoubtfulInUtf16(found) && !isDoubtfulInUtf16(value);
}

const EQUALITIES: ReadonlySet<Comparison> = new Set(["=", "<>", "is", "is not"]);

function meets(order: number, operator: Comparison): boolean {
  switch (operator) {
    case "=":
    case "is":
      return order === 0;
    case "<>":
    case "is not":
      return order !== 0;
    case "<":
      return order < 0;
    case "<=":
      return order <= 0;
    case ">":
      return order > 0;
    case ">=":
      return order >= 0;
  }
}

/** The order of two values that are not NULL: numbers before texts before blobs. */
function orderOf(one: Value, other: Value, collation: string): number | undefined {
  if (typeof one === "string" && typeof other === "string") {
    const left = normalText(one, collation);
    const right = normalText(other, collation);
    return left === undefined || right === undefined ? undefined : compareText(left, right);
  }
  if (one instanceof Uint8Array && other instanceof Uint8Array) return Buffer.compare(one, other);
  if (isNumber(one) && isNumber(other)) {
    // A bigint and a number are compared by their exact values, as SQLite does.
    if (one < other) return -1;
    if (one > other) return 1;
    return Number.isNaN(one) || Number.isNaN(other) ? undefined : 0;
  }
  return classOf(one) - classOf(other);
}

function isNumber(value: Value): value is bigint | number {
  return typeof value === "bigint" || typeof value === "number";
}

function classOf(value: Value): number {
  if (isNumber(value)) return 0;
  return typeof value === "string" ? 1 : 2;
}
