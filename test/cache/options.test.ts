import { describe, expect, it } from "vitest";
import { createCache } from "../../src/cache/cache.ts";
import type { CacheOptions } from "../../src/cache/options.ts";
import { cachePresets } from "../../src/cache/presets.ts";
import { ChaosTier } from "../../src/testing/chaos-tier.ts";
import { FakeClock } from "../../src/testing/fake-clock.ts";
import { hasOf } from "../../src/testing/tier/context.ts";
import { memoryTier } from "../../src/tier/memory/memory-tier.ts";
import { open } from "./journal-support.ts";
import { errorOf, openMemory, openTiered } from "./support.ts";

const clock = new FakeClock();
const named = (name: string): ChaosTier => new ChaosTier(memoryTier({ clock, name }));
const load = (): number => 1;
const save = async (): Promise<void> => undefined;
const category = (options: unknown): CacheOptions => ({ categories: { mine: options as object } });

describe("options that cannot work", () => {
  it.each<[string, unknown, RegExp]>([
    ["a misspelt one", { tier: [] }, /unknown option "tier".*Did you mean "tiers"/],
    ["no object", "fast", /takes an object/],
    ["no tiers", { tiers: [] }, /at least one tier/],
    ["two tiers of a name", { tiers: [named("a"), named("a")] }, /two tiers have the name "a"/],
    ["memory below", { tiers: [named("a"), memoryTier({ clock })] }, /comes first/],
    ["a bad namespace", { namespace: "a/b" }, /namespace: "a\/b"/],
    ["an empty version", { version: "" }, /version: ""/],
    ["no failures", { tierFailures: 0 }, /tierFailures: 0/],
    ["a bad timeout", { tierTimeout: "soon" }, /tierTimeout: "soon"/],
    ["a bad pause", { tierPause: -1 }, /tierPause: -1/],
    ["a misspelt default", { defaults: { tll: 1 } }, /unknown option "tll".*Did you mean "ttl"/],
    ["a bad name of a category", { categories: { "a b": {} } }, /category: "a b"/],
    ["a misspelt option of a category", category({ tag: ["a"] }), /category "mine".*"tags"/],
    ["a bad size", category({ maxBytes: "1 huge" }), /maxBytes/],
    ["no entries", category({ maxEntries: 0 }), /maxEntries: 0/],
    ["another policy", category({ policy: "random" }), /policy|random/],
    ["another compression", category({ compression: "gzip" }), /compression: "gzip"/],
    ["other values", category({ values: "mutable" }), /"frozen" or "shared"/],
    ["an unknown tier", category({ tiers: ["disk"] }), /"mine".*"disk".*It has: memory/],
    ["an unknown strategy", category({ strategy: "magic" }), /"magic" is unknown. Known: none, /],
    ["a number as strategy", category({ strategy: 5 }), /"5" is unknown/],
    ["read-through without load", category({ strategy: "read-through" }), /needs load/],
    ["refresh-ahead without load", category({ strategy: "refresh-ahead" }), /needs load/],
    ["write-through without save", category({ strategy: "write-through" }), /needs save/],
    ["write-behind without save", category({ strategy: "write-behind" }), /needs save/],
    ["save that nobody calls", category({ save }), /save is not used/],
    ["load that nobody calls", category({ load }), /load needs strategy/],
    ["a name twice", { categories: { a: { aliases: ["b"] }, b: {} } }, /Two categories.*"b"/],
    ["an alias of itself", { categories: { a: { aliases: ["a"] } } }, /Two categories.*"a"/],
  ])("are refused: %s", async (_, options, message) => {
    const error = await errorOf((async () => createCache(options as CacheOptions))());

    expect(error.code).toBe("INVALID_ARGUMENT");
    expect(error.message).toMatch(message);
  });

  it("are refused by every call that takes some, with a hint", async () => {
    const { cache } = openTiered();
    const bad = { tll: 5 } as object;
    const calls = [
      () => cache.get("a", bad),
      () => cache.lookup("a", bad),
      () => cache.getMany(["a"], bad),
      () => cache.getOrSet("a", load, bad),
      () => cache.getOrSetMany(["a"], () => [1], bad),
      () => cache.set("a", 1, bad),
      () => cache.setMany([["a", 1]], bad),
      async () => cache.refreshAhead("a", load, bad),
      () => cache.warm(["a"], () => [1], bad),
      () => cache.warm([], () => [1], bad),
    ];

    for (const call of calls) {
      const { message } = await errorOf(call());
      expect(message, String(call)).toMatch(/unknown option "tll". Did you mean "ttl"\?/);
    }
  });

  it.each<[string, () => unknown, RegExp]>([
    [
      "warm",
      () => createCache().warm([], () => [], { batchsize: 1 } as object),
      /^warm: unknown option "batchsize". Did you mean "batchSize"\?.* concurrency, onProgress/,
    ],
    [
      "refreshAhead",
      () => createCache().refreshAhead("a", load, { refreshbefore: 1 } as object),
      /^refreshAhead: unknown option "refreshbefore". Did you mean "refreshBefore"\?/,
    ],
    [
      "refreshAhead, which always refreshes",
      () => createCache().refreshAhead("a", load, { refresh: true } as object),
      /^refreshAhead: unknown option "refresh"/,
    ],
  ])("are named by a call that has some of its own: %s", async (_, call, message) => {
    expect((await errorOf((async () => await call())())).message).toMatch(message);
  });

  it.each<[string, unknown, string]>([
    ["maxBytes", "1XB", 'category "b": maxBytes: "1XB" is not a size.'],
    ["maxEntries", 0, 'category "b": maxEntries: 0 is not'],
    ["policy", "random", 'category "b": policy: "random" is unknown.'],
    ["compression", "gzip", 'category "b": compression: "gzip" is refused.'],
    ["values", "mutable", 'category "b": values: "mutable" is refused.'],
    ["ttl", "soon", 'category "b": ttl: "soon"'],
    ["negativeTtl", "soon", 'category "b": negativeTtl: "soon"'],
    ["tierTtl", { memory: "soon" }, 'category "b": tierTtl.memory: "soon"'],
    ["tierTtl", "5m", 'category "b": tierTtl must be'],
    ["sliding", 1, 'category "b": sliding: 1 is refused.'],
    ["jitter", 2, 'category "b": jitter: 2 is refused.'],
    ["refreshAhead", 2, 'category "b": refreshAhead: 2 is refused.'],
    ["earlyRefresh", -1, 'category "b": earlyRefresh: -1 is refused.'],
    ["strategy", "magic", 'Category "b": strategy "magic"'],
    ["load", 5, 'category "b": load must be'],
    ["tags", "x", 'category "b": tags must be'],
  ])("are told with the category that has them: %s", async (name, value, begin) => {
    const categories = { a: {}, b: { [name]: value } };

    const error = await errorOf((async () => createCache({ categories }))());

    expect(error.code).toBe("INVALID_ARGUMENT");
    expect(error.message.slice(0, begin.length)).toBe(begin);
  });

  it("are told as those of the defaults, where they are", async () => {
    const make = async (): Promise<unknown> => createCache({ defaults: { ttl: "soon" } });

    expect((await errorOf(make())).message).toMatch(/^defaults: ttl: "soon"/);
  });

  it("are refused where a read is to load anew and there is no load", async () => {
    const { cache } = openTiered({ categories: { read: { strategy: "read-through", load } } });
    const { mine: behind } = open();
    const refresh = { refresh: true };
    await cache.set("a", 0);

    for (const one of [cache, behind]) {
      for (const call of [
        () => one.get("a", refresh),
        () => one.lookup("a", refresh),
        () => one.getMany(["a"], refresh),
      ]) {
        const error = await errorOf(call());
        expect(error.code).toBe("INVALID_ARGUMENT");
        expect(error.message).toMatch(/getOrSet\(key, load, { refresh: true }\)/);
      }
    }
    expect(await cache.category("read").get("a", refresh)).toBe(1);
    expect(await cache.getOrSet("a", load, refresh)).toBe(1);
  });

  it("are refused for shared values that would have to leave memory", async () => {
    const tiers = [memoryTier({ clock }), named("below")];
    const make = async (): Promise<unknown> =>
      createCache({ clock, tiers, categories: { live: { values: "shared" } } });

    expect((await errorOf(make())).message).toMatch(/"live".*only memory can keep/);
    createCache({ clock, tiers, categories: { live: { values: "shared", tiers: ["memory"] } } });
  });
});

