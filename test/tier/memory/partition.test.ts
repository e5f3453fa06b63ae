/** What a memory tier says of itself, against a recount after every operation. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FakeClock } from "../../../src/testing/fake-clock.ts";
import { hasOf } from "../../../src/testing/tier/context.ts";
import { type MemoryTier, memoryTier } from "../../../src/tier/memory/memory-tier.ts";
import type { Partition } from "../../../src/tier/memory/partition.ts";
import type { TierEntry } from "../../../src/tier/tier.ts";
import { turns } from "../../cache/support.ts";

const NEVER = Number.POSITIVE_INFINITY;
const PREFIXES = ["one/", "two/", "rest/"] as const;

function entry(key: string, clock: FakeClock, more: Partial<TierEntry> = {}): TierEntry {
  const nowMs = clock.nowMs();
  return {
    key,
    value: key,
    category: "c",
    createdMs: nowMs,
    freshUntilMs: nowMs + 1_000,
    keepUntilMs: nowMs + 2_000,
    slidingMs: 0,
    tags: [],
    loadMs: 0,
    etag: undefined,
    ...more,
  };
}

const step = fc.record({
  do: fc.constantFrom(
    "set",
    "set",
    "set",
    "set",
    "drop",
    "dropTag",
    "dropPrefix",
    "dropPrefixNow",
    "clear",
    "clearOne",
    "pass",
    "sweep",
    "get",
    "find",
    "turn",
    "stale",
    "expire",
  ),
  at: fc.nat(20),
  prefix: fc.nat(2),
  size: fc.oneof(fc.nat(50), fc.nat(1_500)),
  ms: fc.nat(700),
});

/** The living entries by their whole keys, naively. */
class Model {
  readonly living = new Map<string, TierEntry>();
  readonly #clock: FakeClock;

  constructor(clock: FakeClock) {
    this.#clock = clock;
  }

  drop(isDropped: (entry: TierEntry) => boolean): void {
    for (const [key, one] of this.living) if (isDropped(one)) this.living.delete(key);
  }

  has(key: string): boolean {
    const one = this.living.get(key);
    return one !== undefined && one.keepUntilMs > this.#clock.nowMs();
  }
}

