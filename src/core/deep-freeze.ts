/** Freezes data in place. */

import { isPlainObject } from "./plain-object.ts";

/** What is deeper than any JSON that can be stored is left as it is. */
const DEPTH_MAX = 1_100;

/**
 * Freezes plain objects and lists, whatever their depth; not dates and bytes, which cannot be. What
 * is frozen already is taken to be so in its depth.
 */
export function deepFreeze<T>(value: T): T {
  freeze(value, 0);
  return value;
}

function freeze(value: unknown, depth: number): void {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return;
  if (depth > DEPTH_MAX || (!Array.isArray(value) && !isPlainObject(value))) return;
  Object.freeze(value);
  for (const member of Object.values(value)) freeze(member, depth + 1);
}
