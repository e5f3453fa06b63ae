/** Looks at entries of the tiers on disk, and the end of their freshness: neither is a use. */

import { rmSync } from "node:fs";
import { dirname } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { type Cache, createCache } from "../../src/cache/cache.ts";
import type { CacheOptions } from "../../src/cache/options.ts";
import { ChaosTier } from "../../src/testing/chaos-tier.ts";
import { FakeClock } from "../../src/testing/fake-clock.ts";
import { fileTier } from "../../src/tier/file/file-tier.ts";
import { memoryTier } from "../../src/tier/memory/memory-tier.ts";
import { sqliteTier } from "../../src/tier/sqlite/sqlite-tier.ts";
import type { Tier } from "../../src/tier/tier.ts";
import { temporaryPath } from "../tier/sqlite/support.ts";
import { Source } from "./journal-support.ts";
import { openTiered, soundEntry, THROWS, WORKS } from "./support.ts";

const KINDS = ["sqlite", "file"] as const;
const KEY = "cache/1/default/a";
const down = (): never => {
  throw new Error("down");
};

function openTier(kind: (typeof KINDS)[number], path: string, clock: FakeClock): Tier {
  if (kind === "sqlite") return sqliteTier({ path, clock, sweepEvery: 0 });
  return fileTier({ folder: `${path}.files`, clock, sweepEvery: 0 });
}

interface Opened {
  readonly cache: Cache;
  readonly clock: FakeClock;
  readonly chaos: ChaosTier;
  readonly memory: Tier;
  readonly tier: Tier;
  readonly path: string;
}

function open(
  kind: (typeof KINDS)[number],
  options: CacheOptions = {},
  path: string = temporaryPath(),
  clock: FakeClock = new FakeClock(Date.UTC(2030, 0, 1)),
): Opened {
  const tier = openTier(kind, path, clock);
  const chaos = new ChaosTier(tier);
  const memory = memoryTier({ clock, sweepEvery: 0 });
  const cache = createCache({ clock, tiers: [memory, chaos], ...options });
  onTestFinished(async () => {
    await cache.close();
    rmSync(dirname(path), { recursive: true, force: true });
  });
  return { cache, clock, chaos, memory, tier, path };
}

describe.each(KINDS)("a look at an entry of the %s tier", (kind) => {
  it("leaves the statistics as they were, and the life that slides", async () => {
    const { cache, clock, memory, tier, chaos } = open(kind);
    await cache.set("a", 1, { ttl: 1_000, sliding: true, tags: ["t"] });
    await memory.clear();
    const before = tier.statistics();
    clock.advance(900);

    for (const key of ["a", "missing"]) {
      expect(await cache.has(key)).toBe(key === "a");
      expect(await cache.freshForMs(key)).toBe(key === "a" ? 100 : undefined);
      expect((await cache.explain(key)).tiers[1]?.state).toBe(key === "a" ? "fresh" : "none");
    }
    await cache.expire("a");
    await cache.expire("missing");

    expect(tier.statistics()).toEqual(before);
    expect(chaos.calls["getMany"]).toBe(undefined);
    expect(await cache.has("a")).toBe(false);
    expect((await cache.explain("a")).tiers[1]).toMatchObject({
      state: "stale",
      freshForMs: 0,
      keptForMs: 100,
      tags: ["t"],
    });
  });
});

