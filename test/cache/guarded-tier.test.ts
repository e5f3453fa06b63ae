import { describe, expect, it } from "vitest";
import { createCache } from "../../src/cache/cache.ts";
import { ChaosTier } from "../../src/testing/chaos-tier.ts";
import { memoryTier } from "../../src/tier/memory/memory-tier.ts";
import {
  entryIn,
  errorOf,
  HANGS,
  listOf,
  type Opened,
  openTiered,
  pass,
  soundEntry,
  stateOf,
  THROWS,
  turns,
  WORKS,
} from "./support.ts";

/** What the guard of the tier below says. */
function guardOf({ cache }: Opened): Record<string, unknown> {
  const report = cache.cacheStatistics().tiers.find(({ name }) => name === "below");
  return { ...report?.guard };
}

describe("a tier that throws", () => {
  it("is a miss for reads, and no caller notices", async () => {
    const opened = openTiered();
    const { cache, lower } = opened;
    lower.fault = THROWS;

    expect(await cache.get("a")).toBeUndefined();
    expect(await cache.has("a")).toBe(false);
    expect(await cache.getOrSet("a", () => 1)).toBe(1);
    await cache.set("b", 2);
    await cache.drop("c");
    await cache.dropTag("t");
    await cache.dropPrefix("p");
    await cache.expire("a");
    expect(await listOf(cache.keys())).toEqual(["a", "b"]);
    expect((await cache.explain("b")).tiers[1]?.state).toBe("fresh");
    expect(guardOf(opened)["errors"]).toBeGreaterThan(0);
  });

  it("is left alone after five failures in a row, and tried by one call after a pause", async () => {
    const opened = openTiered();
    const { cache, lower, clock } = opened;
    lower.fault = THROWS;

    for (let index = 0; index < 8; index++) await cache.get(`k${index}`);
    expect(guardOf(opened)).toMatchObject({ circuit: "open", errors: 5, skipped: 3 });
    expect(lower.calls["getMany"]).toBe(5);

    clock.advance(5_000);
    lower.fault = HANGS;
    const reads = ["x", "y", "z"].map((key) => cache.get(key));
    await turns();
    expect(lower.calls["getMany"]).toBe(6);
    expect(guardOf(opened)["circuit"]).toBe("half-open");
    lower.fault = WORKS;
    expect(await Promise.all(reads)).toEqual([undefined, undefined, undefined]);
    expect(guardOf(opened)["circuit"]).toBe("closed");
  });

  it("is left alone again when the one call fails", async () => {
    const opened = openTiered({ tierFailures: 2, tierPause: "1s" });
    const { cache, lower, clock } = opened;
    lower.fault = THROWS;
    for (let index = 0; index < 2; index++) await cache.get(`k${index}`);

    clock.advance(1_000);
    await cache.get("x");

    expect(guardOf(opened)).toMatchObject({ circuit: "open", errors: 3 });
    await cache.get("y");
    expect(lower.calls["getMany"]).toBe(3);
  });

  it("needs the failures in a row", async () => {
    const opened = openTiered({ tierFailures: 2 });
    const { cache, lower } = opened;
    for (let index = 0; index < 4; index++) {
      lower.fault = THROWS;
      await cache.get(`a${index}`);
      lower.fault = WORKS;
      await cache.get(`b${index}`);
    }

    expect(guardOf(opened)).toMatchObject({ circuit: "closed", errors: 4 });
  });

  it("has what it missed when it is back", async () => {
    const opened = openTiered();
    const { cache, lower, stored, clock } = opened;
    await cache.set("dropped", 1);
    await cache.set("replaced", 1);
    await cache.set("tagged", 1, { tags: ["t"] });
    await cache.set("p:1", 1);
    await cache.set("expired", 1);
    lower.fault = THROWS;

    await cache.drop("dropped");
    await cache.set("replaced", 2);
    await cache.dropTag("t");
    await cache.dropPrefix("p");
    await cache.expire("expired");
    await cache.set("new", 3);
    expect(guardOf(opened)["queued"]).toBeGreaterThan(5);
    expect(await entryIn(stored, "dropped")).toBeDefined();
    lower.fault = WORKS;
    await pass(clock, 10_000);

    expect(guardOf(opened)).toMatchObject({ queued: 0, circuit: "closed" });
    expect(await entryIn(stored, "dropped")).toBeUndefined();
    expect((await entryIn(stored, "replaced"))?.value).toBe(2);
    expect(await entryIn(stored, "tagged")).toBeUndefined();
    expect(await entryIn(stored, "p:1")).toBeUndefined();
    expect((await entryIn(stored, "expired"))?.freshUntilMs).toBeLessThan(clock.nowMs());
    expect((await entryIn(stored, "new"))?.value).toBe(3);
  });

  it("resurrects nothing when it can be read again before it could be changed", async () => {
    const { cache, lower, memory, clock } = openTiered({ tierPause: "10ms" });
    for (const key of ["dropped", "p:1", "replaced"]) await cache.set(key, 1);
    await cache.set("tagged", 1, { tags: ["t"] });
    await cache.set("expired", 1);
    lower.fault = THROWS;
    await cache.drop("dropped");
    await cache.dropTag("t");
    await cache.dropPrefix("p");
    await cache.expire("expired");
    await cache.set("replaced", 2);
    await memory.clear();
    lower.fault = WORKS;
    clock.advance(20);

    const keys = ["dropped", "p:1", "tagged", "expired", "replaced"];
    expect(await cache.getMany(keys)).toEqual([...Array(4).fill(undefined), 2]);
    for (const key of keys.slice(0, 4)) expect(await cache.has(key), key).toBe(false);
    expect(await listOf(cache.keys())).toEqual(["expired", "replaced"]);
    expect(await listOf(cache.keys({ tag: "t" }))).toEqual([]);
    expect(await cache.lookup("expired", { allowStale: true })).toMatchObject({
      value: 1,
      stale: true,
    });
  });

  it("gets what waits as soon as a read shows that it is back", async () => {
    const opened = openTiered({ tierFailures: 1, tierPause: "1s" });
    const { cache, lower, stored, clock } = opened;
    lower.fault = THROWS;
    await cache.set("a", 1);
    clock.advance(300);
    await turns();
    clock.advance(600);
    await turns();
    lower.fault = WORKS;
    clock.advance(600);

    await cache.get("b");
    await turns();

    expect((await entryIn(stored, "a"))?.value).toBe(1);
  });
});

