import { describe, expect, it } from "vitest";
import { warningsOf } from "../support/warnings.ts";
import { entryIn, errorOf, openTiered, pass, turns } from "./support.ts";

describe("a cache that is closed", () => {
  it("refuses everything, and closes once", async () => {
    const { cache, stored } = openTiered();
    await cache.set("a", 1);

    await Promise.all([cache.close(), cache.close()]);
    await cache.close();
    await cache[Symbol.asyncDispose]();

    const calls: (() => unknown)[] = [
      () => cache.peek("a"),
      () => cache.get("a"),
      () => cache.lookup("a"),
      () => cache.getMany(["a"]),
      () => cache.has("a"),
      () => cache.getOrSet("a", () => 1),
      () => cache.resolve("a", () => 1),
      () => cache.getOrSetMany(["a"], () => [1]),
      () => cache.set("a", 1),
      () => cache.setMany([["a", 1]]),
      () => cache.drop("a"),
      () => cache.dropMany(["a"]),
      () => cache.dropPrefix("a"),
      () => cache.dropTag("a"),
      () => cache.dropTags(["a"]),
      () => cache.expire("a"),
      () => cache.clear(),
      () => cache.flush(),
      () => cache.keys().next(),
      () => cache.warm(["a"], () => [1]),
      () => cache.refreshAhead("a", () => 1),
      () => cache.explain("a"),
    ];
    for (const call of calls) {
      expect((await errorOf((async () => await call())())).code, String(call)).toBe("CLOSED");
    }
    expect((await errorOf(stored.getMany(["a"]))).code).toBe("CLOSED");
  });

  it("ends the reads under way, and tells their loads", async () => {
    const { cache, clock } = openTiered();
    const signals: AbortSignal[] = [];
    const never = ({ signal }: { signal: AbortSignal }): Promise<never> => {
      signals.push(signal);
      return new Promise(() => undefined);
    };
    await cache.set("stale", 1, { keepStale: "1h", ttl: 1 });
    clock.advance(1);
    const reads = [
      cache.getOrSet("a", never),
      cache.get("a"),
      cache.getOrSetMany(["b", "c"], (_, { signal }) => never({ signal })),
      cache.getOrSet("d", never, { hardTimeout: Number.POSITIVE_INFINITY }),
    ];
    await turns();
    void cache.dropTag("t");
    reads.push(cache.getOrSet("a", never));
    await turns();

    const errors = Promise.all(reads.map(errorOf));
    await cache.close();

    expect((await errors).map(({ code }) => code)).toEqual(Array(5).fill("CLOSED"));
    expect(signals.map(({ aborted }) => aborted)).toEqual(Array(4).fill(true));
    await turns();
    expect(cache.statistics().inFlight).toBe(0);
  });

  it("has sent what waited", async () => {
    const { cache, stored, lower } = openTiered();
    lower.close = async () => undefined;

    void cache.set("a", 1);
    await cache.close();

    expect((await entryIn(stored, "a"))?.value).toBe(1);
  });

  it("says why what waited was lost", async () => {
    const warnings = warningsOf();
    const { cache, lower } = openTiered();
    lower.setMany = () => Promise.reject(new Error("out of paper"));

    await cache.set("a", 1);
    await cache.close();

    expect(warnings).toMatchObject([
      { code: "CACHE_CHANGES_LOST", message: expect.stringContaining("out of paper") },
    ]);
  });

  it("closes what is left when one tier fails to", async () => {
    const { cache, lower, memory } = openTiered();
    lower.close = () => Promise.reject(new Error("no"));

    await cache.close();

    expect((await errorOf(memory.getMany(["a"]))).code).toBe("CLOSED");
  });
});

describe("two caches", () => {
  it("share tiers without seeing each other", async () => {
    const { cache, memory, lower, clock } = openTiered();
    const { createCache } = await import("../../src/cache/cache.ts");
    const other = createCache({ clock, namespace: "other", tiers: [memory, lower] });
    await cache.set("a", 1, { tags: ["t"] });
    await other.set("a", 2, { tags: ["t"] });

    await cache.dropTag("t");
    await cache.clear();

    expect(await cache.get("a")).toBeUndefined();
    expect(await other.get("a")).toBe(2);
  });

  it("of two versions never read each other's shapes", async () => {
    const { memory, lower, clock } = openTiered();
    const { createCache } = await import("../../src/cache/cache.ts");
    const older = createCache({ clock, version: "1", tiers: [memory, lower] });
    await older.set("a", "old shape");
    const newer = createCache({ clock, version: "2", tiers: [memory, lower] });

    expect(await newer.get("a")).toBeUndefined();
    await newer.set("a", "new shape");
    expect(await older.get("a")).toBe("old shape");
    await pass(clock, 10, 1);
  });
});
