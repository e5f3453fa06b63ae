import { describe, expect, it } from "vitest";
import type { CategoryCache } from "../../src/cache/category.ts";
import { DEFAULT_LIFE } from "../../src/cache/life.ts";
import { LoadPauses } from "../../src/cache/load-pauses.ts";
import type { CategoryOptions } from "../../src/cache/options.ts";
import { FakeClock } from "../../src/testing/fake-clock.ts";
import type { TierEntry } from "../../src/tier/tier.ts";
import { Gate, type Opened, openTiered, turns } from "./support.ts";

const FOREVER = Number.POSITIVE_INFINITY;
const down = (): never => {
  throw new Error("down");
};

/** A category that memory keeps nothing of. */
function openLow(low: CategoryOptions): Opened & { readonly low: CategoryCache } {
  const opened = openTiered({
    random: () => 0.5,
    categories: { low: { tiers: ["below"], ...low } },
  });
  return { ...opened, low: opened.cache.category("low") };
}

describe("a category without memory", () => {
  it("spares the source after a failed load, for retryAfter", async () => {
    const { low, clock } = openLow({ ttl: 1_000, keepStale: 60_000, retryAfter: 5_000 });
    let loads = 0;
    const load = (): never => {
      loads++;
      return down();
    };
    await low.set("a", 1);
    clock.advance(1_000);

    expect(await low.resolve("a", load)).toMatchObject({ value: 1, stale: true });
    for (const waitMs of [50, 50, 4_899]) {
      clock.advance(waitMs);
      expect(await low.resolve("a", load)).toMatchObject({ value: 1, stale: true });
    }
    expect(await low.lookup("a")).toMatchObject({ value: 1, stale: true, source: "stale" });
    expect(loads).toBe(1);

    clock.advance(1);
    expect(await low.getOrSet("a", load)).toBe(1);
    expect(loads).toBe(2);
    expect(low.statistics()).toMatchObject({ loads: 2, loadErrors: 2 });
  });

  it("does not spare it when asked to refresh, when told to, or when there is a newer entry", async () => {
    const { low, clock } = openLow({ ttl: 1_000, keepStale: 60_000, retryAfter: "1h" });
    const fail = async (): Promise<void> => {
      await low.set("a", 1);
      clock.advance(1_000);
      await low.getOrSet("a", down);
    };

    await fail();
    expect(await low.getOrSet("a", () => 2, { refresh: true })).toBe(2);
    await fail();
    await low.expire("a");
    expect(await low.getOrSet("a", () => 3)).toBe(3);
    await fail();
    await low.set("a", 4);
    clock.advance(1_000);
    expect(await low.getOrSet("a", () => 5)).toBe(5);
  });

  it("gives nothing beyond its keeping by sparing the source", async () => {
    const { low, clock } = openLow({ ttl: 1_000, keepStale: 1_000, retryAfter: "1h" });
    await low.set("a", 1);
    clock.advance(1_500);
    expect(await low.getOrSet("a", down)).toBe(1);

    clock.advance(500);

    expect(await low.getOrSet("a", () => 2)).toBe(2);
  });

  it.each<[string, CategoryOptions]>([
    ["refreshAhead", { refreshAhead: 0.5 }],
    ["the strategy", { strategy: "refresh-ahead", load: down }],
    ["earlyRefresh", { earlyRefresh: 1e6 }],
  ])("is loaded anew behind a hit by %s, once, and nobody waits", async (_, options) => {
    const { low, clock } = openLow({ ttl: 1_000, ...options });
    const gate = new Gate();
    await low.getOrSet("a", async () => {
      clock.advance(10);
      return 1;
    });
    clock.advance(900);

    for (let reads = 0; reads < 3; reads++) {
      expect(await low.resolve("a", gate.load)).toMatchObject({
        value: 1,
        stale: false,
        source: "below",
      });
      await turns();
    }
    expect(gate.calls).toBe(1);
    gate.open(2);
    await turns();

    expect(await low.get("a")).toBe(2);
    expect(low.statistics()).toMatchObject({ loads: 2 });
  });

  it("is not loaded anew before its part of the life, nor for who only looks", async () => {
    const { low, clock } = openLow({ ttl: 1_000, refreshAhead: 0.5 });
    await low.set("a", 1);

    clock.advance(499);
    await low.getOrSet("a", down);
    clock.advance(1);
    await low.get("a");
    await turns();

    expect(low.statistics().loads).toBe(0);
  });

  it("loads all keys of one call that are due by one load", async () => {
    const { low, clock } = openLow({ ttl: 1_000, refreshAhead: 0.5 });
    const calls: (readonly string[])[] = [];
    await low.setMany([
      ["a", 1],
      ["b", 1],
    ]);
    clock.advance(600);
    const load = (keys: readonly string[]): number[] => {
      calls.push(keys);
      return keys.map(() => 2);
    };

    expect(await low.getOrSetMany(["a", "b"], load)).toEqual([1, 1]);
    await turns();

    expect(calls).toEqual([["a", "b"]]);
    expect(await low.getMany(["a", "b"])).toEqual([2, 2]);
  });

  it("keeps a value to its end when its refresh fails, and tries again after retryAfter", async () => {
    const { low, clock } = openLow({ ttl: 1_000, refreshAhead: 0.5, retryAfter: 100 });
    await low.set("a", 1);
    clock.advance(600);

    for (const loads of [1, 1, 2]) {
      expect(await low.resolve("a", down)).toMatchObject({ value: 1, stale: false });
      await turns();
      expect(low.statistics().loads).toBe(loads);
      clock.advance(60);
    }
  });

  it("has who comes after the end of the life wait for the refresh under way", async () => {
    const { low, clock } = openLow({ ttl: 1_000, refreshAhead: 0.5 });
    const gate = new Gate();
    await low.set("a", 1);
    clock.advance(900);
    await low.getOrSet("a", gate.load);
    await turns();
    clock.advance(100);

    const late = low.getOrSet("a", gate.load);
    await turns();
    gate.open(2);

    expect(await late).toBe(2);
    expect(gate.calls).toBe(1);
  });

  it("keeps nothing of a refresh whose key was dropped meanwhile", async () => {
    const { low, clock } = openLow({ ttl: 1_000, refreshAhead: 0.5 });
    const gate = new Gate();
    await low.set("a", 1);
    clock.advance(900);
    await low.getOrSet("a", gate.load);
    await turns();

    await low.drop("a");
    expect(await low.get("a")).toBeUndefined();
    gate.open(2);
    await turns();

    expect(await low.get("a")).toBeUndefined();
  });
});

