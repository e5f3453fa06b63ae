/** Counters for people: of a category, of a tier, of the whole cache. */

import { newCounters } from "../tier/counters.ts";
import type { Tier, TierStatistics } from "../tier/tier.ts";
import type { CacheCore } from "./core.ts";
import type { GuardStatistics } from "./guarded-tier.ts";
import type { CategoryCounts, Shelf } from "./shelf.ts";

/** What a category has done. */
export interface CategoryStatistics extends Readonly<CategoryCounts> {
  /** Hits among all reads, 0 when there were none; of `peek` only what it finds counts. */
  readonly hitRate: number;
  readonly memoryHits: number;
  /** Entries that memory removed for room; tiers below do not tell them apart by category. */
  readonly memoryEvictions: number;
  /** Entries that memory removed because their time was over. */
  readonly memoryExpirations: number;
  /** Entries in memory. */
  readonly memoryEntries: number;
  /** Reads past the memory under way. */
  readonly inFlight: number;
}

/** What a tier has done; the guard's part is missing for memory, which cannot fail. */
export interface TierReport extends TierStatistics {
  readonly name: string;
  readonly hitRate: number;
  readonly guard: GuardStatistics | undefined;
}

/** What a cache has done. */
export interface CacheStatistics {
  readonly hits: number;
  readonly misses: number;
  readonly hitRate: number;
  readonly tiers: readonly TierReport[];
  readonly categories: Readonly<Record<string, CategoryStatistics>>;
}

export function categoryStatistics(shelf: Shelf, inFlight: number): CategoryStatistics {
  const { counts, memory } = shelf;
  const memoryHits = memory?.counts.hits ?? 0;
  const hits = counts.hits + memoryHits;
  return {
    ...counts,
    hits,
    hitRate: rate(hits, counts.misses),
    memoryHits,
    memoryEvictions: memory?.counts.evictions ?? 0,
    memoryExpirations: memory?.counts.expirations ?? 0,
    memoryEntries: memory?.size ?? 0,
    inFlight,
  };
}

export function cacheStatistics(core: CacheCore): CacheStatistics {
  const categories = Object.fromEntries(
    core.categories.map(([shelf, reader]) => [
      shelf.category,
      categoryStatistics(shelf, reader.flights),
    ]),
  );
  let hits = 0;
  let misses = 0;
  for (const category of Object.values(categories)) {
    hits += category.hits;
    misses += category.misses;
  }
  const tiers = core.tiers.map((guarded) =>
    report(guarded.name, tierStatistics(guarded.tier), guarded.statistics()),
  );
  if (core.memory !== undefined) {
    tiers.unshift(report(core.memory.name, core.memory.statistics(), undefined));
  }
  return { hits, misses, hitRate: rate(hits, misses), tiers, categories };
}

/** A tier that cannot say what it has done counts as one that has failed once. */
function tierStatistics(tier: Tier): TierStatistics {
  const nothing = { entries: 0, bytes: 0, ...newCounters() };
  try {
    const given: TierStatistics | null | undefined = tier.statistics();
    if (typeof given === "object" && given !== null) return { ...nothing, ...given };
  } catch {}
  return { ...nothing, errors: 1 };
}

function report(
  name: string,
  statistics: TierStatistics,
  guard: GuardStatistics | undefined,
): TierReport {
  return { name, ...statistics, hitRate: rate(statistics.hits, statistics.misses), guard };
}

function rate(hits: number, misses: number): number {
  return hits + misses === 0 ? 0 : hits / (hits + misses);
}
