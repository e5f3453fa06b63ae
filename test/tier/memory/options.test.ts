import { describe, expect, it } from "vitest";
import { systemClock } from "../../../src/core/clock.ts";
import { FakeClock } from "../../../src/testing/fake-clock.ts";
import { memoryTier } from "../../../src/tier/memory/memory-tier.ts";
import {
  type MemoryTierOptions,
  resolveMemoryTierOptions,
} from "../../../src/tier/memory/options.ts";

const MB = 1_024 * 1_024;

describe("the options of memoryTier", () => {
  it("have defaults", () => {
    expect(resolveMemoryTierOptions({})).toEqual({
      name: "memory",
      policy: "w-tinylfu",
      limits: { maxEntries: 1_000, maxBytes: 100 * MB, maxEntryBytes: 10 * MB },
      sweepEveryMs: 60_000,
      clock: systemClock,
      random: Math.random,
    });
  });

  it("hold a thousand entries when nothing is said", async () => {
    const clock = new FakeClock();
    await using tier = memoryTier({ clock });
    const life = { createdMs: clock.nowMs(), freshUntilMs: Infinity, keepUntilMs: Infinity };
    const rest = { value: 1, category: "c", slidingMs: 0, tags: [], loadMs: 0, etag: undefined };

    await tier.setMany(
      Array.from({ length: 1_500 }, (_, index) => ({ key: `k${index}`, ...life, ...rest })),
    );

    expect(tier.statistics()).toMatchObject({ entries: 1_000, evictions: 500, sets: 1_500 });
  });

  it.each(["w-tinylfu", "lru", "lfu", "fifo"] as const)("have the policy %s", (policy) => {
    expect(resolveMemoryTierOptions({ policy }).policy).toBe(policy);
  });

  it.each<[object, RegExp]>([
    [{ name: "" }, /name: "" is refused/],
    [{ maxEntrys: 1 }, /maxEntrys.*Did you mean "maxEntries"/],
    [{ policy: "ttl" }, /policy: "ttl" is unknown. Known: w-tinylfu, lru, lfu, fifo/],
    [{ maxEntries: 0.5 }, /maxEntries/],
    [{ maxBytes: "a lot" }, /maxBytes/],
    [{ sweepEvery: "often" }, /sweepEvery/],
  ])("%j are refused", (options, message) => {
    expect(() => resolveMemoryTierOptions(options as MemoryTierOptions)).toThrow(message);
  });
});