describe.each(KINDS)("what is expired in the %s tier", (kind) => {
  const keepStale = { defaults: { ttl: "1h", keepStale: "1h" } } as const;

  it("is loaded anew, and given out when that fails", async () => {
    const { cache, clock, memory } = open(kind, keepStale);
    await cache.set("a", 1);
    clock.advance(10);
    await cache.expire("a");
    await memory.clear();

    expect(await cache.resolve("a", down)).toMatchObject({ value: 1, stale: true });
    await cache.expire("a");
    await memory.clear();
    expect(await cache.getOrSet("a", () => 2)).toBe(2);
    await memory.clear();
    expect(await cache.get("a")).toBe(2);
  });

  it("is so before the tier has heard of it", async () => {
    const { cache, clock, memory, chaos, tier } = open(kind, keepStale);
    await cache.set("a", 1);
    await memory.clear();
    chaos.fault = THROWS;
    clock.advance(10);
    await cache.expire("a");
    const expiredMs = clock.nowMs();
    chaos.fault = WORKS;
    expect((await tier.lookMany([KEY]))[0]?.freshUntilMs).toBeGreaterThan(clock.nowMs());

    expect(await cache.has("a")).toBe(false);
    expect(await cache.get("a")).toBe(undefined);
    expect(await cache.get("a", { allowStale: true })).toBe(1);
    expect(await cache.resolve("a", down)).toMatchObject({ value: 1, stale: true });
    clock.advance(300);
    await cache.flush();
    expect((await tier.lookMany([KEY]))[0]?.freshUntilMs).toBe(expiredMs);
    await memory.clear();
    expect(await cache.getOrSet("a", () => 2)).toBe(2);
  });

  it.each([
    ["what the tier has", async () => undefined],
    ["what waits, too", async (cache: Cache) => await cache.set("a", 1)],
  ] as const)("is not fresh again when the clock is set back: %s", async (_, change) => {
    const { cache, clock, memory, chaos } = open(kind, keepStale);
    await cache.set("a", 1);
    clock.advance(100);
    chaos.fault = THROWS;
    await change(cache);
    clock.advance(100);
    await cache.expire("a");
    await memory.clear();
    chaos.fault = WORKS;
    const stateOf = async () => [
      await cache.has("a"),
      await cache.get("a", { allowStale: true }),
      (await cache.explain("a")).tiers.at(-1)?.state,
    ];

    clock.setBack(50);
    const before = await stateOf();
    clock.advance(300);
    clock.setBack(300);
    await cache.flush();

    expect(before).toEqual([false, 1, "stale"]);
    expect(cache.cacheStatistics().tiers[1]?.guard?.queued).toBe(0);
    expect(await stateOf()).toEqual([false, 1, "stale"]);
  });

  it("holds when it is asked for again after the clock was set back", async () => {
    const { cache, clock, memory, chaos } = open(kind, keepStale);
    await cache.set("a", 1);
    clock.advance(100);
    chaos.fault = THROWS;
    await cache.expire("a");
    await memory.clear();
    clock.setBack(500);
    await cache.expire("a");
    chaos.fault = WORKS;
    clock.advance(600);
    await cache.flush();

    expect(cache.cacheStatistics().tiers[1]?.guard?.queued).toBe(0);
    expect(await cache.has("a")).toBe(false);
    expect(await cache.get("a", { allowStale: true })).toBe(1);
  });

  it("hides what waits and was made in the future", async () => {
    const { cache, clock, memory, chaos } = open(kind, keepStale);
    clock.advance(60_000);
    chaos.fault = THROWS;
    await cache.set("a", 1);
    await memory.clear();

    clock.setBack(10_000);

    expect(await cache.has("a")).toBe(false);
    expect(await cache.get("a", { allowStale: true })).toBe(undefined);
  });

  it("is not what another process has made before the tier hears of it", async () => {
    const { cache, clock, chaos, memory, path } = open(kind, keepStale);
    const other = open(kind, keepStale, path, clock).cache;
    await cache.set("a", 1);
    chaos.fault = THROWS;
    clock.advance(10);
    await cache.expire("a");
    clock.advance(10);
    await other.set("a", 2);

    chaos.fault = WORKS;
    clock.advance(300);
    await cache.flush();
    await memory.clear();

    expect(await cache.get("a")).toBe(2);
  });

  it("is not renewed by a hit that another process has not written yet", async () => {
    const { cache, clock, memory, path } = open(kind);
    const other = open(kind, {}, path, clock);
    await cache.set("a", 1, { ttl: 10_000, sliding: true });
    await memory.clear();
    clock.advance(9_000);
    expect(await other.cache.get("a")).toBe(1);
    await other.memory.clear();
    clock.advance(500);

    await cache.expire("a");

    expect(await other.cache.get("a")).toBe(undefined);
    await other.cache.close();
    expect(await cache.get("a")).toBe(undefined);
  });

  it("is so although its life was over in the eyes of who expires it", async () => {
    const { cache, clock, memory, path } = open(kind);
    const other = open(kind, {}, path, clock);
    await cache.set("a", 1, { ttl: 1_000, sliding: true });
    await memory.clear();
    clock.advance(900);
    expect(await other.cache.get("a")).toBe(1);
    await other.memory.clear();
    clock.advance(900);

    await cache.expire("a");

    expect(await other.cache.get("a")).toBe(undefined);
  });

  it("is kept through a restart, and what waits to be saved is not lost by it", async () => {
    const source = new Source();
    const gate = Promise.withResolvers<void>();
    source.wait = gate.promise;
    const path = temporaryPath();
    const behind: CacheOptions = {
      ...keepStale,
      journal: `${path}.journal`,
      categories: { behind: { strategy: "write-behind", save: source.save } },
    };
    const { cache, clock } = open(kind, behind, path);
    const mine = cache.category("behind");
    await mine.set("a", 1);
    await mine.expire("a");

    expect(await mine.get("a", { allowStale: true })).toBe(1);
    expect(await mine.getOrSet("a", () => 2)).toBe(1);
    await mine.expire("a");
    gate.resolve();
    await mine.flush();
    await cache.close();

    expect(source.values).toEqual(new Map([["a", 1]]));
    const again = open(kind, behind, path, clock).cache.category("behind");
    expect(await again.get("a")).toBe(undefined);
    expect(await again.resolve("a", down)).toMatchObject({ value: 1, stale: true });
  });
});

describe("a look", () => {
  it("is none, and an error of the tier, when it answers with what is no entry", async () => {
    const { cache, lower } = openTiered();
    const answers = [null, 42, soundEntry("other"), { ...soundEntry(KEY), tags: [1] }];
    for (const answer of answers) {
      lower.fault = { kind: "corrupt", change: () => answer };
      expect(await cache.has("a")).toBe(false);
    }
    const [, below] = cache.cacheStatistics().tiers;
    expect(below?.guard?.errors).toBe(answers.length);

    lower.fault = { kind: "corrupt", change: () => soundEntry(KEY) };
    expect(await cache.has("a")).toBe(true);
  });
});