describe("a tier that hangs", () => {
  it("holds a read up no longer than its timeout", async () => {
    const opened = openTiered({ tierTimeout: "200ms" });
    const { cache, lower, clock } = opened;
    lower.fault = HANGS;
    const read = cache.getOrSet("a", () => 1);

    clock.advance(199);
    expect(await stateOf(read)).toBe("pending");
    clock.advance(1);

    expect(await read).toBe(1);
    expect(guardOf(opened)).toMatchObject({ timeouts: 1 });
  });

  it("holds changes, lists, has and explain up no longer", async () => {
    const { cache, lower, clock } = openTiered({ tierFailures: 100 });
    lower.fault = HANGS;
    const calls = [
      cache.set("a", 1),
      cache.drop("b"),
      cache.dropTag("t"),
      cache.clear(),
      cache.has("c"),
      cache.explain("c"),
      listOf(cache.keys()),
    ];

    await pass(clock, 3_000);

    for (const call of calls) expect(await stateOf(call)).toBe("value");
  });

  it("answers too late to be believed", async () => {
    const { cache, lower, clock, memory } = openTiered();
    await cache.set("a", "old");
    await memory.clear();
    lower.fault = HANGS;
    const read = cache.getOrSet("a", () => "loaded");
    await pass(clock, 1_000);
    expect(await read).toBe("loaded");

    lower.fault = WORKS;
    await turns();

    expect(await cache.get("a")).toBe("loaded");
  });

  it("cannot bring back a value by a set that arrives after its drop", async () => {
    const { cache, lower, clock, stored } = openTiered();
    const late = Promise.withResolvers<void>();
    lower.fault = { kind: "delay", until: () => late.promise };
    void cache.set("a", 1);
    await pass(clock, 1_200);
    lower.fault = WORKS;
    await cache.drop("a");
    await pass(clock, 2_000);
    expect(await cache.get("a")).toBeUndefined();

    late.resolve();
    await pass(clock, 30_000);

    expect(await entryIn(stored, "a")).toBeUndefined();
    expect(await cache.get("a")).toBeUndefined();
  });

  it("is sent changes again when one has had no answer for a minute", async () => {
    const opened = openTiered();
    const { cache, lower, clock, stored } = opened;
    lower.fault = { kind: "delay", until: () => new Promise(() => undefined) };
    void cache.set("a", 1);
    await pass(clock, 1_200);
    lower.fault = WORKS;

    await pass(clock, 50_000);
    expect(await entryIn(stored, "a")).toBeUndefined();
    await pass(clock, 50_000);

    expect((await entryIn(stored, "a"))?.value).toBe(1);
    expect(guardOf(opened)["queued"]).toBe(0);
  });

  it("does not keep a cache from closing", async () => {
    const { cache, lower, clock } = openTiered();
    lower.close = () => new Promise(() => undefined);
    lower.fault = HANGS;
    void cache.set("a", 1);
    const closed = cache.close();

    await pass(clock, 15_000, 20);

    expect(await stateOf(closed)).toBe("value");
  });

  it("is closed even when nothing else is asked of it", async () => {
    const { cache, lower } = openTiered({ tierFailures: 1 });
    let closed = 0;
    const close = lower.close.bind(lower);
    lower.close = async () => {
      closed++;
      await close();
    };
    lower.fault = THROWS;
    await cache.get("a");

    await cache.close();

    expect(closed).toBe(1);
  });
});

