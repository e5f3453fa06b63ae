/** What every tier counts between two resets. */

import type { TierStatistics } from "./tier.ts";

/** Raised in place by their owner. */
export type Counters = {
  -readonly [Name in Exclude<keyof TierStatistics, "entries" | "bytes">]: number;
};

/** All at nought. */
export function newCounters(): Counters {
  return {
    hits: 0,
    misses: 0,
    sets: 0,
    drops: 0,
    evictions: 0,
    expirations: 0,
    refusals: 0,
    errors: 0,
  };
}
