/**
 * One text for one value, the same in every process and on every machine: for keys made of
 * arguments. Properties stand in the order of their names; 1, "1", 1n, true and null all differ.
 */

import { SpringhouseError } from "./errors.ts";

/** Nesting beyond this is a cycle or a mistake. */
const DEPTH_MAX = 100;

/**
 * The text of a value: different values never have the same, texts that look alike included.
 *
 * @throws `INVALID_ARGUMENT` for what has no text of its own: functions, symbols, instances of
 * classes, cycles.
 */
export function exactText(value: unknown): string {
  return textOf(value, 0);
}

function textOf(value: unknown, depth: number): string {
  switch (typeof value) {
    case "string":
      return JSON.stringify(value);
    case "number":
      return Object.is(value, -0) ? "-0" : String(value);
    case "boolean":
    case "undefined":
      return String(value);
    case "bigint":
      return `${value}n`;
    case "object":
      return value === null ? "null" : objectText(value, depth + 1);
    default:
      throw noText(`A ${typeof value}`);
  }
}

function objectText(value: object, depth: number): string {
  if (depth > DEPTH_MAX) throw noText("A value that contains itself");
  const text = (item: unknown): string => textOf(item, depth);
  if (Array.isArray(value)) {
    assertPlainList(value);
    return `[${value.map(text).join()}]`;
  }
  if (value instanceof Uint8Array) return `Bytes(${Buffer.from(value).toString("base64")})`;
  const isBuiltIn = value instanceof Date || value instanceof Set || value instanceof Map;
  if (isBuiltIn && Object.keys(value).length > 0) {
    throw noText(`A ${value.constructor.name} with properties of its own`);
  }
  if (value instanceof Date) return `Date(${value.getTime()})`;
  // The order of a set or a map of other objects means nothing to most, but is theirs.
  if (value instanceof Set) return `Set(${[...value].map(text).join()})`;
  if (value instanceof Map) return `Map(${[...value].map(([k, v]) => `${text(k)}:${text(v)}`)})`;
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== null && prototype !== Object.prototype) {
    throw noText(`An instance of ${value.constructor?.name ?? "a class"}`);
  }
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${text(item)}`).join()}}`;
}

/** Lists of one text have the same items and nothing else: neither holes nor names. */
function assertPlainList(list: readonly unknown[]): void {
  // Indexes come first, in their order, so the last name tells about all.
  const names = Object.keys(list);
  const isPlain = names.length === list.length && (names.at(-1) ?? "-1") === `${list.length - 1}`;
  if (!isPlain) throw noText("A list with holes, or with properties of its own,");
}

function noText(what: string): SpringhouseError {
  return new SpringhouseError(
    "INVALID_ARGUMENT",
    `${what} cannot be part of a key. Give a key function, or pass plain data.`,
    { fields: { what } },
  );
}
