/** The counters of a tier. */

/** What is counted since the start or the last reset. */
export type Counters = Record<
  "hits" | "misses" | "sets" | "drops" | "evictions" | "expirations" | "refusals" | "errors",
  number
>;

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
