/** Everything that is known of one key. */

import type { EntryLook } from "../tier/tier.ts";
import type { CacheCore } from "./core.ts";
import type { Reader } from "./reader.ts";
import type { Shelf } from "./shelf.ts";

/** What one tier has. */
export interface TierExplanation {
  readonly tier: string;
  /** "fresh", "stale" (past its time, though it may be given another chance) or "none". */
  readonly state: "fresh" | "stale" | "none";
  /** 0 for what was made before the wall clock was set back. */
  readonly ageMs: number | undefined;
  /** How long it is fresh from now on; negative when its time is over. */
  readonly freshForMs: number | undefined;
  readonly keptForMs: number | undefined;
  readonly tags: readonly string[];
  /** Heap bytes, in memory only. */
  readonly bytes: number | undefined;
  /** What its load took. */
  readonly loadMs: number | undefined;
}

/** What is known of a key. */
export interface Explanation {
  readonly key: string;
  readonly category: string;
  /** The key as the tiers know it. */
  readonly wholeKey: string;
  /** Whether a read past the memory is under way. */
  readonly inFlight: boolean;
  readonly tiers: readonly TierExplanation[];
}

export async function explain(
  shelf: Shelf,
  reader: Reader,
  key: string,
  core: CacheCore,
): Promise<Explanation> {
  const wholeKey = shelf.prefix + key;
  const tiers: TierExplanation[] = [];
  const nowMs = shelf.parts.clock.nowMs();
  if (shelf.memory !== undefined) {
    const entry = shelf.memory.held(key);
    const look = entry === undefined ? undefined : shelf.memory.lookAt(entry);
    const explained = explainEntry(shelf.memoryName, look, nowMs, core, entry?.bytes);
    tiers.push(entry?.isStale ? { ...explained, state: "stale" } : explained);
  }
  for (const tier of shelf.tiers) {
    tiers.push(explainEntry(tier.name, await tier.look(wholeKey), nowMs, core, undefined));
  }
  return { key, category: shelf.category, wholeKey, inFlight: reader.isFlying(key), tiers };
}

/** What the fastest tier that has a key says; the others are asked only when memory has none. */
export async function freshForMs(shelf: Shelf, key: string): Promise<number | undefined> {
  const { memory, tiers, prefix, parts } = shelf;
  const entry = memory?.held(key);
  if (entry !== undefined && memory?.isFresh(entry)) {
    return memory.lookAt(entry).freshUntilMs - parts.clock.nowMs();
  }
  for (const tier of tiers) {
    const { freshUntilMs = 0 } = (await tier.look(prefix + key)) ?? {};
    const leftMs = freshUntilMs - parts.clock.nowMs();
    if (leftMs > 0) return leftMs;
  }
  return undefined;
}

function explainEntry(
  tier: string,
  entry: EntryLook | undefined,
  nowMs: number,
  core: CacheCore,
  bytes: number | undefined,
): TierExplanation {
  return {
    tier,
    state: entry === undefined ? "none" : entry.freshUntilMs > nowMs ? "fresh" : "stale",
    ageMs: entry === undefined ? undefined : Math.max(0, nowMs - entry.createdMs),
    freshForMs: entry === undefined ? undefined : entry.freshUntilMs - nowMs,
    keptForMs: entry === undefined ? undefined : entry.keepUntilMs - nowMs,
    tags: entry?.tags.map((tag) => core.shortTag(tag)) ?? [],
    bytes,
    loadMs: entry?.loadMs,
  };
}
