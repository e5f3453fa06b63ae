/**
 * The optimal policy (Belady, "A study of replacement algorithms for a virtual-storage computer",
 * 1966): of what is held, that goes which is used again last. It may also refuse what has come.
 */

import type { Trace } from "./trace.ts";

/** For each access the index of the key's next one, or the trace's length. */
export function nextUses({ keys, uniqueKeys }: Trace): Int32Array {
  const next = new Int32Array(keys.length);
  const seen = new Int32Array(uniqueKeys).fill(keys.length);
  for (let index = keys.length - 1; index >= 0; index--) {
    const key = keys[index] as number;
    next[index] = seen[key] as number;
    seen[key] = index;
  }
  return next;
}

/** The hits of the optimal policy with room for `size` keys. */
export function simulateOptimal({ keys }: Trace, next: Int32Array, size: number): number {
  // A key in the cache is the index of its next access. A hit is on the least of them all, so a
  // set of flags tells hits, and a heap of indices the last; those that have passed stay in the
  // heap's depths, never on top while there is a later one.
  const held = new Uint8Array(keys.length + 1);
  const heap = new Int32Array(keys.length + 1);
  let length = 0;
  let count = 0;
  let hits = 0;
  for (let index = 0; index < keys.length; index++) {
    const again = next[index] as number;
    if (held[index] === 1) {
      held[index] = 0;
      hits++;
    } else if (count < size) {
      count++;
    } else {
      const last = heap[0] as number;
      if (again >= last) continue;
      held[last] = 0;
      length = pop(heap, length);
    }
    held[again] = 1;
    length = push(heap, length, again);
  }
  return hits;
}

function push(heap: Int32Array, length: number, value: number): number {
  let at = length;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    const above = heap[parent] as number;
    if (above >= value) break;
    heap[at] = above;
    at = parent;
  }
  heap[at] = value;
  return length + 1;
}

function pop(heap: Int32Array, length: number): number {
  const left = length - 1;
  const value = heap[left] as number;
  let at = 0;
  for (let child = 1; child < left; child = 2 * at + 1) {
    if (child + 1 < left && (heap[child + 1] as number) > (heap[child] as number)) child++;
    if ((heap[child] as number) <= value) break;
    heap[at] = heap[child] as number;
    at = child;
  }
  heap[at] = value;
  return left;
}
