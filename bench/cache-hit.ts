/**
 * A hit in memory beside the peers: `peek` beside lru-cache's `get`, `getOrSet` beside what the
 * others have for it; and what ten million hits allocate.
 *
 * All keep the same objects under the same keys and are read in the same order; each read is of a
 * key that is there. Peers are set up as their documentation recommends for a cache in memory.
 */

import { BentoCache, bentostore } from "bentocache";
import { memoryDriver } from "bentocache/drivers/memory";
import { createCache as createCacheManager } from "cache-manager";
import { Cacheable } from "cacheable";
import Keyv from "keyv";
import { LRUCache } from "lru-cache";
import { createCache, memoryTier } from "../src/cache/index.ts";
import type { BenchOptions, BenchResult } from "./bench.ts";
import { loopsOf, median } from "./support.ts";

const KEYS = 10_000;
const STRIDE = 7_919;
const TTL_MS = 3_600_000;
/** How many times fewer reads of a contender fill the same time. */
const SLOWNESS: Readonly<Record<string, number>> = { get_or_set: 1, keyv: 20, cacheable: 20 };
const PEEKS = 10_000_000;

type Value = ReturnType<typeof makeValue>;

/** Runs the bench. */
export async function run({ quick }: BenchOptions): Promise<BenchResult> {
  const keys = Array.from({ length: KEYS }, (_, index) => `entity:${index}`);
  const cache = createCache({
    tiers: [memoryTier({ maxEntries: 2 * KEYS })],
    defaults: { ttl: TTL_MS },
  });
  const lru = new LRUCache<string, Value>({ max: 2 * KEYS });
  const lruTtl = new LRUCache<string, Value>({ max: 2 * KEYS, ttl: TTL_MS });
  for (const [index, key] of keys.entries()) await cache.set(key, makeValue(index));
  // Before the peers are there, whose timers would be counted with it.
  const { timeSync } = await loopsOf("allocation");
  const bytes = allocation(() =>
    timeSync({ keys, stride: STRIDE, count: PEEKS }, (key) => cache.peek(key)),
  );
  const peers = makePeers();
  for (const [index, key] of keys.entries()) {
    const value = makeValue(index);
    lru.set(key, value);
    lruTtl.set(key, value);
    for (const { set } of Object.values(peers)) await set(key, value);
  }
  const syncReads = {
    peek: (key: string) => cache.peek(key),
    lru: (key: string) => lru.get(key),
    lruTtl: (key: string) => lruTtl.get(key),
  };
  const asyncReads = {
    get_or_set: (key: string) => cache.getOrSet(key, load),
    ...Object.fromEntries(Object.entries(peers).map(([name, { read }]) => [name, read])),
  };
  const rounds = quick ? 5 : 15;
  const sync = quick ? 300_000 : 1_000_000;
  const times = new Map<string, number[]>();
  const note = (name: string, ns: number): void => {
    times.set(name, [...(times.get(name) ?? []), ns]);
  };
  for (let round = 0; round < rounds; round++) {
    for (const [name, read] of Object.entries(syncReads)) {
      note(name, (await loopsOf(name)).timeSync({ keys, stride: STRIDE, count: sync }, read));
    }
    for (const [name, read] of Object.entries(asyncReads)) {
      // About as long for each, so that each runs as warm as it gets.
      const count = sync / (SLOWNESS[name] ?? 5);
      note(name, await (await loopsOf(name)).timeAsync({ keys, stride: STRIDE, count }, read));
    }
  }
  for (const { close } of Object.values(peers)) await close();
  await cache.close();
  return report(times, bytes);
}

function report(times: ReadonlyMap<string, readonly number[]>, bytes: number): BenchResult {
  const ratio = (above: string, below: string): number =>
    median((times.get(above) ?? []).map((ns, round) => ns / (times.get(below)?.[round] ?? 0)));
  const ns = (name: string): number => median(times.get(name) ?? []);
  return {
    bench: "cache-hit",
    figures: {
      peek_over_lru_cache: ratio("peek", "lru"),
      bentocache_over_get_or_set: ratio("bentocache", "get_or_set"),
      cache_manager_over_get_or_set: ratio("cacheManager", "get_or_set"),
      keyv_over_get_or_set: ratio("keyv", "get_or_set"),
      cacheable_over_get_or_set: ratio("cacheable", "get_or_set"),
      peek_bytes_per_op: bytes,
      peek_ns: ns("peek"),
      lru_cache_ns: ns("lru"),
      peek_over_lru_cache_with_ttl: ratio("peek", "lruTtl"),
      get_or_set_ns: ns("get_or_set"),
      bentocache_ns: ns("bentocache"),
      cache_manager_ns: ns("cacheManager"),
      keyv_ns: ns("keyv"),
      cacheable_ns: ns("cacheable"),
    },
    targets: {
      peek_over_lru_cache: { atMost: 1.5 },
      bentocache_over_get_or_set: { atLeast: 10 },
      cache_manager_over_get_or_set: { atLeast: 10 },
      keyv_over_get_or_set: { atLeast: 10 },
      peek_bytes_per_op: { atMost: 1 },
    },
    notes: [
      `${KEYS.toLocaleString("en-US")} objects of about 150 bytes, string keys`,
      "ratios are medians over the rounds, in each of which all run in turn",
      "lru-cache has no ttl in lru_cache_ns; ours always has one",
      `peek_bytes_per_op: growth of the heap over ${PEEKS.toLocaleString("en-US")} calls`,
    ],
  };
}

interface Peer {
  set(key: string, value: Value): Promise<unknown>;
  read(key: string): Promise<unknown>;
  close(): Promise<unknown>;
}

function makePeers(): Readonly<Record<string, Peer>> {
  const bento = new BentoCache({
    default: "memory",
    stores: {
      memory: bentostore().useL1Layer(memoryDriver({ maxItems: 2 * KEYS, serialize: false })),
    },
  });
  const manager = createCacheManager({ ttl: TTL_MS });
  const keyv = new Keyv({ ttl: TTL_MS });
  const cacheable = new Cacheable({ ttl: TTL_MS });
  return {
    bentocache: {
      set: (key, value) => bento.set({ key, value, ttl: TTL_MS }),
      read: (key) => bento.getOrSet({ key, factory: load, ttl: TTL_MS }),
      close: () => bento.disconnectAll(),
    },
    cacheManager: {
      set: (key, value) => manager.set(key, value),
      read: (key) => manager.wrap(key, load),
      close: () => manager.disconnect(),
    },
    keyv: {
      set: (key, value) => keyv.set(key, value),
      read: (key) => keyv.get(key),
      close: () => keyv.disconnect(),
    },
    cacheable: {
      set: (key, value) => cacheable.set(key, value),
      read: (key) => cacheable.getOrSet(key, load),
      close: () => cacheable.disconnect(),
    },
  };
}

async function load(): Promise<Value> {
  throw new Error("every key is there");
}

function makeValue(index: number): { id: number; name: string; tags: string[]; score: number } {
  return { id: index, name: `Entity number ${index}`, tags: ["a", `tag-${index}`], score: 0.5 };
}

/** Bytes of heap for one call. Too few to bring about a collection, which would hide them. */
function allocation(run: () => void): number {
  globalThis.gc?.();
  const before = process.memoryUsage().heapUsed;
  run();
  return Math.max(0, process.memoryUsage().heapUsed - before) / PEEKS;
}
