/**
 * The cache of the program: memory in front of a file. Each kind of entry is a category with a life
 * of its own.
 */

import { type Cache, createCache, memoryTier, sqliteTier } from "springhouse/cache";

/** Cards that memory holds; the others are read from the file. */
export const MEMORY_CARDS = 1_000;
/** Answers that memory holds; a stage asks for each word once, so few are of use. */
const MEMORY_ANSWERS = 1_000;

/** What a test sets instead of the machine's own. */
export interface DeckCacheOptions {
  readonly clock?: NonNullable<Parameters<typeof createCache>[0]>["clock"];
}

/** What all categories have in memory together; configuration takes next to nothing. */
const MEMORY_ENTRIES = MEMORY_CARDS + MEMORY_ANSWERS;

/** Opens the cache in a file, which is made when there is none. */
export function openDeckCache(path: string, { clock }: DeckCacheOptions = {}): Cache {
  const given = clock === undefined ? {} : { clock };
  return createCache({
    tiers: [memoryTier({ maxEntries: MEMORY_ENTRIES, ...given }), sqliteTier({ path, ...given })],
    namespace: "flashcards",
    categories: {
      // Loaded from a file beside the cache: to lease a key would cost more than the load.
      cards: { ttl: "1h", lease: false, description: "cards as they are read" },
      // An answer that was just given costs no request; one for an outage has to outlive it.
      requests: { ttl: "300s", tiers: ["memory"], maxEntries: MEMORY_ANSWERS },
      answers: { ttl: "7d", tiers: ["sqlite"], lease: false, description: "kept for an outage" },
      config: { ttl: "300s", keepStale: "7d", description: "what the dictionary allows" },
    },
    ...given,
  });
}
