/** Results in the form in which sqllogictest files have them. */

import { createHash } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import type { SortMode } from "./records.ts";

/** A value as SQLite has it: integers are bigints, reals are numbers. */
export type ExactValue = null | bigint | number | string | Uint8Array;
export type ExactRow = readonly ExactValue[];

/** The values of a result, sorted as the record says. */
export function formatted(rows: readonly ExactRow[], types: string, sort: SortMode): string[] {
  const texts = rows.map((row) => row.map((value, at) => textOf(value, types[at] ?? "T")));
  if (sort === "rowsort") texts.sort(compareRows);
  const values = texts.flat();
  return sort === "valuesort" ? values.sort(compare) : values;
}

/** The line that stands for many values. */
export function hashed(values: readonly string[]): string {
  return `${values.length} values hashing to ${hashOf(values)}`;
}

/** MD5 over all values, each with its line end. */
export function hashOf(values: readonly string[]): string {
  const hash = createHash("md5");
  for (const value of values) hash.update(`${value}\n`);
  return hash.digest("hex");
}

/** Whether the lines below `----` stand for these values. */
export function isExpected(values: readonly string[], expected: readonly string[]): boolean {
  const [line = ""] = expected;
  if (expected.length === 1 && line.includes(" values hashing to ")) return line === hashed(values);
  return values.length === expected.length && values.every((value, at) => value === expected[at]);
}

function textOf(value: ExactValue, type: string): string {
  if (value === null) return "NULL";
  if (type === "I") return String(BigInt.asIntN(32, integerOf(value)));
  if (type === "R") return realOf(value).toFixed(3);
  const text = plainText(value);
  return text === "" ? "(empty)" : text.replace(/[^\x20-\x7e]/g, "@");
}

/** As `CAST(value AS INTEGER)`. */
function integerOf(value: NonNullable<ExactValue>): bigint {
  if (typeof value === "bigint") return value;
  if (typeof value === "number") return BigInt(Math.trunc(value));
  const [digits = "0"] = /^\s*[+-]?\d+/.exec(plainText(value)) ?? [];
  return BigInt(digits.trim().replace("+", ""));
}

function realOf(value: NonNullable<ExactValue>): number {
  if (typeof value === "bigint" || typeof value === "number") return Number(value);
  return Number.parseFloat(plainText(value)) || 0;
}

/** As `CAST(value AS TEXT)`, one character for each byte. */
function plainText(value: NonNullable<ExactValue>): string {
  if (typeof value === "number") return String(textOfReal.get(value)?.["text"]);
  if (typeof value === "bigint") return String(value);
  return Buffer.from(value as string | Uint8Array as string).toString("latin1");
}

/** SQLite's own texts of reals differ from those of JavaScript. */
const textOfReal = new DatabaseSync(":memory:").prepare("SELECT CAST(? AS TEXT) AS text");

function compareRows(one: readonly string[], other: readonly string[]): number {
  for (const [at, value] of one.entries()) {
    const order = compare(value, other[at] ?? "");
    if (order !== 0) return order;
  }
  return 0;
}

function compare(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
