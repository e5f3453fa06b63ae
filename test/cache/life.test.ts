import { describe, expect, it } from "vitest";
import { createCache } from "../../src/cache/cache.ts";
import type { LifeOptions } from "../../src/cache/life.ts";
import { entryIn, errorOf, openMemory, openTiered } from "./support.ts";

const FOREVER = Number.POSITIVE_INFINITY;
const DAY_MS = 86_400_000;
const down = (): never => {
  throw new Error("down");
};

/** Numbers for chance, the same in every run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return state / 2 ** 32;
  };
}

describe("a time to live", () => {
  it("is five minutes by default", async () => {
    const { cache, clock } = openTiered();
    await cache.set("a", 1);

    clock.advance(299_999);
    expect(await cache.get("a")).toBe(1);
    clock.advance(1);

    expect(cache.peek("a")).toBeUndefined();
    expect(await cache.get("a")).toBeUndefined();
    expect(await cache.has("a")).toBe(false);
    expect(await cache.getOrSet("a", () => 2)).toBe(2);
  });

  it("is that of the call, else of the category, else of the cache", async () => {
    const { cache, clock } = openTiered({
      defaults: { ttl: "1h" },
      categories: { short: { ttl: "1m" } },
    });
    const short = cache.category("short");
    await cache.set("hour", 1);
    await short.set("minute", 1);
    await short.set("second", 1, { ttl: "1s" });

    clock.advance(1_000);
    expect(await short.getMany(["minute", "second"])).toEqual([1, undefined]);
    clock.advance(59_000);
    expect(await short.get("minute")).toBeUndefined();
    expect(await cache.get("hour")).toBe(1);
    clock.advance(3_540_000);
    expect(await cache.get("hour")).toBeUndefined();
  });

  it("for ever ends never", async () => {
    const { cache, clock, memory } = openTiered();
    await cache.set("a", 1, { ttl: FOREVER });
    await cache.set("slides", 1, { ttl: FOREVER, sliding: true });

    clock.advance(100 * 365 * DAY_MS);
    await memory.sweep();
    for (let where = 0; where < 2; where++) {
      expect(await cache.getMany(["a", "slides"])).toEqual([1, 1]);
      expect(cache.peek("slides")).toBe(1);
      await memory.sweep();
      await memory.clear();
    }
  });

  it("of zero keeps nothing, and drops what there was", async () => {
    const { cache, stored } = openTiered();
    await cache.set("a", 1);

    await cache.set("a", 2, { ttl: 0 });
    expect(await cache.get("a")).toBeUndefined();
    expect(await entryIn(stored, "a")).toBeUndefined();
    let loads = 0;
    for (let read = 0; read < 3; read++) {
      expect(await cache.getOrSet("b", () => ++loads, { ttl: 0 })).toBe(loads);
    }
    expect(loads).toBe(3);
  });

  it("that the load gives counts before all others", async () => {
    const { cache, clock, memory } = openTiered({ defaults: { tierTtl: { below: "1h" } } });
    await cache.getOrSet("a", ({ ttl }) => {
      ttl("1s");
      return 1;
    });

    clock.advance(999);
    expect(await cache.get("a")).toBe(1);
    clock.advance(1);
    await memory.clear();
    expect(await cache.get("a")).toBeUndefined();
  });

  it("that the load gives holds within that of a tier, and that of the call in all", async () => {
    const { cache } = openTiered({
      categories: { a: { ttl: "100s", tierTtl: { memory: "10s" } } },
    });
    const category = cache.category("a");
    await category.getOrSet("longer", ({ ttl }) => {
      ttl("70s");
      return 1;
    });
    await category.getOrSet("shorter", ({ ttl }) => {
      ttl("5s");
      return 1;
    });
    await category.getOrSet("null", ({ negative }) => negative("70s"));
    await category.getOrSet("call", () => 1, { ttl: "70s" });
    await category.set("set", 1, { ttl: "70s" });

    const lives = async (key: string): Promise<unknown> =>
      (await category.explain(key)).tiers.map(({ freshForMs }) => freshForMs);

    expect(await lives("longer")).toEqual([10_000, 70_000]);
    expect(await lives("shorter")).toEqual([5_000, 5_000]);
    expect(await lives("null")).toEqual([10_000, 70_000]);
    expect(await lives("call")).toEqual([70_000, 70_000]);
    expect(await lives("set")).toEqual([70_000, 70_000]);
  });

  it("is refused when it is none, before anything happens", async () => {
    const { cache, lower } = openTiered();
    for (const ttl of ["soon", -1, Number.NaN, {}, null] as never[]) {
      expect((await errorOf(cache.set("a", 1, { ttl }))).message).toMatch(
        /ttl: .* is not a duration/,
      );
      const read = cache.getOrSet("a", () => 1, { ttl });
      expect((await errorOf(read)).code).toBe("INVALID_ARGUMENT");
    }
    const inLoad = cache.getOrSet("a", ({ ttl }) => ttl("soon") as never);
    expect((await errorOf(inLoad)).message).toMatch(/ttl: "soon"/);
    expect(lower.calls["setMany"]).toBeUndefined();
  });

  it.each<[keyof LifeOptions, unknown]>([
    ["jitter", 1.1],
    ["jitter", -0.1],
    ["jitter", "10%"],
    ["refreshAhead", 80],
    ["earlyRefresh", -1],
    ["earlyRefresh", FOREVER],
    ["sliding", "yes"],
    ["keepStale", "long"],
    ["negativeTtl", -5],
    ["softTimeout", "x"],
    ["hardTimeout", -1],
    ["retryAfter", ""],
    ["staleWhileRevalidate", true],
    ["tierTtl", { memory: "x" }],
  ])("and %s of %s is refused, naming the option", async (name, value) => {
    const { cache, clock } = openTiered();
    const options = { [name]: value } as LifeOptions;

    const errors = [
      await errorOf(cache.set("a", 1, options)),
      await errorOf((async () => createCache({ clock, defaults: options }))()),
      await errorOf((async () => createCache({ clock, categories: { a: options } }))()),
    ];

    for (const error of errors) {
      expect(error.code).toBe("INVALID_ARGUMENT");
      expect(error.message).toContain(name);
    }
  });
});

describe("null", () => {
  it("has a time to live of its own", async () => {
    const { cache, clock } = openTiered({ defaults: { ttl: "1h", negativeTtl: "10s" } });
    await cache.set("null", null);
    await cache.set("zero", 0);
    expect(await cache.getOrSet("loaded", () => null)).toBeNull();
    expect(await cache.getOrSet("said", ({ negative }) => negative("1m"))).toBeNull();

    clock.advance(9_999);
    expect(await cache.getMany(["null", "loaded"])).toEqual([null, null]);
    clock.advance(1);
    expect(await cache.getMany(["null", "loaded", "said", "zero"])).toEqual([
      undefined,
      undefined,
      null,
      0,
    ]);
    clock.advance(50_000);
    expect(await cache.get("said")).toBeUndefined();
  });

  it("has the ttl of the call before the negativeTtl of its category", async () => {
    const { cache } = openTiered({ defaults: { negativeTtl: "20ms" } });
    await cache.set("set", null, { ttl: "1h" });
    await cache.getOrSet("loaded", () => null, { ttl: "1h" });
    await cache.set("own", null, { ttl: "1h", negativeTtl: "1m" });
    await cache.set("tagged", null, { keepStale: "1h" });

    const lives = await Promise.all(
      ["set", "loaded", "own", "tagged"].map((key) => cache.freshForMs(key)),
    );

    expect(lives).toEqual([3_600_000, 3_600_000, 60_000, 20]);
  });

  it("is not kept when that is zero", async () => {
    const { cache } = openTiered({ defaults: { negativeTtl: 0 } });
    let loads = 0;
    const load = (): null => {
      loads++;
      return null;
    };

    expect(await cache.getOrSet("a", load)).toBeNull();
    expect(await cache.getOrSet("a", load)).toBeNull();
    expect(loads).toBe(2);
  });

  it("lives no longer in a tier of its own ttl", async () => {
    const { cache, clock, memory } = openTiered({
      defaults: { negativeTtl: "10s", tierTtl: { below: "1h" } },
    });
    await cache.set("a", null);

    clock.advance(10_000);
    await memory.clear();

    expect(await cache.lookup("a")).toMatchObject({ hit: false });
  });
});

describe("a sliding life", () => {
  it("begins again with each hit, and ends without one", async () => {
    const { cache, clock } = openMemory();
    const hits = [
      () => cache.get("a"),
      () => cache.peek("a"),
      () => cache.get(["a"]),
      () => cache.getOrSet("a", () => 2),
      async () => (await cache.lookup("a")).value,
    ];
    await cache.set("a", 1, { ttl: 1_000, sliding: true });

    for (const hit of hits) {
      clock.advance(999);
      expect(await hit(), String(hit)).toBe(1);
    }
    clock.advance(999);
    expect(await cache.has("a")).toBe(true);
    clock.advance(1);

    expect(await cache.get("a")).toBeUndefined();
  });

  it("goes on in the tiers below while memory has the hits, with a read in each half of it", async () => {
    const { cache, clock, lower, memory } = openTiered();
    await cache.set("a", 1, { ttl: 1_000, sliding: true });

    for (let hit = 0; hit < 40; hit++) {
      clock.advance(100);
      expect(await cache.get("a")).toBe(1);
    }
    const reads = lower.calls["getMany"];
    await memory.clear();

    expect(await cache.get("a")).toBe(1);
    expect(reads).toBe(8);
  });

  it("goes on in a tier below in which it is much shorter than in memory", async () => {
    const { cache, clock, lower, memory } = openTiered();
    const life = { ttl: 10_000, tierTtl: { [lower.name]: 1_000 }, sliding: true };
    await cache.set("a", 1, life);

    for (let hit = 0; hit < 40; hit++) {
      clock.advance(400);
      expect(await cache.get("a")).toBe(1);
    }
    const reads = lower.calls["getMany"];
    await memory.clear();

    expect(await cache.get("a", life)).toBe(1);
    expect(reads).toBe(20);
    for (let hit = 0; hit < 4; hit++) {
      clock.advance(400);
      expect(await cache.get("a", life)).toBe(1);
    }
    await memory.clear();
    expect(await cache.get("a")).toBe(1);
  });

  it("goes on in the tiers below when its first life was made shorter", async () => {
    const { cache, clock, memory } = openTiered({ random: () => 0.999 });
    await cache.set("a", 1, { ttl: 1_000, jitter: 0.8, sliding: true });

    for (let hit = 0; hit < 4; hit++) {
      clock.advance(150);
      expect(await cache.get("a")).toBe(1);
    }
    await memory.clear();

    expect(await cache.get("a")).toBe(1);
  });

  it("slides in the tiers below, too", async () => {
    const { cache, clock, memory } = openTiered();
    await cache.set("a", 1, { ttl: 1_000, sliding: true });

    for (let hit = 0; hit < 5; hit++) {
      await memory.clear();
      clock.advance(900);
      expect(await cache.get("a")).toBe(1);
    }
  });
});

describe("jitter", () => {
  it("shortens a life by up to its part, by chance, and in all tiers alike", async () => {
    const { cache, clock, stored, memory } = openTiered({ random: seeded(7) });
    const lives: number[] = [];
    for (let index = 0; index < 500; index++) {
      await cache.set(["k", index], 1, { ttl: 1_000, jitter: 0.2, keepStale: "1h" });
      const entry = await entryIn(stored, `k:${index}`);
      lives.push((entry?.freshUntilMs ?? 0) - clock.nowMs());
      const [inMemory] = await memory.getMany([`cache/1/default/k:${index}`]);
      expect(inMemory?.freshUntilMs).toBeCloseTo(entry?.freshUntilMs ?? 0, 6);
    }

    expect(Math.min(...lives)).toBeGreaterThanOrEqual(800);
    expect(Math.min(...lives)).toBeLessThan(820);
    expect(Math.max(...lives)).toBeLessThanOrEqual(1_000);
    expect(Math.max(...lives)).toBeGreaterThan(980);
  });

  it("leaves a life for ever as it is", async () => {
    const { cache, clock } = openTiered();
    await cache.set("a", 1, { ttl: FOREVER, jitter: 1 });

    clock.advance(1_000 * DAY_MS);

    expect(await cache.get("a")).toBe(1);
  });

  it("is not used when something stale is given another chance", async () => {
    const { cache, clock } = openTiered({ random: () => 0.999 });
    const life = { ttl: 1_000, jitter: 1, keepStale: "1h", retryAfter: 500 } as const;
    await cache.set("a", 1, life);
    clock.advance(1_000);
    await cache.resolve("a", down, life);

    clock.advance(499);

    expect(await cache.get("a")).toBe(1);
  });
});
