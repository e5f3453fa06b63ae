/** Bounds, quotas, eviction, sweeping, and totals that do not drift. */

import { statSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { FakeClock } from "../../../src/testing/fake-clock.ts";
import { noise } from "../../../src/testing/tier/context.ts";
import { longestGap } from "../../../src/testing/tier/responsiveness.ts";
import type { SqliteTier } from "../../../src/tier/sqlite/sqlite-tier.ts";
import { drift, entries, entry, listed, openTier, query } from "./support.ts";

const KB = 1_024;

function bytesOf(tier: SqliteTier, category: string): number {
  const sql = "SELECT coalesce(sum(size_bytes), 0) AS bytes FROM cache_entries WHERE category = ?";
  const [row] = query(tier.path, sql, category) as { bytes: number }[];
  return row?.bytes ?? Number.NaN;
}

describe("a quota", () => {
  it("bounds its category and leaves the others alone", async () => {
    const tier = openTier({ quotas: { images: 50 * KB }, compression: "none" });
    await tier.setMany(entries(40, "text ", { category: "texts" }));
    for (let index = 0; index < 200; index++) {
      const value = noise(2 * KB, index);
      await tier.setMany([entry(`image ${index}`, { category: "images", value })]);
      if (index % 20 === 0) expect(bytesOf(tier, "images")).toBeLessThanOrEqual(50 * KB);
    }

    expect(bytesOf(tier, "images")).toBeGreaterThan(40 * KB);
    expect((await listed(tier)).filter((key) => key.startsWith("text ")).length).toBe(40);
    expect(drift(tier.path)).toEqual([]);
  });

  it("refuses an entry that is larger than all of it", async () => {
    const tier = openTier({ quotas: { images: 10 * KB }, compression: "none" });
    const value = noise(20 * KB, 1);

    expect(
      await tier.setMany([
        entry("image", { category: "images", value }),
        entry("text", { category: "texts", value }),
      ]),
    ).toEqual(["too-large", "stored"]);
  });
});

describe("eviction", () => {
  it("takes what is expired first, whatever was used last", async () => {
    const clock = new FakeClock(Date.now());
    const tier = openTier({ clock, maxEntries: 100 });
    await tier.setMany(entries(50, "living "));
    clock.advance(1_000);
    await tier.setMany(entries(50, "short ", { keepUntilMs: clock.nowMs() + 1_000 }));
    await tier.getMany(entries(50, "short ").map(({ key }) => key));
    clock.advance(2_000);

    await tier.setMany(entries(10, "new "));

    const keys = await listed(tier);
    expect(keys.filter((key) => key.startsWith("living ")).length).toBe(50);
    expect(keys.filter((key) => key.startsWith("new ")).length).toBe(10);
    expect(tier.statistics()).toMatchObject({ expirations: 50, evictions: 0 });
  });

  it("spares what was used last", async () => {
    const clock = new FakeClock(Date.now());
    const tier = openTier({ clock, maxEntries: 300 });
    await tier.setMany(entries(300, "key "));
    const used = entries(100, "key ").map(({ key }) => key);
    clock.advance(10_000);
    await tier.getMany(used);
    await tier.sweep();
    clock.advance(10_000);

    await tier.setMany(entries(60, "new "));

    const keys = await listed(tier);
    expect(used.filter((key) => keys.includes(key)).length).toBe(100);
    expect(keys.filter((key) => key.startsWith("new ")).length).toBe(60);
    expect(keys.length).toBeLessThanOrEqual(300);
    expect(keys.length).toBeGreaterThan(280);
  });
});

describe("the totals", () => {
  it("equal a recount after any sequence of calls", async () => {
    const clock = new FakeClock(Date.now());
    const tier = openTier({
      clock,
      maxEntries: 150,
      maxBytes: 400 * KB,
      quotas: { a: 100 * KB },
      compression: "none",
    });
    let state = 12345;
    const random = (below: number): number => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return (state >>> 8) % below;
    };
    const some = (): string => `key ${random(300)}`;
    const random_entry = () =>
      entry(some(), {
        value: noise(random(30) === 0 ? 40_000 : random(3_000), random(1_000)),
        category: "abc".charAt(random(3)),
        createdMs: clock.nowMs() - random(50),
        keepUntilMs: clock.nowMs() + random(5_000),
        tags: Array.from({ length: random(4) }, () => `tag ${random(10)}`),
      });
    const steps = [
      () => tier.setMany(Array.from({ length: random(40) }, random_entry)),
      () => tier.setMany(Array.from({ length: random(40) }, random_entry)),
      () => tier.getMany(Array.from({ length: random(40) }, some)),
      () => tier.dropMany([some(), some()]),
      () => tier.dropTags([`tag ${random(10)}`]),
      () => tier.dropPrefix(`key ${random(30)}`),
      () => tier.sweep(),
      async () => clock.advance(random(500)),
      async () => random(10) === 0 && (await tier.clear()),
    ];
    for (let round = 0; round < 25; round++) {
      const started = Array.from({ length: 12 }, () => steps[random(steps.length)]?.());
      await Promise.all(started);
      expect(drift(tier.path)).toEqual([]);
      const [row] = query(
        tier.path,
        "SELECT count(*) AS entries, total(size_bytes) AS bytes FROM cache_entries",
      );
      const { entries: count, bytes } = tier.statistics();
      expect({ entries: count, bytes }).toEqual(row);
    }
    expect(tier.statistics()).toMatchObject({ errors: 0 });
    expect(tier.statistics().evictions).toBeGreaterThan(0);
  });
});

