/** Counters for people: what has become of the results of each cached function. */

import type { GuardStatistics } from "../cache/guarded-tier.ts";
import type { Partition } from "../tier/memory/partition.ts";
import type { ResultTable } from "./result-table.ts";
import type { ShadowCounts } from "./shadow.ts";

/** What a function counts itself. */
export interface FunctionCounts {
  misses: number;
  found: number;
  notKept: number;
}

/** Of one cached function. */
export interface FunctionStatistics {
  /** Results that memory gave. */
  readonly hits: number;
  /** Calls that memory had nothing for. */
  readonly misses: number;
  /** Hits among all calls, 0 when there were none. */
  readonly hitRate: number;
  /** Of the misses, those that a tier below memory had a result for. */
  readonly found: number;
  /** Results in memory, and their heap bytes. */
  readonly entries: number;
  readonly bytes: number;
  /** Dropped because of what was written. */
  readonly dropped: number;
  /** Removed for room. */
  readonly evicted: number;
  /** Runs whose result could not be kept, and why the last one was not. */
  readonly notKept: number;
  readonly notKeptReason: string | undefined;
  /** Hits that were computed again, and those of them that gave something else. */
  readonly shadow: ShadowCounts;
}

/** Of all of them. */
export interface CachedStatistics {
  readonly functions: Readonly<Record<string, FunctionStatistics>>;
  /** The tiers below memory, by their names. */
  readonly tiers: Readonly<Record<string, GuardStatistics>>;
}

interface Counted extends FunctionCounts {
  readonly partition: Partition;
  readonly results: ResultTable;
  readonly reason: string | undefined;
  readonly shadow: ShadowCounts | undefined;
}

/** Puts them together. */
export function functionStatistics(counted: Counted): FunctionStatistics {
  const { partition, results, misses, found, notKept, reason, shadow } = counted;
  const { hits, evictions } = partition.counts;
  return {
    hits,
    misses,
    hitRate: hits + misses === 0 ? 0 : hits / (hits + misses),
    found,
    entries: results.size,
    bytes: results.bytes,
    dropped: results.dropped,
    evicted: evictions,
    notKept,
    notKeptReason: reason,
    shadow: shadow ?? { checked: 0, different: 0 },
  };
}
