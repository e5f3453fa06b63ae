/** Plain LRU over numbered keys, written apart from ours so that it can check it. */

import type { Trace } from "./trace.ts";

/** The hits of LRU with room for `size` keys. */
export function simulateLru({ keys, uniqueKeys }: Trace, size: number): number {
  // The key `uniqueKeys` stands for both ends of the ring; -1 for "not in the cache".
  const ends = uniqueKeys;
  const newer = new Int32Array(uniqueKeys + 1).fill(-1);
  const older = new Int32Array(uniqueKeys + 1).fill(-1);
  newer[ends] = ends;
  older[ends] = ends;
  const unlink = (key: number): void => {
    const above = newer[key] as number;
    const below = older[key] as number;
    older[above] = below;
    newer[below] = above;
    newer[key] = -1;
  };
  let hits = 0;
  let held = 0;
  for (const key of keys) {
    if (newer[key] !== -1) {
      hits++;
      unlink(key);
    } else if (held < size) {
      held++;
    } else {
      unlink(newer[ends] as number);
    }
    const newest = older[ends] as number;
    older[key] = newest;
    newer[key] = ends;
    newer[newest] = key;
    older[ends] = key;
  }
  return hits;
}
