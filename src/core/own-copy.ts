/**
 * A private copy of what a caller gave, for a call that looks at it, waits, and looks at it again:
 * meanwhile the caller goes on and may change it.
 *
 * Copied and frozen are plain objects and arrays, whatever their depth and even in a circle; copied
 * are dates and bytes, which cannot be frozen. Everything else is kept as it is: values that cannot
 * change, and objects with a class, which no row and no key can hold.
 */

import { isTransferred } from "./own-bytes.ts";
import { isPlainObject } from "./plain-object.ts";

/** What is deeper than any JSON that can be stored is refused by its check, copied or not. */
const DEPTH_MAX = 1_100;

/** See above. */
export function ownCopy<T>(value: T): T {
  return copy(value, new Map(), 0) as T;
}

function copy(value: unknown, known: Map<object, object>, depth: number): unknown {
  if (typeof value !== "object" || value === null || depth > DEPTH_MAX) return value;
  const before = known.get(value);
  if (before !== undefined) return before;
  if (value instanceof Date) return new Date(value);
  if (value instanceof Uint8Array) return isTransferred(value) ? value : new Uint8Array(value);
  if (Array.isArray(value)) {
    const list: unknown[] = [];
    known.set(value, list);
    for (const item of value) list.push(copy(item, known, depth + 1));
    return Object.freeze(list);
  }
  if (!isPlainObject(value)) return value;
  const object: Record<string, unknown> = {};
  known.set(value, object);
  for (const [key, member] of Object.entries(value)) {
    const own = copy(member, known, depth + 1);
    // An assignment to `__proto__` would change the prototype instead of adding a property.
    Object.defineProperty(object, key, { value: own, enumerable: true });
  }
  return Object.freeze(object);
}