describe("a memory tier", () => {
  it("counts entries and bytes as a recount does, whatever happens in whatever order", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60, size: "max" }), async (steps) => {
        const clock = new FakeClock();
        const tier = memoryTier({ clock, sweepEvery: 0, maxEntries: 12, maxBytes: 20_000 });
        const parts = [
          tier.partition("one/", { maxEntries: 5 }, "frozen"),
          tier.partition("two/", undefined, "frozen"),
          tier.partition("rest/", undefined, "frozen"),
        ] as const;
        const [one, two] = parts;
        const model = new Model(clock);
        for (const { do: what, at, prefix, size, ms } of steps) {
          const whole = `${PREFIXES[prefix]}k${at % 3}:${at}`;
          const tag = `t${at % 3}`;
          if (what === "set") {
            const tags = at % 2 === 0 ? [tag, "all"] : [];
            const added = entry(whole, clock, { value: "x".repeat(size), tags });
            const [outcome] = await tier.setMany([added]);
            if (outcome === "stored") model.living.set(whole, added);
            else model.living.delete(whole);
          } else if (what === "drop") {
            const [was] = await hasOf(tier, [whole]);
            expect(await tier.dropMany([whole])).toBe(was ? 1 : 0);
            model.living.delete(whole);
          } else if (what === "dropTag") {
            await tier.dropTags([tag]);
            model.drop(({ tags }) => tags.includes(tag));
          } else if (what === "dropPrefix") {
            const text = `${PREFIXES[prefix]}k${at % 3}`;
            await tier.dropPrefix(text);
            model.drop(({ key }) => key.startsWith(text));
          } else if (what === "dropPrefixNow") {
            one.dropPrefix(`k${at % 3}`);
            model.drop(({ key }) => key.startsWith(`one/k${at % 3}`));
          } else if (what === "clear") {
            if (at < 5) await tier.clear();
            if (at < 5) model.living.clear();
          } else if (what === "clearOne") {
            two.clear();
            model.drop(({ key }) => key.startsWith("two/"));
          } else if (what === "pass") clock.advance(ms);
          else if (what === "sweep") await tier.sweep();
          else if (what === "get") await tier.getMany([whole]);
          else if (what === "find") await find(parts[prefix] as Partition, whole, model);
          else if (what === "turn") await turns(at % 3);
          else if (what === "stale") one.putStale(`k${at % 3}:${at}`, entry("", clock));
          else one.expireNow(`k${at % 3}:${at}`);
          if (what === "stale") model.living.set(`one/k${at % 3}:${at}`, entry("", clock));
          await check(tier, parts, model);
        }
        await tier.sweep();
        expect(tier.statistics().entries).toBe((await all(tier)).length);
        await tier.clear();
        await tier.sweep();
        expect(tier.statistics()).toMatchObject({ entries: 0, bytes: 0 });
        await tier.close();
      }),
      { numRuns: 600 },
    );
  }, 60_000);

  it("tells each partition of what went by itself", async () => {
    const clock = new FakeClock();
    const tier = memoryTier({ clock, sweepEvery: 0 });
    const part = tier.partition("p/", { maxEntries: 2 }, "frozen");
    const gone: string[] = [];
    part.onGone = (key, why) => gone.push(`${why} ${key}`);

    for (const key of ["a", "b", "c"]) part.put(key, entry(key, clock));
    clock.advance(2_000);
    await tier.sweep();

    expect(gone.map((what) => what.split(" ")[0])).toEqual(["evict", "expire", "expire"]);
    expect(gone.map((what) => what.split(" ")[1]).sort()).toEqual(["a", "b", "c"]);
    expect(part.counts).toMatchObject({ evictions: 1, expirations: 2, sets: 3 });
    await tier.close();
  });

  it("evicts what was used last longest ago, by a read or a change, when its policy is LRU", async () => {
    const clock = new FakeClock();
    await using tier = memoryTier({ clock, policy: "lru", maxEntries: 3 });
    const set = (key: string): Promise<unknown> => tier.setMany([entry(key, clock)]);
    for (const key of ["read", "unused", "set again"]) await set(key);

    await tier.getMany(["read"]);
    await set("set again");
    await set("new");

    expect(await all(tier)).toEqual(["new", "read", "set again"]);
    await set("newer");
    expect(await all(tier)).toEqual(["new", "newer", "set again"]);
  });

  it("counts the bytes of large integers and of etags, and refuses what is too large", async () => {
    const clock = new FakeClock();
    const tier = memoryTier({ maxBytes: "10MB", sweepEvery: 0, clock });
    const part = tier.partition("", undefined, "frozen");
    const put = (key: string, more: Partial<TierEntry>) => part.put(key, entry(key, clock, more));
    const bytesOf = (key: string, more: Partial<TierEntry>) => {
      const before = tier.statistics().bytes;
      expect(put(key, more)).toBe("stored");
      return tier.statistics().bytes - before;
    };

    expect(put("huge", { value: 2n ** 60_000_000n })).toBe("too-large");
    expect(put("tagged", { etag: "e".repeat(2_000_000) })).toBe("too-large");
    const plain = bytesOf("a", { value: 1n });
    expect(bytesOf("b", { value: 2n ** 640_000n }) - plain).toBe(80_000);
    expect(bytesOf("c", { value: 1n, etag: "e".repeat(80) }) - plain).toBe(96);
    await tier.close();
  });

  it("sweeps by itself every minute, again and again", async () => {
    const clock = new FakeClock();
    const tier = memoryTier({ clock });
    for (let minute = 0; minute < 3; minute++) {
      await tier.setMany([entry("a", clock), entry("b", clock, { keepUntilMs: NEVER })]);
      expect(tier.statistics().entries).toBe(2);

      clock.advance(60_000);
      await turns();

      expect(tier.statistics()).toMatchObject({ entries: 1, expirations: minute + 1 });
    }
    await tier.close();
  });

  it("drops a prefix at once, and what is set after it lives", async () => {
    const clock = new FakeClock();
    const tier = memoryTier({ clock, sweepEvery: 0 });
    const part = tier.partition("p/", undefined, "frozen");
    for (let index = 0; index < 10; index++) part.put(`a:${index}`, entry("", clock));
    part.put("b:1", entry("", clock));

    part.dropPrefix("a:");
    part.put("a:3", entry("", clock, { value: "new" }));

    expect(part.findValue("a:1")).toBeUndefined();
    expect(part.findSettled("a:1")).toBeUndefined();
    expect(part.findValue("a:3")).toBe("new");
    expect(part.findValue("b:1")).toBeDefined();
    expect(await all(tier)).toEqual(["p/a:3", "p/b:1"]);
    await turns();
    expect(part.size).toBe(2);
    expect(part.findValue("a:3")).toBe("new");
    await tier.close();
  });

  it("bears any number of dropped prefixes", async () => {
    const clock = new FakeClock();
    const tier = memoryTier({ clock, sweepEvery: 0 });
    const part = tier.partition("p/", undefined, "frozen");

    for (let index = 0; index < 20_000; index++) {
      part.put(`a${index}:1`, entry("", clock));
      part.dropPrefix(`a${index}:`);
    }

    expect(part.findValue("a19999:1")).toBeUndefined();
    expect(part.size).toBeLessThan(10_001);
    while (part.size > 0) await turns();
    expect(part.counts.drops).toBe(20_000);
    await tier.close();
  });

  it("drops hundreds of prefixes among very many entries in no time", async () => {
    const clock = new FakeClock();
    const tier = memoryTier({ clock, maxEntries: 200_000, sweepEvery: 0 });
    const part = tier.partition("p/", undefined, "frozen");
    for (let index = 0; index < 100_000; index++) part.put(`a${index}:1`, entry("", clock));

    const before = process.threadCpuUsage().user;
    for (let index = 0; index < 500; index++) part.dropPrefix(`a${index}:`);
    const tookMs = (process.threadCpuUsage().user - before) / 1_000;

    expect(tookMs).toBeLessThan(20);
    expect([part.findValue("a499:1"), part.findValue("a500:1")]).toEqual([undefined, ""]);
    await tier.close();
  });

  it("checks the policy and the limits of a partition", () => {
    const tier = memoryTier();

    expect(() => tier.partition("p/", { policy: "best" as "lru" }, "frozen")).toThrow(/"best"/);
    expect(() => tier.partition("p/", { maxEntries: 0 }, "frozen")).toThrow(/maxEntries/);
  });
});