describe("a category", () => {
  it("is known by its name and its aliases, and an unknown one names the known", async () => {
    const { cache } = openTiered({
      categories: { default: { aliases: ["main"] }, weeks: { aliases: ["week_data"] } },
    });

    expect(cache.category("week_data")).toBe(cache.category("weeks"));
    expect(cache.category("default")).toBe(cache);
    expect(cache.category("main")).toBe(cache);
    expect(cache.categories).toEqual(["default", "weeks"]);
    const error = await errorOf((async () => cache.category("week"))());
    expect(error).toMatchObject({ code: "INVALID_ARGUMENT" });
    expect(error.message).toBe('Unknown cache category: "week". Known: default, weeks.');
    for (const name of ["constructor", "__proto__", ""]) {
      expect((await errorOf((async () => cache.category(name))())).message).toMatch(/Unknown/);
    }
  });

  it("has keys and changes of its own", async () => {
    const { cache } = openTiered({ categories: { a: {}, b: {} } });
    const [a, b] = [cache.category("a"), cache.category("b")];
    await a.set("k", 1);
    await b.set("k", 2);

    await a.clear();
    await a.dropPrefix("k");
    await a.drop("k");

    expect(await a.get("k")).toBeUndefined();
    expect(await b.get("k")).toBe(2);
  });

  it("uses the tiers that it names", async () => {
    const { cache, lower, stored } = openTiered({
      categories: { above: { tiers: ["memory"] }, under: { tiers: ["below"] } },
    });
    const [above, under] = [cache.category("above"), cache.category("under")];

    await above.set("k", 1);
    expect(lower.calls).toEqual({});
    expect(above.peek("k")).toBe(1);
    await under.set("k", 2);
    expect(under.peek("k")).toBeUndefined();
    expect(await under.lookup("k")).toMatchObject({ value: 2, source: "below" });
    expect(await hasOf(stored, ["cache/1/above/k", "cache/1/under/k"])).toEqual([false, true]);
  });

  it("has a room of its own where it says so, and no other leaves for it", async () => {
    const { cache } = openTiered({ categories: { small: { maxEntries: 3, tiers: ["memory"] } } });
    const small = cache.category("small");
    for (let index = 0; index < 10; index++) {
      await cache.set(["k", index], index);
      await small.set(["k", index], index);
    }

    expect(small.statistics()).toMatchObject({ memoryEntries: 3, memoryEvictions: 7 });
    expect(cache.statistics()).toMatchObject({ memoryEntries: 10, memoryEvictions: 0 });
  });

  it("holds its budget in bytes", async () => {
    const { cache } = openTiered({
      categories: { small: { maxBytes: "100KB", tiers: ["memory"] } },
    });
    const small = cache.category("small");
    for (let index = 0; index < 100; index++) await small.set(["k", index], "x".repeat(5_000));

    const { memoryEntries } = small.statistics();
    expect(memoryEntries).toBeGreaterThan(15);
    expect(memoryEntries).toBeLessThan(20);
  });

  it("keeps one value that takes all of its budget, and none that takes more", async () => {
    const { cache } = openMemory({ categories: { small: { maxBytes: "100KB" } } });
    const small = cache.category("small");

    await small.set("large", "x".repeat(99_000));
    expect(small.peek("large")).toHaveLength(99_000);
    await small.set("too large", "x".repeat(103_000));
    expect(small.peek("too large")).toBeUndefined();
  });

  it.each([
    ["entries", { maxEntries: 100 }],
    ["bytes", { maxBytes: "1MB" }],
  ] as const)("has no more %s than the tier lets all categories have", async (what, limits) => {
    const memory = memoryTier({ clock, ...limits });
    const own = { a: { policy: "lru" }, b: { maxBytes: "50MB" }, c: { maxEntries: 90 } } as const;
    await using cache = createCache({ clock, tiers: [memory], categories: own });

    for (const name of cache.categories) {
      for (let index = 0; index < 200; index++) {
        await cache.category(name).set(["k", index], "x".repeat(what === "bytes" ? 20_000 : 1));
      }
    }

    const { entries, bytes } = memory.statistics();
    expect(what === "bytes" ? bytes / 2 ** 20 : entries / 100).toBeLessThanOrEqual(1);
    expect(what === "bytes" ? bytes / 2 ** 20 : entries / 100).toBeGreaterThan(0.9);
    for (const name of cache.categories) {
      expect(cache.category(name).statistics().memoryEntries).toBeGreaterThan(10);
    }
  });

  it("has no limit of entries that it could never reach", () => {
    const tiers = [memoryTier({ clock, maxEntries: 100 })];
    expect(() => createCache({ clock, tiers, categories: { c: { maxEntries: 101 } } })).toThrow(
      'Category "c": maxEntries: 101 is more than the 100 of the tier "memory", which hold for ' +
        "all categories together. Give the tier more: memoryTier({ maxEntries }).",
    );
    createCache({
      clock,
      tiers: [memoryTier({ clock })],
      categories: { c: { maxEntries: 1_000 } },
    });
  });

  it("tells the tiers below of its budget", () => {
    const lower = named("below");
    const quotas: unknown[] = [];
    Object.assign(lower, { setQuotas: (given: unknown) => quotas.push(given) });

    createCache({
      clock,
      tiers: [memoryTier({ clock }), lower],
      categories: { a: { maxBytes: "1MB" }, b: {}, c: { maxBytes: "unlimited" } },
    });

    expect(quotas).toEqual([{ a: 1_048_576 }]);
  });
});

