/** Prefixes that are dropped from very many entries: noted at once, reclaimed afterwards. */

import { describe, expect, it, onTestFinished } from "vitest";
import { queryChannel } from "../../../src/core/channels.ts";
import { sqliteTier } from "../../../src/tier/sqlite/sqlite-tier.ts";
import { drift, entries, entry, listed, openTier, query, valuesOf } from "./support.ts";

const MANY = 3_000;

describe("to drop a prefix of many entries", () => {
  it("is one write, whose rows go afterwards", async () => {
    const tier = openTier();
    await tier.setMany([...entries(MANY, "a:"), entry("b")]);

    await tier.dropPrefix("a:");

    expect(tier.statistics().entries).toBeGreaterThan(MANY / 2);
    expect(await valuesOf(tier, ["a:0", "a:2999", "b"])).toEqual([
      undefined,
      undefined,
      "value of b",
    ]);
    await tier.sweep();
    expect(tier.statistics()).toMatchObject({ entries: 1, drops: MANY, errors: 0 });
    expect(query(tier.path, "SELECT * FROM cache_prefixes")).toEqual([]);
    expect(drift(tier.path)).toEqual([]);
  });

  it("reclaims without a sweep", async () => {
    const tier = openTier();
    await tier.setMany(entries(MANY, "a:"));
    const done = Promise.withResolvers<void>();
    const listen = (event: unknown): void => {
      if ((event as { sql: string }).sql.startsWith("DELETE FROM cache_prefixes WHERE name = ")) {
        done.resolve();
      }
    };
    queryChannel.subscribe(listen);
    onTestFinished(() => void queryChannel.unsubscribe(listen));

    await tier.dropPrefix("a:");
    await done.promise;

    expect(tier.statistics()).toMatchObject({ entries: 0, drops: MANY });
  });

  it("holds for all who have the file, and is gone on with by any of them", async () => {
    const tier = openTier();
    const other = openTier({ path: tier.path });
    await tier.setMany([...entries(MANY, "a:"), entry("b")]);
    expect(await valuesOf(other, ["a:1"])).toEqual(["value of a:1"]);

    await tier.dropPrefix("a:");
    await tier.close();

    const chunks: (readonly string[])[] = [];
    for await (const chunk of other.keys()) chunks.push(chunk);
    // A chunk for each thousand rows, so that none takes long.
    expect(chunks.length).toBeGreaterThan(1);
    expect(chunks.flat()).toEqual(["b"]);
    expect(await valuesOf(other, ["a:1", "a:2999"])).toEqual([undefined, undefined]);
    expect(other.statistics().entries).toBeGreaterThan(1);
    expect((await other.sweep()).reclaimed).toBeGreaterThan(0);
    expect(other.statistics().entries).toBe(1);
  });

  it("leaves alone what comes after it, also while its rows go", async () => {
    const tier = openTier();
    await tier.setMany(entries(MANY, "a:"));
    const again = entries(MANY, "a:", { value: "again" });

    for (let time = 0; time < 2; time++) {
      await Promise.all([tier.dropPrefix("a:1"), tier.dropPrefix("a:"), tier.dropPrefix("a")]);
      await tier.setMany(again);
    }
    await tier.sweep();

    expect(
      new Set(
        await valuesOf(
          tier,
          again.map(({ key }) => key),
        ),
      ),
    ).toEqual(new Set(["again"]));
    expect(query(tier.path, "SELECT * FROM cache_prefixes")).toEqual([]);
    expect(drift(tier.path)).toEqual([]);
  });

  it("has those go for room before anything that lives", async () => {
    const tier = openTier({ maxEntries: MANY + 100 });
    await tier.setMany(entries(100, "kept "));
    await tier.setMany(entries(MANY, "a:"));
    await tier.dropPrefix("a:");

    await tier.setMany(entries(MANY - 100, "b:"));

    expect(await listed(tier)).toHaveLength(MANY);
    expect(tier.statistics().evictions).toBe(0);
  });

  it("is done by the caller when many are under way", async () => {
    const tier = openTier({ maxEntries: 100_000 });
    const prefixes = Array.from({ length: 70 }, (_, index) => `${index}:`);
    await tier.setMany(prefixes.flatMap((prefix) => entries(201, prefix)));
    const noted: number[] = [];

    for (const prefix of prefixes) {
      await tier.dropPrefix(prefix);
      const [row] = query(tier.path, "SELECT count(*) AS n FROM cache_prefixes");
      noted.push((row as { n: number }).n);
    }

    expect(Math.max(...noted)).toBeLessThanOrEqual(64);
    expect(await listed(tier)).toEqual([]);
  });

  it("goes with everything else", async () => {
    const tier = sqliteTier({ path: openTier().path, sweepEvery: 0 });
    await tier.setMany(entries(MANY, "a:"));
    await tier.dropPrefix("a:");
    await tier.clear();

    await tier.setMany([entry("a:1")]);

    expect(await listed(tier)).toEqual(["a:1"]);
    await tier.close();
  });
});
