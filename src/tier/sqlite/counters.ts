/** What a tier counts between two resets. */

import type { TierStatistics } from "../tier.ts";

type Counts = { -readonly [Name in Exclude<keyof TierStatistics, "entries" | "bytes">]: number };

/** Counters that their owners raise in place. */
export class Counters {
  counts: Counts = zeros();

  reset(): void {
    this.counts = zeros();
  }

  with(present: { readonly entries: number; readonly bytes: number }): TierStatistics {
    return { entries: present.entries, bytes: present.bytes, ...this.counts };
  }
}

function zeros(): Counts {
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