describe("a tier that answers nonsense", () => {
  const good = soundEntry("cache/1/default/a");

  it.each<[string, unknown]>([
    ["null", null],
    ["a number", 42],
    ["a text", "a"],
    ["an empty object", {}],
    ["another key", soundEntry("cache/1/default/b")],
    ["no value", { ...good, value: undefined }],
    ["a function", { ...good, value: () => 1 }],
    ["an instance of a class", { ...good, value: new URL("http://a") }],
    ["no moment", { ...good, createdMs: Number.NaN }],
    ["no end of freshness", { ...good, freshUntilMs: undefined }],
    ["a text as an end", { ...good, keepUntilMs: "soon" }],
    ["no tags", { ...good, tags: null }],
    ["tags that are no texts", { ...good, tags: [1] }],
    ["no sliding", { ...good, slidingMs: "yes" }],
  ])("has a miss with %s, which counts as its error", async (_, answer) => {
    const opened = openTiered();
    const { cache, lower } = opened;
    lower.fault = { kind: "corrupt", change: () => answer };

    expect(await cache.get("a")).toBeUndefined();
    expect(await cache.getOrSet("a", () => "loaded")).toBe("loaded");
    expect(guardOf(opened)["errors"]).toBe(2);
  });

  it("has a miss for all keys with no list at all, or one that is too short", async () => {
    const opened = openTiered();
    const { cache, lower } = opened;
    for (const answer of [undefined, null, 7, [], [undefined]]) {
      lower.getMany = async () => answer as never;
      expect(await cache.getMany(["a", "b"]), String(answer)).toEqual([undefined, undefined]);
    }
    lower.keys = async function* () {
      yield 7 as never;
    };
    expect(await listOf(cache.keys())).toEqual([]);
    expect(guardOf(opened)["errors"]).toBe(4);
  });

  it("gives nothing as fresh later that was expired meanwhile", async () => {
    for (const answer of [null, undefined, { key: "cache/1/default/a" }]) {
      const { cache, lower, memory } = openTiered();
      await cache.set("a", 1);
      lower.fault = { kind: "corrupt", change: () => answer };
      await cache.expire("a");
      lower.fault = WORKS;
      await memory.clear();

      expect(await cache.get("a")).toBeUndefined();
    }
  });

  it("has a miss when a method throws instead of rejecting", async () => {
    const { cache, lower } = openTiered();
    const broken = (): never => {
      throw new Error("not even a promise");
    };
    Object.assign(lower, { getMany: broken, setMany: broken, keys: broken, dropMany: broken });

    expect(await cache.getOrSet("a", () => 1)).toBe(1);
    await cache.drop("a");
    expect(await listOf(cache.keys())).toEqual([]);
  });
});

describe("strict mode", () => {
  it("tells the caller of every failure of a tier", async () => {
    const { cache, lower, memory, clock } = openTiered({ strict: true });
    await cache.set("a", 1);
    await memory.clear();
    lower.fault = THROWS;

    const calls = {
      get: () => cache.get("a"),
      getOrSet: () => cache.getOrSet("a", () => 1),
      set: () => cache.set("b", 1),
      "set again, before the next try": () => cache.set("c", 1),
      drop: () => cache.drop("a"),
    };
    for (const [name, call] of Object.entries(calls)) {
      expect((await errorOf(call())).message, name).toMatch(/broken|not asked for now/);
    }
    lower.fault = WORKS;
    await pass(clock, 10_000);
    await cache.set("b", 2);
    expect(await cache.get("b")).toBe(2);
  });

  it("blames no change for the failure of another call", async () => {
    const clock = openTiered().clock;
    const lower = new ChaosTier(memoryTier({ clock, name: "below" }));
    const reads = Promise.withResolvers<void>();
    lower.getMany = async () => {
      await reads.promise;
      throw new Error("the read is broken");
    };
    const cache = createCache({ clock, strict: true, tiers: [memoryTier({ clock }), lower] });
    const read = errorOf(cache.get("a"));

    const change = cache.set("b", 1);
    reads.resolve();

    await change;
    expect((await read).message).toBe("the read is broken");
    await cache.close();
  });
});
