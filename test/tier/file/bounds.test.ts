import { describe, expect, it } from "vitest";
import { FakeClock } from "../../../src/testing/fake-clock.ts";
import { fileTier } from "../../../src/tier/file/file-tier.ts";
import type { FileTierOptions } from "../../../src/tier/file/options.ts";
import type { Tier } from "../../../src/tier/tier.ts";
import { closing, entry, listed, noise, temporaryFolder } from "./support.ts";

const KB = 1_024;

function open(folder: string, options: FileTierOptions = {}): Tier {
  return closing(fileTier({ folder, ...options }));
}

describe("room", () => {
  it("is given to each category as its quota says", async () => {
    const tier = open(temporaryFolder(), { quotas: { charts: "40KB", exports: "20KB" } });
    const set = (category: string, count: number) =>
      tier.setMany(
        Array.from({ length: count }, (_, at) => {
          return entry(`${category} ${at}`, { category, value: noise(3 * KB) });
        }),
      );

    await set("general", 20);
    await set("charts", 20);
    await set("exports", 20);

    const keys = await listed(tier);
    const count = (category: string): number =>
      keys.filter((key) => key.startsWith(category)).length;
    expect([count("general"), count("charts"), count("exports")]).toEqual([20, 10, 5]);
    expect(
      await tier.setMany([entry("large", { category: "exports", value: noise(30 * KB) })]),
    ).toEqual(["too-large"]);
    expect(
      await tier.setMany([entry("large", { category: "charts", value: noise(30 * KB) })]),
    ).toEqual(["stored"]);
  });

  it("goes to what is used, and from the dead first", async () => {
    const clock = new FakeClock(Date.UTC(2030, 0, 1));
    const tier = open(temporaryFolder(), { clock, maxEntries: 10 });
    const made = (key: string, lifeMs: number) => {
      const endMs = clock.nowMs() + lifeMs;
      return entry(key, {
        createdMs: clock.nowMs(),
        freshUntilMs: endMs,
        keepUntilMs: endMs,
      });
    };
    await tier.setMany(Array.from({ length: 9 }, (_, at) => made(`key ${at}`, 1e9)));
    clock.advance(10);
    await tier.setMany([made("expired", 1)]);
    clock.advance(10);
    await tier.getMany(["key 0", "key 1"]);

    await tier.setMany([made("new 0", 1e9)]);
    expect(tier.statistics()).toMatchObject({ evictions: 0, expirations: 1 });
    await tier.setMany(Array.from({ length: 7 }, (_, at) => made(`new ${at + 1}`, 1e9)));

    expect(await listed(tier)).toEqual([
      "key 0",
      "key 1",
      ...Array.from({ length: 8 }, (_, at) => `new ${at}`),
    ]);
    expect(tier.statistics()).toMatchObject({ evictions: 7, expirations: 1 });
  });

  it("is measured in the blocks that a disk gives", async () => {
    const tier = open(temporaryFolder(), { compression: "none" });
    await tier.setMany([entry("a"), entry("b", { value: noise(5_000) })]);

    expect(tier.statistics().bytes).toBe(3 * 4_096);
  });

  it("is not for metadata beyond a megabyte", async () => {
    const tier = open(temporaryFolder());
    const tags = ["t".repeat(1_100_000)];

    expect(await tier.setMany([entry("a", { tags }), entry("b")])).toEqual(["too-large", "stored"]);
  });
});
