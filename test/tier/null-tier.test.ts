import { expect, it } from "vitest";
import { createCache } from "../../src/cache/cache.ts";
import { hasOf } from "../../src/testing/tier/context.ts";
import { nullTier } from "../../src/tier/null-tier.ts";
import type { TierEntry } from "../../src/tier/tier.ts";

const ENTRY: TierEntry = {
  key: "a",
  value: 1,
  category: "general",
  createdMs: 0,
  freshUntilMs: Number.POSITIVE_INFINITY,
  keepUntilMs: Number.POSITIVE_INFINITY,
  slidingMs: 0,
  tags: ["t"],
  loadMs: 0,
  etag: undefined,
};

it("keeps nothing, and counts a miss for each key", async () => {
  await using tier = nullTier();

  expect(await tier.setMany([ENTRY, ENTRY])).toEqual(["stored", "stored"]);
  expect(await tier.getMany(["a", "b", "a"])).toEqual([undefined, undefined, undefined]);
  expect(await hasOf(tier, ["a"])).toEqual([false]);

  expect(tier.statistics()).toMatchObject({ entries: 0, bytes: 0, hits: 0, misses: 3, sets: 2 });
  tier.resetStatistics();
  expect(tier.statistics()).toMatchObject({ misses: 0, sets: 0 });
});

it("has nothing to drop, list or sweep", async () => {
  await using tier = nullTier("off");
  await tier.setMany([ENTRY]);

  expect(tier.name).toBe("off");
  expect(await tier.dropMany(["a"])).toBe(0);
  expect(await tier.dropPrefix("")).toBe(0);
  expect(await tier.dropTags(["t"])).toBeUndefined();
  expect(await tier.clear()).toBeUndefined();
  expect(await tier.sweep()).toEqual({ expired: 0, reclaimed: 0 });
  expect(await Array.fromAsync(tier.keys())).toEqual([]);
});

it("refuses what comes after the end, and what was given up", async () => {
  const tier = nullTier();
  const options = { signal: AbortSignal.abort() };

  await expect(tier.getMany(["a"], options)).rejects.toMatchObject({ code: "ABORTED" });
  await expect(tier.keys({}, options)[Symbol.asyncIterator]().next()).rejects.toMatchObject({
    code: "ABORTED",
  });
  await tier.close();
  await tier.close();

  await expect(tier.getMany(["a"])).rejects.toMatchObject({ code: "CLOSED" });
  await expect(tier.setMany([ENTRY])).rejects.toMatchObject({ code: "CLOSED" });
  await expect(tier.sweep()).rejects.toMatchObject({ code: "CLOSED" });
});

it("has a cache read its source each time, also at once", async () => {
  await using cache = createCache({ tiers: [nullTier()] });
  let source = 1;

  const first = await cache.getOrSet("a", () => source);
  source = 2;
  const second = await cache.getOrSet("a", () => source);
  void cache.set("b", 1);

  expect([first, second]).toEqual([1, 2]);
  expect(await cache.getMany(["a", "b"])).toEqual([undefined, undefined]);
  expect(await Array.fromAsync(cache.keys())).toEqual([]);
  expect(cache.cacheStatistics().tiers).toMatchObject([{ hits: 0, guard: { queued: 0 } }]);
});
