/** Where two values differ, as data: the order of properties does not count, that of lists does. */

import { isSliceOver, nextSlice } from "../../core/slices.ts";

/** Values nested more deeply are no data of a backend but a cycle. */
const DEPTH_MAX = 100;

/**
 * The place of the first difference, such as "2.jiraConfig.base_url", and "" for the values as a
 * whole; undefined when they are the same. Large values are compared in slices, so that nobody
 * waits for them.
 */
export async function firstDifference(a: unknown, b: unknown): Promise<string | undefined> {
  const open: [a: unknown, b: unknown, path: readonly string[]][] = [[a, b, []]];
  for (let pair = open.pop(); pair !== undefined; pair = open.pop()) {
    if (isSliceOver()) await nextSlice();
    const [left, right, path] = pair;
    const parts = path.length > DEPTH_MAX ? undefined : partsOf(left, right);
    if (parts === undefined) return path.join(".");
    // The last one is taken first.
    for (const [name, leftPart, rightPart] of parts.reverse()) {
      open.push([leftPart, rightPart, [...path, name]]);
    }
  }
  return undefined;
}

type Part = readonly [name: string, a: unknown, b: unknown];

/** What is left to compare of two values; undefined when they differ already. */
function partsOf(a: unknown, b: unknown): Part[] | undefined {
  if (Object.is(a, b)) return [];
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return undefined;
  if (a instanceof Date || b instanceof Date) {
    return a instanceof Date && b instanceof Date && a.getTime() === b.getTime() ? [] : undefined;
  }
  if (a instanceof Uint8Array || b instanceof Uint8Array) {
    const areBytes = a instanceof Uint8Array && b instanceof Uint8Array;
    return areBytes && Buffer.compare(a, b) === 0 ? [] : undefined;
  }
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return undefined;
    return a.map((item, index): Part => [String(index), item, b[index]]);
  }
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...names].map((name): Part => [name, own(a, name), own(b, name)]);
}

/** A property that is undefined is as good as none. */
function own(value: object, name: string): unknown {
  return Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
}
