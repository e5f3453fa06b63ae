/** Calls of a tier for many keys: so few at a time that each is done well within its timeout. */

import { isSliceOver, nextSlice } from "../core/slices.ts";

/** Keys in one call of a tier. */
export const BATCH_MAX = 500;

/**
 * What `read` answers for all keys, in their order. One batch after the other: each has the tier to
 * itself, and a tier of which nobody knows whether it is back is tried by one call.
 */
export async function readInBatches<T>(
  keys: readonly string[],
  read: (batch: readonly string[]) => Promise<readonly T[]>,
): Promise<readonly T[]> {
  if (keys.length <= BATCH_MAX) return await read(keys);
  const answers: T[] = [];
  for (let start = 0; start < keys.length; start += BATCH_MAX) {
    if (isSliceOver()) await nextSlice();
    for (const answer of await read(keys.slice(start, start + BATCH_MAX))) answers.push(answer);
  }
  return answers;
}
