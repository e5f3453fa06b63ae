/**
 * The built-in check of one column, compiled once: a function that takes a value and gives what is
 * stored, telling every problem to the caller. What it gives comes back from both databases as it
 * is: -0 becomes 0, a UUID lower case; NaN, lone surrogates and NUL characters are refused.
 */

import { unreachable } from "../core/assert.ts";
import { isTransferred, ownBytes, TRANSFERRED } from "../core/own-bytes.ts";
import { isCalendarDate, momentOf } from "./calendar.ts";
import type { ColumnFacts } from "./facts.ts";
import { copyJson, JsonProblem } from "./json.ts";

/** Told about a problem: what is wrong, and where inside the value when it is JSON. */
export type Report = (message: string, path?: readonly (string | number)[]) => void;

/** Gives the value as it is stored; what it gives after a report means nothing. */
export type Check = (value: unknown, report: Report) => unknown;

/** Texts in messages are cut here, so that a whole document does not end up in a log. */
const SHOWN_CHARACTERS_MAX = 40;
const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** The check of a column for a value that is neither null nor undefined. */
export function compileCheck(column: ColumnFacts): Check {
  switch (column.kind) {
    case "int":
      return withLimits(column, checkInt);
    case "bigint":
      return withLimits(column, checkBigint);
    case "real":
      return withLimits(column, checkReal);
    case "text":
      return textCheck(column);
    case "boolean":
      return checkBoolean;
    case "json":
      return checkJson;
    case "uuid":
      return checkUuid;
    case "date":
      return checkDate;
    case "timestamp":
      return checkTimestamp;
    case "blob":
      return checkBlob;
    case "enum":
      return enumCheck(column.values ?? []);
    default:
      return unreachable(column.kind);
  }
}

/** Characters as databases count them: code points, not UTF-16 units. */
export function lengthOf(text: string): number {
  let length = text.length;
  for (let index = 0; index < text.length - 1; index++) {
    const unit = text.charCodeAt(index);
    if (unit >= 0xd800 && unit <= 0xdbff) {
      length--;
      index++;
    }
  }
  return length;
}

function checkInt(value: unknown, report: Report): unknown {
  if (Number.isSafeInteger(value)) return (value as number) + 0;
  const hint = Number.isInteger(value) ? " that JavaScript holds exactly (up to 2^53 - 1)" : "";
  return report(`must be a whole number${hint}, got ${show(value)}`);
}

function checkBigint(value: unknown, report: Report): unknown {
  if (typeof value !== "bigint") return report(`must be a bigint, got ${show(value)}`);
  if (value < INT64_MIN || value > INT64_MAX) return report("must fit into 64 bits");
  return value;
}

function checkReal(value: unknown, report: Report): unknown {
  if (Number.isFinite(value)) return (value as number) + 0;
  return report(`must be a finite number, got ${show(value)}`);
}

function withLimits(column: ColumnFacts, check: Check): Check {
  const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY } = column;
  if (column.min === undefined && column.max === undefined) return check;
  return (value, report) => {
    const result = check(value, report) as number | bigint | undefined;
    if (result === undefined) return undefined;
    if (result < min) report(`must be at least ${min}, got ${result}`);
    else if (result > max) report(`must be at most ${max}, got ${result}`);
    return result;
  };
}

function textCheck(column: ColumnFacts): Check {
  const { minLength = 0, maxLength = Number.POSITIVE_INFINITY, pattern, trim } = column;
  return (value, report) => {
    if (typeof value !== "string") return report(`must be a text, got ${show(value)}`);
    const text = trim ? value.trim() : value;
    if (!text.isWellFormed()) report("must be well-formed text (no lone surrogates)");
    if (text.includes("\0")) report("must not contain the character NUL");
    // A text has at most as many characters as UTF-16 units, and at least half as many.
    if (text.length < minLength * 2 || text.length > maxLength) {
      const length = lengthOf(text);
      if (length < minLength) report(tooShort(minLength, length));
      else if (length > maxLength) {
        report(`must be at most ${characters(maxLength)} long, has ${length}`);
      }
    }
    if (pattern !== undefined && !pattern.test(text)) report(`must match ${pattern}`);
    return text;
  };
}

function tooShort(minLength: number, length: number): string {
  if (length === 0) return "must not be empty";
  return `must be at least ${characters(minLength)} long, has ${length}`;
}

function characters(count: number): string {
  return count === 1 ? "1 character" : `${count} characters`;
}

function checkBoolean(value: unknown, report: Report): unknown {
  return typeof value === "boolean" ? value : report(`must be true or false, got ${show(value)}`);
}

function checkJson(value: unknown, report: Report): unknown {
  const copied = copyJson(value);
  return copied instanceof JsonProblem ? report(copied.message, copied.path) : copied;
}

function checkUuid(value: unknown, report: Report): unknown {
  if (typeof value === "string" && UUID.test(value)) return value.toLowerCase();
  return report(
    `must be a UUID such as "0b9d3c8e-5f2a-4d1c-9e77-3a1f6b2c4d5e", got ${show(value)}`,
  );
}

function checkDate(value: unknown, report: Report): unknown {
  if (typeof value === "string" && isCalendarDate(value)) return value;
  return report(`must be a calendar day such as "2025-12-31", got ${show(value)}`);
}

function checkTimestamp(value: unknown, report: Report): unknown {
  return (
    momentOf(value) ??
    report(
      `must be a Date, epoch milliseconds or a text with zone such as "2025-12-31T23:59:59Z", ` +
        `in the years 1 to 9999; got ${show(value)}`,
    )
  );
}

function checkBlob(value: unknown, report: Report): unknown {
  if (!(value instanceof Uint8Array)) return report(`must be a Uint8Array, got ${show(value)}`);
  return isTransferred(value) ? report(TRANSFERRED) : ownBytes(value);
}

function enumCheck(values: readonly string[]): Check {
  const allowed = new Set<unknown>(values);
  const list = values.map((value) => JSON.stringify(value)).join(", ");
  return (value, report) =>
    allowed.has(value) ? value : report(`must be one of ${list}; got ${show(value)}`);
}

/** A value for a message: short, and never the inside of an object. */
export function show(value: unknown): string {
  switch (typeof value) {
    case "string":
      if (value.length <= SHOWN_CHARACTERS_MAX) return JSON.stringify(value);
      return `${JSON.stringify(value.slice(0, SHOWN_CHARACTERS_MAX))} and more`;
    case "bigint":
      return `${value}n`;
    case "object":
      if (value === null) return "null";
      if (value instanceof Date)
        return Number.isNaN(value.getTime()) ? "an invalid Date" : "a Date";
      return Array.isArray(value)
        ? "an array"
        : `an object (${value.constructor?.name ?? "plain"})`;
    case "function":
    case "symbol":
      return `a ${typeof value}`;
    default:
      return String(value);
  }
}
