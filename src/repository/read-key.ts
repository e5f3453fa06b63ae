/**
 * Keys of kept reads: a text of what was asked, such that two calls have the same text only when
 * they would be the same statement with the same values. It is made for every hit, so it does no
 * more than it must: texts are told apart by their length instead of by quotes, and nothing is
 * sorted, so that the same conditions in another order have another key.
 */

import { isPlainObject } from "../core/plain-object.ts";

/** Deeper conditions are refused by `whereSql`, and deeper data is no condition. */
const DEPTH_MAX = 60;

/** The text of a list of parts; undefined when one of them has no text of its own. */
export function readKey(parts: readonly unknown[]): string | undefined {
  return listText(parts, 0);
}

/**
 * What a statement would refuse has no text, so that it comes to the statement: undefined inside of
 * a condition, symbols, instances of classes.
 */
function textOf(value: unknown, depth: number): string | undefined {
  switch (typeof value) {
    case "string":
      return `'${value.length}:${value}`;
    case "number":
      return `#${value}`;
    case "bigint":
      return `n${value}`;
    case "boolean":
      return value ? "+" : "-";
    case "object":
      return value === null ? "0" : objectText(value, depth + 1);
    default:
      return undefined;
  }
}

function objectText(value: object, depth: number): string | undefined {
  if (depth > DEPTH_MAX) return undefined;
  if (Array.isArray(value)) return listText(value, depth);
  if (value instanceof Date) return `d${value.getTime()}`;
  if (value instanceof Uint8Array) {
    const { buffer, byteOffset, byteLength } = value;
    return `x${Buffer.from(buffer, byteOffset, byteLength).toString("hex")};`;
  }
  if (!isPlainObject(value) || Object.getOwnPropertySymbols(value).length > 0) return undefined;
  let text = "{";
  for (const name of Object.keys(value)) {
    const own = textOf(value[name], depth);
    if (own === undefined) return undefined;
    text += `${name.length}:${name}${own},`;
  }
  return `${text}}`;
}

function listText(list: readonly unknown[], depth: number): string | undefined {
  let text = "[";
  for (let index = 0; index < list.length; index++) {
    const item = list[index];
    // Of a call that does not say, one level below the key itself.
    const own = item === undefined && depth === 0 ? "_" : textOf(item, depth);
    if (own === undefined) return undefined;
    text += `${own},`;
  }
  return `${text}]`;
}