describe("the presets", () => {
  const tiers = () => [memoryTier({ clock }), named("sqlite"), named("file")];

  it.each(Object.entries(cachePresets))("of %s make a cache", async (_, categories) => {
    const cache = createCache({ clock, tiers: tiers(), categories });

    for (const name of Object.keys(categories)) {
      await cache.category(name).set("k", name);
      expect(await cache.category(name).get("k")).toBe(name);
    }
    expect(cache.categories).toEqual(["default", ...Object.keys(categories)]);
    await cache.close();
  });

  it("keep values of any size that their budgets have room for", async () => {
    await using cache = createCache({ clock, tiers: tiers(), categories: cachePresets.auditor });

    for (const [name, size] of [
      ["user_preferences", 20_000],
      ["ui_state", 150_000],
      ["current_week", 60_000],
    ] as const) {
      await cache.category(name).set("k", "x".repeat(size));
      expect(cache.category(name).peek("k")).toHaveLength(size);
    }
  });

  it("keep within the bytes of the memory tier", async () => {
    const memory = memoryTier({ clock, maxBytes: "10MB" });
    await using cache = createCache({ clock, tiers: [memory], categories: cachePresets.service });

    for (const name of cache.categories) {
      for (let index = 0; index < 100; index++) {
        await cache.category(name).set(["k", index], "x".repeat(100_000));
      }
    }

    expect(memory.statistics().bytes).toBeLessThanOrEqual(10 * 2 ** 20);
  });

  it("are the tables of the systems that they come from", () => {
    const table = (
      preset: Record<string, { ttl?: unknown; maxEntries?: number; maxBytes?: unknown }>,
    ) =>
      Object.entries(preset).map(([name, { ttl, maxEntries, maxBytes }]) =>
        [name, ttl, maxEntries ?? maxBytes].join(" "),
      );

    expect(table(cachePresets.service)).toEqual([
      "global_settings 1h 100",
      "week_data 30m 500",
      "task_aggregations 5m 200",
      "user_preferences 2h 50",
      "analytics_results 10m 100",
    ]);
    expect(table(cachePresets.auditor)).toEqual([
      "ui_state 300s 1MB",
      "user_preferences 1h 100KB",
      "current_week 30m 500KB",
      "week_data 2h unlimited",
      "task_lists 1h unlimited",
      "aggregated_stats 30m unlimited",
      "analytics_results 24h 100MB",
      "chart_data 1h 50MB",
      "export_data 30m 20MB",
    ]);
  });

  it("say where each kind is kept, how it is compressed, and what it is for", () => {
    const rules = Object.entries(cachePresets.auditor).map(
      ([name, { tiers = [], compression = "-", description }]) =>
        `${name}: ${tiers.join("+")}, ${compression}, ${description}`,
    );

    expect(rules).toEqual([
      "ui_state: memory, -, Window positions, UI preferences, current selections",
      "user_preferences: memory, -, User settings, theme preferences",
      "current_week: memory, -, Currently selected week data",
      "week_data: memory+sqlite, -, Week information, task lists, aggregated data",
      "task_lists: memory+sqlite, -, Task queries, filtered lists",
      "aggregated_stats: memory+sqlite, -, Calculated statistics, bonus calculations",
      "analytics_results: memory+file, lz4, Statistical analysis results, ML models",
      "chart_data: memory+file, lz4, Chart datasets, visualization data",
      "export_data: memory+file, zstd, CSV/Excel export data",
    ]);
  });

  it("know the names that one system had for what the other calls differently", () => {
    const cache = createCache({ clock, tiers: tiers(), categories: cachePresets.auditor });

    expect(cache.category("task_aggregations").name).toBe("aggregated_stats");
    expect(cache.category("global_settings").name).toBe("user_preferences");
  });
});
