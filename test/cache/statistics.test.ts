import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { describe, expect, it, onTestFinished } from "vitest";
import { type CacheEvent, type CacheEventName, cacheChannels } from "../../src/cache/channels.ts";
import { Gate, openMemory, openTiered, THROWS, turns } from "./support.ts";

/** All events from now on until the end of the test, as texts. */
function listen(): string[] {
  const heard: string[] = [];
  for (const name of Object.keys(cacheChannels) as CacheEventName[]) {
    const hear = (message: unknown): void => {
      const { category, key, tier, error } = message as CacheEvent;
      const why = error === undefined ? "" : ` ${(error as Error).message}`;
      heard.push(`${name} ${category} ${key} ${tier}${why}`);
    };
    subscribe(`springhouse:cache:${name}`, hear);
    onTestFinished(() => void unsubscribe(`springhouse:cache:${name}`, hear));
  }
  return heard;
}

describe("events", () => {
  it("tell of everything, with keys and never values", async () => {
    const { cache, memory, clock, lower } = openTiered({
      defaults: { ttl: 1_000, keepStale: 1_000 },
      categories: { other: {} },
    });
    const heard = listen();
    const said = (): string[] => heard.splice(0);

    await cache.set("a", "secret", { tags: ["t"] });
    expect(said()).toEqual(["set default a memory"]);
    cache.peek("a");
    await cache.get("a");
    await cache.get(["a"]);
    expect(said()).toEqual(Array(3).fill("hit default a memory"));
    await memory.clear();
    await cache.get("a");
    expect(said()).toEqual(["hit default a below"]);
    await cache.category("other").getOrSet("b", () => 1);
    expect(said()).toEqual(["miss other b all", "set other b memory"]);
    clock.advance(1_000);
    await cache.getOrSet("a", () => Promise.reject(new Error("down")));
    expect(said()).toEqual([
      "miss default a all",
      "error default a load down",
      "stale default a stale down",
    ]);
    await cache.drop("a");
    await cache.dropPrefix("p");
    await cache.dropTag("t");
    await cache.category("other").clear();
    expect(said()).toEqual([
      "drop default a all",
      "drop default prefix:p all",
      "drop default tag:t all",
      "drop other * all",
    ]);
    await cache.set("c", 1);
    clock.advance(2_000);
    await memory.sweep();
    expect(said()).toEqual(["set default c memory", "expire default c memory"]);
    lower.fault = THROWS;
    await cache.get("x");
    expect(said()).toEqual(["error default * below the tier is broken", "miss default x all"]);
  });

  it("tell of what was evicted, and not of what was dropped or cleared before", async () => {
    const { cache, memory, clock } = openMemory({ categories: { small: { maxEntries: 2 } } });
    const small = cache.category("small");
    const heard = listen();
    const gone = (): string[] => heard.filter((event) => /^(evict|expire)/.test(event));

    await small.setMany([
      ["a", 1],
      ["b", 2],
      ["c", 3],
    ]);
    expect(gone()).toEqual([expect.stringMatching(/^evict small [abc] memory$/)]);
    heard.length = 0;
    await small.setMany(
      [
        ["a", 1],
        ["b", 2],
      ],
      { tags: ["t"], ttl: 10 },
    );
    heard.length = 0;
    await cache.dropTag("t");
    await small.set("c", 3);
    await small.clear();
    await small.setMany([
      ["d", 1],
      ["e", 2],
    ]);
    await small.dropPrefix("d");
    await small.dropPrefix("e");
    await small.set("f", 3);
    clock.advance(1_000);
    await memory.sweep();

    expect(gone()).toEqual([]);
  });

  it("go to the cache that they concern when two share a tier", async () => {
    const { createCache } = await import("../../src/cache/cache.ts");
    const { memory, clock, cache } = openMemory({ categories: { small: { maxEntries: 1 } } });
    createCache({ clock, namespace: "other", tiers: [memory], categories: { small: {} } });
    const heard = listen();

    await cache.category("small").setMany([
      ["a", 1],
      ["b", 2],
    ]);

    expect(heard).toContainEqual(expect.stringMatching(/^evict small [ab] memory$/));
  });
});

