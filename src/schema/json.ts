/**
 * What may be stored as JSON: only values that come back as they went in. A `Date` would come back
 * as a text and NaN as null, so they are refused, with the place where they stand.
 */

import { isPlainObject } from "../core/plain-object.ts";

/** SQLite's parser and serializer refuse deeper nesting. */
const JSON_DEPTH_MAX = 1_000;

/** Where something is wrong in a JSON value, and what. */
export class JsonProblem {
  readonly path: readonly (string | number)[];
  readonly message: string;

  constructor(path: readonly (string | number)[], message: string) {
    this.path = path;
    this.message = message;
  }
}

/**
 * A deep copy with the properties that are undefined left out and -0 as 0, as reading the stored
 * value back would give; or the first problem.
 */
export function copyJson(value: unknown): unknown {
  const path: (string | number)[] = [];
  try {
    return copy(value, path);
  } catch (error) {
    if (error instanceof JsonProblem) return error;
    throw error;
  }
}

function copy(value: unknown, path: (string | number)[]): unknown {
  switch (typeof value) {
    case "boolean":
      return value;
    case "number":
      if (!Number.isFinite(value)) throw problem(path, `${value} cannot be stored as JSON`);
      return value + 0;
    case "string":
      return copyText(value, path);
    case "object":
      if (value === null) return null;
      if (path.length >= JSON_DEPTH_MAX) {
        throw problem([], `must be nested at most ${JSON_DEPTH_MAX} deep, without a cycle`);
      }
      return Array.isArray(value) ? copyArray(value, path) : copyObject(value, path);
    case "bigint":
      throw problem(path, "JSON has no bigint; give a text");
    default:
      throw problem(path, `JSON has no ${typeof value}`);
  }
}

function copyText(text: string, path: readonly (string | number)[]): string {
  if (!text.isWellFormed()) throw problem(path, "must be well-formed text (no lone surrogates)");
  if (text.includes("\0")) throw problem(path, "must not contain the character NUL");
  return text;
}

function copyArray(value: readonly unknown[], path: (string | number)[]): unknown[] {
  const result: unknown[] = [];
  for (let index = 0; index < value.length; index++) {
    path.push(index);
    result.push(copy(value[index], path));
    path.pop();
  }
  return result;
}

function copyObject(value: object, path: (string | number)[]): object {
  if (!isPlainObject(value)) {
    const name = value.constructor?.name ?? "object";
    throw problem(path, `a ${name} would not come back from JSON; give plain objects and arrays`);
  }
  const result: Record<string, unknown> = {};
  for (const [key, member] of Object.entries(value)) {
    if (member === undefined) continue;
    path.push(copyText(key, path));
    const copied = copy(member, path);
    path.pop();
    // An assignment to `__proto__` would change the prototype instead of adding a property.
    if (key === "__proto__") Object.defineProperty(result, key, { value: copied, ...ORDINARY });
    else result[key] = copied;
  }
  return result;
}

const ORDINARY = { enumerable: true, configurable: true, writable: true } as const;

function problem(path: readonly (string | number)[], message: string): JsonProblem {
  return new JsonProblem([...path], message);
}
