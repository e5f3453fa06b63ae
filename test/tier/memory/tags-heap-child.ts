/**
 * Fills memory tiers with tagged entries beyond their bytes and prints, for each way of tagging,
 * what the tier says that it takes and by how much the heap has grown:
 * `node --expose-gc tags-heap-child.ts`.
 */

import { memoryTier } from "../../../src/tier/memory/memory-tier.ts";

const ENTRIES = 40_000;
const WAYS: Readonly<Record<string, (index: number) => readonly string[]>> = {
  none: () => [],
  "one shared": () => ["all"],
  "one for two": (index) => [`user:${index >> 1}`],
  "one of its own": (index) => [`user:${index}`],
  "eight of its own": (index) => Array.from({ length: 8 }, (_, tag) => `user:${index}:${tag}`),
  mixed: (index) => [`user:${index}`, "all", `of seven:${index % 7}`],
};

function heapBytes(): number {
  for (let round = 0; round < 4; round++) globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

async function fill(
  entries: number,
  tagsOf: (index: number) => readonly string[],
): Promise<{ readonly said: number; readonly grown: number }> {
  const before = heapBytes();
  const tier = memoryTier({ maxEntries: Infinity, maxBytes: "15MB", sweepEvery: 0 });
  const part = tier.partition("users/", undefined, "frozen");
  const nowMs = Date.now();
  for (let index = 0; index < entries; index++) {
    part.put(`user:${index}`, {
      key: "",
      value: index,
      category: "users",
      createdMs: nowMs,
      freshUntilMs: nowMs + 3_600_000,
      keepUntilMs: nowMs + 3_600_000,
      slidingMs: 0,
      tags: tagsOf(index),
      loadMs: 1,
      etag: undefined,
    });
  }
  const grown = heapBytes() - before;
  const said = tier.statistics().bytes;
  await tier.close();
  return { said, grown };
}

// Code is compiled with the first entries; it does not count.
for (const tagsOf of Object.values(WAYS)) await fill(1_000, tagsOf);
const results: Record<string, { readonly said: number; readonly grown: number }> = {};
for (const [way, tagsOf] of Object.entries(WAYS)) results[way] = await fill(ENTRIES, tagsOf);
process.stdout.write(JSON.stringify(results));
