/** Readers of the deck, who ask for words as often as people say them. */

import { randomNumbers } from "../common/random.ts";
import type { FlashcardDatabase } from "./database.ts";
import { Deck } from "./deck.ts";
import { openDeckCache } from "./deck-cache.ts";
import type { Frequency } from "./word-lists.ts";

const SEED = 7;

/** How to read. */
export interface DemandOptions {
  /** The file of the cache; it is to be new. */
  readonly cachePath: string;
  /** How often each word is said; words without a card are left out by the caller. */
  readonly frequencies: readonly Frequency[];
  readonly reads: number;
  /** The most frequent words that are loaded before anybody asks. */
  readonly warm: number;
  readonly signal: AbortSignal;
}

/** What the reads met. Rates are parts of 1. */
export interface DemandReport {
  readonly warmed: number;
  readonly warmMs: number;
  readonly reads: number;
  readonly hitRate: number;
  readonly memoryHitRate: number;
  /** Of those that memory does not have. */
  readonly fileHitRate: number;
  readonly memoryEvictions: number;
  /** Mean times of a read by where the card was, milliseconds. */
  readonly memoryMs: number;
  readonly fileMs: number;
  readonly loadMs: number;
}

/** Reads through a new cache, warmed or not. */
export async function measureDemand(
  db: FlashcardDatabase,
  { cachePath, frequencies, reads, warm, signal }: DemandOptions,
): Promise<DemandReport> {
  await using cache = openDeckCache(cachePath);
  const deck = new Deck(db, cache);
  const popular = frequencies.slice(0, warm).map(([word]) => word);
  const startMs = performance.now();
  await deck.warm(popular, { signal });
  const warmMs = performance.now() - startMs;
  cache.resetStatistics();
  const draw = drawer(frequencies);
  const times = new Map<string, { readonly ms: number; readonly count: number }>();
  for (let read = 0; read < reads; read++) {
    signal.throwIfAborted();
    const beforeMs = performance.now();
    const { source } = await deck.findFlashcard(draw());
    const { ms = 0, count = 0 } = times.get(source) ?? {};
    times.set(source, { ms: ms + performance.now() - beforeMs, count: count + 1 });
  }
  const { hits, misses, hitRate, memoryHits, memoryEvictions } = cache
    .category("cards")
    .statistics();
  const mean = (source: string): number => {
    const { ms, count } = times.get(source) ?? { ms: 0, count: 1 };
    return ms / count;
  };
  const beyondMemory = hits + misses - memoryHits;
  return {
    warmed: popular.length,
    warmMs,
    reads: hits + misses,
    hitRate,
    memoryHitRate: memoryHits / Math.max(1, hits + misses),
    fileHitRate: (hits - memoryHits) / Math.max(1, beyondMemory),
    memoryEvictions,
    memoryMs: mean("memory"),
    fileMs: mean("sqlite"),
    loadMs: mean("load"),
  };
}

/** Draws words with the chance that their counts give them; always the same words. */
export function drawer(frequencies: readonly Frequency[]): () => string {
  const random = randomNumbers(SEED);
  let total = 0;
  const ends = frequencies.map(([, count]) => {
    total += count;
    return total;
  });
  return () => {
    const at = random() * total;
    let low = 0;
    for (let high = ends.length - 1; low < high; ) {
      const middle = (low + high) >> 1;
      if ((ends[middle] ?? 0) > at) high = middle;
      else low = middle + 1;
    }
    return frequencies[low]?.[0] ?? "";
  };
}
