/**
 * What a tier costs: one hit, values of 1 KB and of 100 KB, decoded and ready for use. All tiers
 * run in the same process with the same values, in alternation. And what a miss in all of them
 * costs, with the query that answers instead.
 */

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { createCache } from "../src/cache/index.ts";
import { openDatabase } from "../src/sqlite/database.ts";
import { noise } from "../src/testing/tier/context.ts";
import { fileTier } from "../src/tier/file/file-tier.ts";
import { memoryTier } from "../src/tier/memory/memory-tier.ts";
import { sqliteTier } from "../src/tier/sqlite/sqlite-tier.ts";
import type { Tier, TierEntry } from "../src/tier/tier.ts";
import type { BenchOptions, BenchResult, Target } from "./bench.ts";
import { percentile, withFolder } from "./support.ts";

/** A tier is one line; the limits are those of the table of budgets. */
const TIERS: Readonly<Record<string, { open(folder: string): Tier; p95MsMax: number }>> = {
  memory: { open: () => memoryTier({ maxEntries: 10_000 }), p95MsMax: 0.1 },
  sqlite: { open: (folder) => sqliteTier({ path: join(folder, "cache.db") }), p95MsMax: 0.5 },
  file: { open: (folder) => fileTier({ folder: join(folder, "files") }), p95MsMax: 5 },
};
/** Sizes of values, with what they are called in the names of figures. */
const SIZES = [
  { infix: "", chars: 1_024, entries: 5_000 },
  { infix: "_100kb", chars: 100 * 1_024, entries: 200 },
];
const BATCH = 100;
const RECORD_CHARS = 256;
/** A miss with its query; what a caller waits for. */
const MISS_P95_MS_MAX = 10;

/** Runs the bench. */
export function run(options: BenchOptions): Promise<BenchResult> {
  return withFolder((folder) => measure(folder, options));
}

async function measure(folder: string, { quick }: BenchOptions): Promise<BenchResult> {
  const rounds = quick ? 400 : 4_000;
  const figures: Record<string, number> = {};
  const targets: Record<string, Target> = {};
  for (const { infix, chars, entries } of SIZES) {
    const samples = new Map<string, number[]>();
    const tiers = await open(join(folder, `values${infix}`), chars, entries);
    for (let round = 0; round < rounds; round++) {
      for (const [name, tier] of tiers) {
        const key = `key ${Math.floor(Math.random() * entries)}`;
        const startMs = performance.now();
        await tier.getMany([key]);
        push(samples, name, performance.now() - startMs);
      }
    }
    for (const [name, tier] of tiers) {
      const p95 = `${name}${infix}_p95_ms`;
      figures[`${name}${infix}_p50_ms`] = percentile(samples.get(name) ?? [], 50);
      figures[p95] = percentile(samples.get(name) ?? [], 95);
      targets[p95] = { atMost: TIERS[name]?.p95MsMax ?? Number.NaN };
      if (infix === "") Object.assign(figures, await batches(name, tier, entries, rounds / 10));
      await tier.close();
    }
  }
  Object.assign(figures, await misses(join(folder, "misses"), rounds));
  targets["miss_p95_ms"] = { atMost: MISS_P95_MS_MAX };
  const notes = [
    `${rounds} reads of single keys each, of records that compression makes a third smaller`,
    "a miss asks all three tiers in vain, and then a SQLite database for one row",
  ];
  return { bench: "tiers", figures, targets, notes };
}

/** Reads and writes of a hundred values of 1 KB. */
async function batches(
  name: string,
  tier: Tier,
  entries: number,
  rounds: number,
): Promise<Record<string, number>> {
  const reads: number[] = [];
  const writes: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const start = Math.floor(Math.random() * (entries - BATCH));
    const keys = Array.from({ length: BATCH }, (_, index) => `key ${start + index}`);
    let startMs = performance.now();
    const found = await tier.getMany(keys);
    reads.push(performance.now() - startMs);
    startMs = performance.now();
    await tier.setMany(found.filter((entry) => entry !== undefined));
    writes.push(performance.now() - startMs);
  }
  return {
    [`${name}_get_${BATCH}_p50_ms`]: percentile(reads, 50),
    [`${name}_set_${BATCH}_p50_ms`]: percentile(writes, 50),
  };
}

/** Reads of keys that no tier has, each answered by a query for one row of a database. */
async function misses(folder: string, rounds: number): Promise<Record<string, number>> {
  mkdirSync(folder);
  const tiers = Object.entries(TIERS).map(([name, tier]) => tier.open(join(folder, name)));
  await using cache = createCache({ tiers });
  await using database = await openDatabase({ kind: "file", path: join(folder, "data.db") });
  const create = "CREATE TABLE data (id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT";
  await database.write([{ sql: create, parameters: [] }]);
  const fill = "INSERT INTO data SELECT value, hex(randomblob(500)) FROM json_each(?)";
  const ids = JSON.stringify(Array.from({ length: rounds }, (_, id) => id));
  await database.write([{ sql: fill, parameters: [ids] }]);
  const samples: number[] = [];
  for (let id = 0; id < rounds; id++) {
    const query = { sql: "SELECT text FROM data WHERE id = ?", parameters: [id] };
    const startMs = performance.now();
    await cache.getOrSet(["row", id], async () => (await database.read(query)).rows[0]);
    samples.push(performance.now() - startMs);
  }
  return { miss_p50_ms: percentile(samples, 50), miss_p95_ms: percentile(samples, 95) };
}

async function open(folder: string, chars: number, entries: number): Promise<[string, Tier][]> {
  const nowMs = Date.now();
  const tiers = Object.entries(TIERS).map(([name, tier]): [string, Tier] => [
    name,
    tier.open(join(folder, name)),
  ]);
  for (const [, tier] of tiers) {
    for (let at = 0; at < entries; at++) {
      const entry: TierEntry = {
        key: `key ${at}`,
        value: records(chars, at),
        category: "bench",
        createdMs: nowMs,
        freshUntilMs: nowMs + 3_600_000,
        keepUntilMs: nowMs + 3_600_000,
        slidingMs: 0,
        tags: [],
        loadMs: 0,
        etag: undefined,
      };
      await tier.setMany([entry]);
    }
  }
  return tiers;
}

/** A list of records, as an answer of an interface is. */
function records(chars: number, seed: number): unknown {
  const record = (id: number): object => ({
    id,
    name: `name ${id}`,
    createdAt: 1_700_000_000_000 + id,
    text: noise(RECORD_CHARS - 70, seed + id),
  });
  return Array.from({ length: chars / RECORD_CHARS }, (_, index) => record(seed * 1_000 + index));
}

function push(samples: Map<string, number[]>, name: string, ms: number): void {
  const list = samples.get(name);
  if (list === undefined) samples.set(name, [ms]);
  else list.push(ms);
}