describe("an entry too large for memory", () => {
  it("spares its source too, and is loaded ahead of its end", async () => {
    const { cache, clock } = openTiered({
      defaults: { ttl: 1_000, keepStale: 60_000, refreshAhead: 0.5 },
      categories: { small: { maxBytes: 1_000 } },
    });
    const small = cache.category("small");
    const large = "x".repeat(2_000);
    let loads = 0;
    await small.set("a", large);
    clock.advance(600);

    await small.getOrSet("a", () => `${++loads}${large}`);
    await turns();
    expect(loads).toBe(1);
    clock.advance(1_000);
    for (let reads = 0; reads < 3; reads++) await small.getOrSet("a", down);

    expect(small.statistics().loadErrors).toBe(1);
  });
});

describe("pauses of loads", () => {
  it("are at most so many, and the oldest goes first", () => {
    const pauses = new LoadPauses(new FakeClock());
    const entry = { createdMs: 0, freshUntilMs: 0, keepUntilMs: FOREVER } as TierEntry;

    for (let key = 0; key <= 10_000; key++) pauses.begin(`${key}`, entry, DEFAULT_LIFE);

    expect(pauses.size).toBe(10_000);
    expect([pauses.has("0", entry), pauses.has("1", entry)]).toEqual([false, true]);
  });
});