describe("a sweep", () => {
  it("of 100,000 dead entries leaves the event loop free and others room to write", async () => {
    const clock = new FakeClock(Date.now());
    const tier = openTier({ clock });
    const nowMs = clock.nowMs();
    for (let start = 0; start < 100_000; start += 10_000) {
      const life = { freshUntilMs: nowMs + 1_000, keepUntilMs: nowMs + 1_000 };
      const some = start < 50_000 ? { tags: ["t"] } : life;
      await tier.setMany(entries(10_000, `key ${start} `, { createdMs: nowMs, ...some }));
    }
    await tier.setMany(entries(10, "living ", { createdMs: nowMs }));
    clock.advance(2_000);
    await tier.dropTags(["t"]);

    let swept: unknown;
    const waits: number[] = [];
    const gap = await longestGap(async () => {
      let done = false;
      const sweeping = tier.sweep().then((result) => {
        swept = result;
        done = true;
      });
      while (!done) {
        const startMs = performance.now();
        await tier.setMany([entry("living 1", { createdMs: nowMs })]);
        waits.push(performance.now() - startMs);
      }
      await sweeping;
    });

    expect(swept).toEqual({ expired: 50_000, reclaimed: 50_000 });
    expect(await listed(tier)).toEqual(entries(10, "living ").map(({ key }) => key));
    expect(gap.workMs).toBeLessThan(10);
    waits.sort((a, b) => a - b);
    expect(waits.length).toBeGreaterThan(50);
    expect(waits[waits.length >> 1]).toBeLessThan(100);
    expect(query(tier.path, "SELECT count(*) AS tags FROM cache_tags")).toEqual([{ tags: 0 }]);
    expect(drift(tier.path)).toEqual([]);
  }, 120_000);

  it("comes by itself, as often as it was asked for", async () => {
    const clock = new FakeClock(Date.now());
    const tier = openTier({ clock, sweepEvery: "10s" });
    await tier.setMany(entries(5, "key ", { keepUntilMs: clock.nowMs() + 1_000 }));
    clock.advance(9_999);
    expect(tier.statistics().entries).toBe(5);

    clock.advance(1);
    // The sweep is in the queue before this.
    await tier.sweep();

    expect(tier.statistics()).toMatchObject({ entries: 0, expirations: 5 });
  });

  it("removes what a clock that was set back left in the future", async () => {
    const clock = new FakeClock(Date.now() + 3_600_000);
    const tier = openTier({ clock });
    await tier.setMany([entry("a", { createdMs: clock.nowMs(), keepUntilMs: Infinity })]);
    clock.setBack(3_600_000);

    expect(await tier.sweep()).toEqual({ expired: 0, reclaimed: 1 });
  });
});

describe("the file", () => {
  it("shrinks when much of it is free", async () => {
    const tier = openTier({ compression: "none" });
    await tier.setMany(
      entries(60).map((each, index) => ({ ...each, value: noise(400_000, index) })),
    );
    await tier.dropPrefix("key 1");
    expect(pagesOf(tier)).toBeGreaterThan(5_000);

    await tier.dropPrefix("key");
    await tier.sweep();

    expect(pagesOf(tier)).toBeLessThan(1_100);
    await tier.close();
    expect(statSync(tier.path).size).toBeLessThan(1_100 * 4 * KB);
  });

  it("has no parts of values that were replaced or evicted", async () => {
    const tier = openTier({ compression: "none", maxBytes: "3MB" });
    for (let index = 0; index < 12; index++) {
      const value = noise(600_000, index);
      await tier.setMany([entry(`key ${index % 7}`, { value, createdMs: Date.now() + index })]);
    }

    expect(drift(tier.path)).toEqual([]);
    const [row] = query(tier.path, "SELECT count(*) AS parts FROM cache_parts");
    expect(row).toEqual({ parts: tier.statistics().entries * 3 });
  });
});

function pagesOf(tier: SqliteTier): number {
  const [row] = query(tier.path, "PRAGMA page_count") as { page_count: number }[];
  return row?.page_count ?? Number.NaN;
}