async function all(tier: MemoryTier): Promise<string[]> {
  const keys: string[] = [];
  for await (const chunk of tier.keys()) keys.push(...chunk);
  return keys.sort();
}

/** Nothing dead is given; room, map and wheel agree. */
/** What the fast paths give is what lives, and each other. */
async function find(part: Partition, whole: string, model: Model): Promise<void> {
  const key = whole.slice(part.prefix.length);
  const value = part.findValue(key);
  if (value !== undefined) {
    expect(model.has(whole)).toBe(true);
    expect(value).toBe(model.living.get(whole)?.value);
  }
  expect(await part.findSettled(key)).toBe(value);
}

async function check(tier: MemoryTier, parts: readonly Partition[], model: Model): Promise<void> {
  const counted = parts.flatMap((part) => [...part.entries()]);
  expect(tier.statistics()).toMatchObject({
    entries: counted.length,
    bytes:
      counted.reduce((sum, { bytes }) => sum + bytes, 0) +
      parts.reduce((sum, { tableBytes }) => sum + tableBytes, 0),
  });
  const keys = await all(tier);
  expect(keys.filter((key) => !model.has(key))).toEqual([]);
  for (const key of keys) {
    const [found] = await tier.getMany([key]);
    expect(found?.value).toBe(model.living.get(key)?.value);
  }
  for (const tag of ["t0", "t1", "t2", "all"]) {
    const tagged: string[] = [];
    for await (const chunk of tier.keys({ tag })) tagged.push(...chunk);
    const expected = keys.filter((key) => model.living.get(key)?.tags.includes(tag));
    expect(tagged.sort()).toEqual(expected);
  }
}
