/**
 * Sets far more tagged entries than memory tiers have room for and prints, for each way of tagging,
 * what the tier says that it takes and by how much the heap shrinks when it goes:
 * `node --expose-gc tags-heap-child.ts`.
 */

import { setTimeout as wait } from "node:timers/promises";
import { memoryTier } from "../../../src/tier/memory/memory-tier.ts";

const SETS = 150_000;
/** Enough to make what V8 keeps beside, a quarter of a megabyte, small. */
const MAX_BYTES = "24MB";
const WAYS: Readonly<Record<string, (index: number) => readonly string[]>> = {
  none: () => [],
  "one shared": () => ["all"],
  "one for two": (index) => [`user:${index >> 1}`],
  "one of its own": (index) => [`user:${index}`],
  "three of its own": (index) => [`a:${index}`, `b:${index}`, `c:${index}`],
  "eight of its own": (index) => Array.from({ length: 8 }, (_, tag) => `user:${index}:${tag}`),
  mixed: (index) => [`user:${index}`, "all", `of seven:${index % 7}`],
};

interface Bytes {
  readonly said: number;
  readonly heap: number;
}

function heapBytes(): number {
  for (let round = 0; round < 4; round++) globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

async function fill(sets: number, tagsOf: (index: number) => readonly string[]): Promise<Bytes> {
  const tier = memoryTier({ maxEntries: Infinity, maxBytes: MAX_BYTES, sweepEvery: 0 });
  const part = tier.partition("users/", undefined, "frozen");
  const nowMs = Date.now();
  for (let index = 0; index < sets; index++) {
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
  const heap = heapBytes();
  const said = tier.statistics().bytes;
  await tier.close();
  return { said, heap };
}

// Code is compiled with the first entries.
for (const tagsOf of Object.values(WAYS)) await fill(20_000, tagsOf);
const results: Record<string, { readonly said: number; readonly grown: number }> = {};
for (const [way, tagsOf] of Object.entries(WAYS)) {
  await wait(20);
  const { said, heap } = await fill(SETS, tagsOf);
  await wait(20);
  results[way] = { said, grown: heap - heapBytes() };
}
process.stdout.write(JSON.stringify(results));
