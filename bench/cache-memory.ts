/**
 * What entries take of the heap: how near the memory tier's own count is to the growth of the heap
 * when it is filled with real JIRA issues, and what an entry costs beside its key and value, with
 * lru-cache for comparison.
 */

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { gunzipSync } from "node:zlib";
import { LRUCache } from "lru-cache";
import { createCache, memoryTier } from "../src/cache/index.ts";
import { BenchInputError, type BenchOptions, type BenchResult } from "./bench.ts";

const ISSUES = join(import.meta.dirname, "../../shared/data/jira/tidev_TIMOB_part0.jsonl.gz");
/** Issues of one file are read this often under other keys. */
const COPIES = 3;
const ENTRIES = 100_000;
const VALUE = Object.freeze({});

/** Runs the bench. */
export async function run({ quick }: BenchOptions): Promise<BenchResult> {
  if (!existsSync(ISSUES)) throw new BenchInputError(`${ISSUES} is not there: no issues to keep.`);
  const lines = linesOf(ISSUES);
  const filled = await fill(lines, quick ? 1 : COPIES);
  const ours = await entryBytes(async (keys, value) => {
    const cache = createCache({ tiers: [memoryTier({ maxEntries: 2 * ENTRIES })] });
    await cache.setMany(keys.map((key) => [key, value] as const));
    return cache;
  });
  const theirs = await entryBytes(async (keys, value) => {
    const cache = new LRUCache<string, object>({ max: 2 * ENTRIES, ttl: 300_000 });
    for (const key of keys) cache.set(key, value);
    return cache;
  });
  return {
    bench: "cache-memory",
    figures: {
      counted_over_heap: filled.counted / filled.heap,
      percent_off: Math.abs(filled.counted / filled.heap - 1) * 100,
      heap_mb: filled.heap / 2 ** 20,
      issues: filled.entries,
      entry_bytes: ours,
      lru_cache_entry_bytes: theirs,
    },
    targets: { percent_off: { atMost: 5 } },
    notes: [
      "counted: bytes of statistics(); heap: growth of heapUsed after garbage collection",
      `entry bytes: growth of the heap by ${ENTRIES.toLocaleString("en-US")} entries of one ` +
        "shared value, less their keys; lru-cache with a ttl",
    ],
  };
}

function linesOf(path: string): readonly string[] {
  return gunzipSync(readFileSync(path)).toString().trimEnd().split("\n");
}

async function fill(
  lines: readonly string[],
  copies: number,
): Promise<{ counted: number; heap: number; entries: number }> {
  const tier = memoryTier({ maxEntries: 1_000_000, maxBytes: "unlimited" });
  const cache = createCache({ tiers: [tier] });
  // What is made once for all entries is not theirs.
  await cache.set("first", JSON.parse(lines[0] ?? "null"));
  const before = heapUsed();
  const countedBefore = tier.statistics().bytes;
  for (let copy = 0; copy < copies; copy++) {
    for (const [index, line] of lines.entries()) {
      await cache.set(["issue", copy, index], JSON.parse(line));
    }
  }
  const heap = heapUsed() - before;
  const { bytes, entries } = tier.statistics();
  await cache.close();
  // What it had goes in a turn to come.
  await setImmediate();
  return { counted: bytes - countedBefore, heap, entries };
}

async function entryBytes(
  make: (keys: readonly string[], value: object) => Promise<object>,
): Promise<number> {
  const keys = Array.from({ length: ENTRIES }, (_, index) => `entry:${index}`);
  const before = heapUsed();
  const cache = await make(keys, VALUE);
  const grown = heapUsed() - before;
  // Read after the measure, so that neither is collected before it.
  if (Object.keys(cache).length < 0) throw new Error("never");
  return grown / keys.length;
}

function heapUsed(): number {
  for (let round = 0; round < 4; round++) globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}
