import { describe, expect, it } from "vitest";
import { type Cache, createCache } from "../../src/cache/cache.ts";
import type { CacheOptions } from "../../src/cache/options.ts";
import { ChaosTier } from "../../src/testing/chaos-tier.ts";
import { FakeClock } from "../../src/testing/fake-clock.ts";
import { memoryTier } from "../../src/tier/memory/memory-tier.ts";

const clock = new FakeClock();

/** A tier that outlives the caches on it, as a file would. */
function lasting(): ChaosTier {
  const tier = new ChaosTier(memoryTier({ name: "below", clock, sweepEvery: 0 }));
  tier.close = async () => undefined;
  return tier;
}

function open(below: ChaosTier, options: CacheOptions = {}): Cache {
  return createCache({
    tiers: [memoryTier({ clock }), below],
    categories: { weeks: {} },
    warmStart: true,
    clock,
    ...options,
  });
}

describe("a warm start", () => {
  it("finds in memory what was there, in every category", async () => {
    const below = lasting();
    const before = open(below);
    await before.set("a", 1);
    await before.category("weeks").set(["week", 7], "seven");
    await before.close();

    const after = open(below);
    const count = await after.warmStarted;

    expect(count).toBe(2);
    expect(after.peek("a")).toBe(1);
    expect(after.category("weeks").peek("week:7")).toBe("seven");
    await after.close();
  });

  it("leaves out what was dropped or has ended, and loads nothing", async () => {
    const below = lasting();
    let loads = 0;
    const categories = {
      weeks: { strategy: "read-through" as const, load: () => ++loads },
    };
    const before = open(below, { categories });
    await before.category("weeks").set("ends", 1, { ttl: 1_000 });
    await before.set("dropped", 2);
    await before.close();
    await below.dropMany(["cache/1/default/dropped"]);
    clock.advance(2_000);

    const after = open(below, { categories });
    await after.warmStarted;

    expect(after.peek("dropped")).toBeUndefined();
    expect(after.category("weeks").peek("ends")).toBeUndefined();
    expect(loads).toBe(0);
    await after.close();
  });

  it("notes the keys once a minute, since a program may be killed", async () => {
    const below = lasting();
    const killed = open(below);
    await killed.set("a", 1);
    clock.advance(60_000);
    await killed.has("a");

    const after = open(below);

    expect(await after.warmStarted).toBe(1);
    expect(after.peek("a")).toBe(1);
    await after.close();
  });

  it("survives a note that is none, and does nothing unless it is asked for", async () => {
    const below = lasting();
    const before = open(below);
    await before.set("a", 1);
    await before.close();
    below.fault = {
      kind: "corrupt",
      change: (entry) => entry && { ...entry, value: { default: 5, weeks: [7, null] } },
    };

    const garbled = open(below);
    expect(await garbled.warmStarted).toBe(0);
    await garbled.close();
    const cold = open(below, { warmStart: false });

    expect(await cold.warmStarted).toBe(0);
    await cold.close();
  });
});