describe("statistics", () => {
  it("add up: every read is a hit or a miss", async () => {
    const { cache, memory, lower, clock } = openTiered({ categories: { other: {} } });
    const other = cache.category("other");
    let reads = 0;
    const read = async (promise: Promise<unknown>, count = 1): Promise<void> => {
      reads += count;
      await promise.catch(() => undefined);
    };
    for (let round = 0; round < 20; round++) {
      await read(cache.getOrSet(["k", round % 7], () => round));
      await read(other.getOrSet(`k:${round % 5}`, () => round));
      await read(cache.get("k:1"));
      await read(cache.getMany(["k:1", "k:2", "none", "k:99"]), 4);
      await read(cache.lookup("k:0"));
      if (round % 5 === 0) await memory.clear();
      if (round % 3 === 0) await cache.drop("k:1");
      if (round % 8 === 0) clock.advance(400_000);
      lower.fault = round % 4 === 0 ? THROWS : { kind: "none" };
    }

    const { hits, misses, hitRate, categories } = cache.cacheStatistics();

    expect(hits + misses).toBe(reads);
    expect(hitRate).toBeCloseTo(hits / reads);
    const all = Object.values(categories);
    expect(all.reduce((sum, category) => sum + category.hits, 0)).toBe(hits);
    expect(all.reduce((sum, category) => sum + category.misses, 0)).toBe(misses);
    for (const category of all) {
      expect(category.memoryHits).toBeLessThanOrEqual(category.hits);
      expect(category.hitRate).toBeCloseTo(category.hits / (category.hits + category.misses));
    }
  });

  it("count each read that joins one under way by what it came to, as memory does", async () => {
    const { cache, memory } = openTiered();
    const gate = new Gate();
    const heard = listen();
    const tenTimes = (read: () => Promise<unknown>): Promise<unknown>[] =>
      Array.from({ length: 10 }, read);

    const early = tenTimes(() => cache.getOrSet("a", gate.load));
    await turns();
    const late = tenTimes(() => cache.getOrSet("a", gate.load));
    gate.open(1);
    await Promise.all([...early, ...late]);

    expect(heard.filter((event) => event.startsWith("miss"))).toHaveLength(20);
    expect(cache.statistics()).toMatchObject({ hits: 0, misses: 20, loads: 1 });
    expect(memory.statistics()).toMatchObject({ hits: 0, misses: 20 });

    await turns();
    await memory.clear();
    heard.length = 0;
    await Promise.all(tenTimes(() => cache.get("a")));

    expect(heard).toEqual(Array(10).fill("hit default a below"));
    expect(cache.statistics()).toMatchObject({ hits: 10, misses: 20 });
  });

  it("count each answer that is stale, also those that come later", async () => {
    const { cache, clock } = openTiered({ defaults: { ttl: 10, staleWhileRevalidate: 1_000 } });
    const gate = new Gate();
    await cache.set("a", 1);
    clock.advance(10);

    await Promise.all([1, 2, 3].map(() => cache.getOrSet("a", gate.load)));
    await cache.getOrSet("a", gate.load);

    expect(gate.calls).toBe(1);
    expect(cache.statistics()).toMatchObject({ hits: 0, misses: 4, staleHits: 4 });
    gate.open(2);
  });

  it("count once who loads what another only looked for", async () => {
    const { cache, clock } = openTiered({ defaults: { ttl: 10, keepStale: 1_000 } });
    await cache.set("stale", 1);
    clock.advance(10);

    const values = await Promise.all([
      cache.get("a"),
      cache.getOrSet("a", () => 2),
      cache.get("stale", { allowStale: true }),
      cache.getOrSet("stale", () => 2),
    ]);

    expect(values).toEqual([undefined, 2, 1, 2]);
    expect(cache.statistics()).toMatchObject({ hits: 0, misses: 4, staleHits: 1, loads: 2 });
  });

  it("count no read for what is loaded behind a hit", async () => {
    const { cache, clock } = openTiered({ defaults: { ttl: 100, refreshAhead: 0.5 } });
    await cache.set("a", 1);
    clock.advance(60);

    await cache.getOrSet("a", () => 2);
    await turns();

    expect(cache.statistics()).toMatchObject({ hits: 1, misses: 0, loads: 1 });
  });

  it("count loads, failures, sets and drops", async () => {
    const { cache } = openTiered();

    await cache.getOrSetMany(["a", "b"], (keys) => keys.map((_, index) => index));
    await cache.getOrSet("c", () => 1);
    await cache.getOrSet("d", () => Promise.reject(new Error("down"))).catch(() => undefined);
    await cache.set("e", 1);
    await cache.dropMany(["a", "b"]);
    // On a slow machine a read lands in a later turn than its answer.
    await turns();

    expect(cache.statistics()).toMatchObject({
      loads: 3,
      loadErrors: 1,
      sets: 4,
      drops: 2,
      misses: 4,
      hits: 0,
      inFlight: 0,
    });
  });

  it("of one load for each of many keys are as many loads", async () => {
    const { cache } = openTiered({
      categories: { source: { strategy: "read-through", load: ({ key }) => key } },
    });

    await cache.category("source").getMany(["a", "b", "c"]);

    expect(cache.category("source").statistics().loads).toBe(3);
  });

  it("of tiers say how many entries and bytes they have, and how it goes", async () => {
    const { cache, memory } = openTiered();
    await cache.setMany([
      ["a", 1],
      ["b", 2],
    ]);
    await cache.get("a");
    await memory.clear();
    await turns();
    await cache.get("a");

    const [first, second] = cache.cacheStatistics().tiers;

    expect(first).toMatchObject({ name: "memory", entries: 1, hits: 1, misses: 1, hitRate: 0.5 });
    expect(first?.guard).toBeUndefined();
    expect(second).toMatchObject({ name: "below", entries: 2, hits: 1, sets: 2, hitRate: 1 });
    expect(second?.guard).toEqual({
      circuit: "closed",
      errors: 0,
      timeouts: 0,
      skipped: 0,
      queued: 0,
    });
  });

  it("begin anew when they are reset, the present excepted", async () => {
    const { cache, lower } = openTiered({ categories: { other: {} } });
    const other = cache.category("other");
    await cache.set("a", 1);
    await cache.get("a");
    await cache.get("none");
    await other.get("none");
    lower.fault = THROWS;
    await cache.get("none");

    other.resetStatistics();
    expect(other.statistics()).toMatchObject({ misses: 0 });
    expect(cache.statistics()).toMatchObject({ hits: 1, misses: 2 });
    cache.resetStatistics();

    expect(cache.cacheStatistics()).toMatchObject({ hits: 0, misses: 0, hitRate: 0 });
    expect(cache.statistics()).toMatchObject({ sets: 0, memoryEntries: 1 });
    expect(cache.cacheStatistics().tiers).toMatchObject([
      { hits: 0, misses: 0, entries: 1 },
      { hits: 0, misses: 0, entries: 1, guard: { errors: 0 } },
    ]);
  });

  it("have a rate of zero when nothing was read", () => {
    const { cache } = openTiered();

    expect(cache.statistics().hitRate).toBe(0);
    expect(cache.cacheStatistics().hitRate).toBe(0);
  });
});
