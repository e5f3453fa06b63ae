/** The same calls on cache-manager 7 itself and on a category, with the same outcomes. */

import { createCache as createCacheManager } from "cache-manager";
import { describe, expect, it } from "vitest";
import {
  type CacheManagerLike,
  type CacheManagerOptions,
  cacheManager,
} from "../../../src/cache/adapters/cache-manager.ts";
import { createCache } from "../../../src/cache/cache.ts";
import { FakeClock } from "../../../src/testing/fake-clock.ts";
import { memoryTier } from "../../../src/tier/memory/memory-tier.ts";

type Options = { readonly ttl?: number; readonly refreshThreshold?: number };

/** Whatever was to happen behind the callers has happened. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe.each<[string, (options?: Options) => CacheManagerLike]>([
  ["cache-manager", (options) => createCacheManager({ ...options }) as CacheManagerLike],
  ["a category", (options) => cacheManager(createCache(), options)],
])("%s", (_, make) => {
  it("gives what was set, and undefined for the rest", async () => {
    const cache = make();

    const set = await cache.set("a", { n: 1 });
    const read = [await cache.get("a"), await cache.get("b"), await cache.mget(["b", "a"])];

    expect(set).toEqual({ n: 1 });
    expect(read).toEqual([{ n: 1 }, undefined, [undefined, { n: 1 }]]);
  });

  it("sets many with lives of their own and gives the list back", async () => {
    const cache = make();

    const list = await cache.mset<unknown>([
      { key: "a", value: 1 },
      { key: "b", value: 2, ttl: -1 },
      { key: "c", value: 0, ttl: 60_000 },
      { key: "a", value: "last" },
    ]);

    expect(list.map(({ key }) => key)).toEqual(["a", "b", "c", "a"]);
    expect(await cache.mget(["a", "b", "c"])).toEqual(["last", undefined, 0]);
  });

  it("deletes one, many and all, and says true whatever there was", async () => {
    const cache = make();
    await cache.mset(["a", "b", "c", "d"].map((key) => ({ key, value: key })));

    const said = [await cache.del("a"), await cache.del("a"), await cache.mdel(["b", "x"])];
    const left = await cache.mget(["a", "b", "c"]);
    const cleared = await cache.clear();

    expect(said).toEqual([true, true, true]);
    expect(left).toEqual([undefined, undefined, "c"]);
    expect([cleared, await cache.mget(["c", "d"])]).toEqual([true, [undefined, undefined]]);
  });

  it("says when a life ends, and nothing for what has no end or is not there", async () => {
    const cache = make();
    const beforeMs = Date.now();
    await cache.set("a", 1, 60_000);
    await cache.set("forever", 1, 0);

    const end = await cache.ttl("a");

    expect(end).toBeGreaterThanOrEqual(beforeMs + 59_990);
    // Both clocks are rounded to milliseconds.
    expect(end).toBeLessThanOrEqual(Date.now() + 60_005);
    expect([await cache.ttl("forever"), await cache.ttl("b")]).toEqual([undefined, undefined]);
  });

  it("takes the life of the cache where a call has none", async () => {
    const cache = make({ ttl: 60_000 });
    await cache.set("a", 1);
    await cache.wrap("b", () => 2);

    for (const key of ["a", "b"]) {
      const leftMs = ((await cache.ttl(key)) ?? 0) - Date.now();

      expect(leftMs).toBeGreaterThan(50_000);
      expect(leftMs).toBeLessThanOrEqual(60_005);
    }
  });

  it("loads once for all who wrap a key at the same time, and keeps it", async () => {
    const cache = make();
    let loads = 0;
    const load = async () => ({ load: ++loads });

    const all = await Promise.all([1, 2, 3].map(() => cache.wrap("a", load)));
    const later = await cache.wrap("a", load);

    expect([...all, later]).toEqual([1, 1, 1, 1].map((n) => ({ load: n })));
  });

  it.each([[null], [0], [""], [false]])("keeps %j, which is a value", async (value) => {
    const cache = make();
    let loads = 0;
    const load = () => {
      loads++;
      return value;
    };

    const both = [await cache.wrap("a", load), await cache.wrap("a", load)];

    expect([...both, loads]).toEqual([value, value, 1]);
  });

  it("does not keep undefined, set or loaded", async () => {
    const cache = make();
    let loads = 0;
    const load = () => {
      loads++;
      return undefined;
    };
    await cache.set("set", 1);

    await cache.set("set", undefined);
    const both = [await cache.wrap("a", load), await cache.wrap("a", load)];

    expect(await cache.get("set")).toBeUndefined();
    expect([...both, loads]).toEqual([undefined, undefined, 2]);
  });

  it("gives the failure of a load to everyone and keeps nothing", async () => {
    const cache = make();
    let fails = true;
    const load = async () => {
      if (fails) throw new Error("no");
      return "yes";
    };

    const all = await Promise.allSettled([cache.wrap("a", load), cache.wrap("a", load)]);
    fails = false;

    expect(all.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect(await cache.wrap("a", load)).toBe("yes");
  });

  it("makes the life of the value", async () => {
    const cache = make();

    await cache.wrap(
      "a",
      () => 3,
      (value) => value * 10_000,
    );

    expect(((await cache.ttl("a")) ?? 0) - Date.now()).toBeGreaterThan(25_000);
  });

  it("loads anew behind a hit that has less left than the threshold, once", async () => {
    const cache = make();
    let loads = 0;
    const load = async () => ++loads;
    const wrap = () => cache.wrap("a", load, 60_000, 120_000);

    const first = await wrap();
    const hits = await Promise.all([wrap(), wrap(), wrap()]);
    await settled();

    expect([first, ...hits, loads]).toEqual([1, 1, 1, 1, 2]);
    expect(await cache.get("a")).toBe(2);
  });

  it("does not load anew while more is left, or when there is no end", async () => {
    const cache = make({ refreshThreshold: 30_000 });
    let loads = 0;
    const load = async () => ++loads;

    for (const [key, ttl] of [
      ["long", 60_000],
      ["forever", 0],
    ] as const) {
      await cache.wrap(key, load, ttl);
      await cache.wrap(key, load, ttl);
      await cache.wrap(key, load, ttl, (value) => value);
    }
    await settled();

    expect(loads).toBe(2);
  });

  it("keeps what is there when loading anew fails", async () => {
    const cache = make();
    await cache.set("a", "old", 60_000);

    const hit = await cache.wrap("a", () => Promise.reject(new Error("no")), {
      ttl: 60_000,
      refreshThreshold: 120_000,
    });
    await settled();

    expect([hit, await cache.get("a")]).toEqual(["old", "old"]);
  });

  it("gives the value with its end when asked for it raw", async () => {
    const cache = make();
    const load = () => "x";
    await cache.wrap("a", load, { ttl: 60_000, raw: true });

    const raw = await cache.wrap("a", load, { ttl: 60_000, raw: true });

    const expires = (await cache.ttl("a")) ?? 0;
    expect(raw).toEqual({ value: "x", expires: expect.any(Number) });
    // Two readings of the clock, which may lie on both sides of a millisecond.
    expect(Math.abs((raw as { expires: number }).expires - expires)).toBeLessThanOrEqual(2);
  });
});

describe("over a category", () => {
  it("the life ends by the clock of the cache, and the threshold counts back from there", async () => {
    const clock = new FakeClock();
    const cache = cacheManager(createCache({ tiers: [memoryTier({ clock })], clock }));
    let loads = 0;
    const wrap = () => cache.wrap("a", async () => ++loads, 10_000, 3_000);
    await wrap();

    clock.advance(6_000);
    const early = await wrap();
    clock.advance(2_000);
    const due = await wrap();
    await settled();
    const fresh = await wrap();
    clock.advance(10_001);

    expect([early, due, fresh, await wrap()]).toEqual([1, 1, 2, 3]);
  });

  it("an option that it does not know is refused", () => {
    const options = { refreshTreshold: 1 } as CacheManagerOptions;

    expect(() => cacheManager(createCache(), options)).toThrow('Did you mean "refreshThreshold"?');
  });

  it("an option of a call that it does not know is refused, and nothing is loaded", async () => {
    const options = { refreshTreshold: 1 } as object;
    const wrapped = cacheManager(createCache()).wrap("a", () => expect.unreachable(), options);

    await expect(wrapped).rejects.toThrow('wrap: unknown option "refreshTreshold". Did you mean');
  });
});
