import { describe, expect, it } from "vitest";
import { cacheManager } from "../../src/cache/adapters/cache-manager.ts";
import { keyvStore } from "../../src/cache/adapters/keyv.ts";
import { type Cache, createCache } from "../../src/cache/cache.ts";
import { cached } from "../../src/cache/cached.ts";
import { session } from "../../src/cache/session.ts";
import { withCacheFallback } from "../../src/resilience/fallback.ts";
import { guard } from "../../src/resilience/guard.ts";
import { rateLimited } from "../../src/resilience/rate-limited.ts";
import { fileTier } from "../../src/tier/file/file-tier.ts";
import { memoryTier } from "../../src/tier/memory/memory-tier.ts";
import { nullTier } from "../../src/tier/null-tier.ts";
import { sqliteTier } from "../../src/tier/sqlite/sqlite-tier.ts";
import type { TierStatistics } from "../../src/tier/tier.ts";
import { errorOf, openMemory, openTiered } from "./support.ts";

/** Stands for what JavaScript passes although the types forbid it. */
type Careless = never;
const careless = (value: unknown): Careless => value as Careless;
const load = (): number => 1;
const load0 = (): number[] => [];

async function expectRefusal(call: () => unknown, words: string): Promise<void> {
  const error = await errorOf((async () => await call())());

  expect(error.code).toBe("INVALID_ARGUMENT");
  expect(error.message).toContain(words);
}

describe("a cache is not made", () => {
  const category = (options: object): object => ({ categories: { mine: options } });

  it.each<[string, object, string]>([
    ["of a tier that is none", { tiers: [{ name: "x" }] }, "tiers.0 must be a tier"],
    ["of a function that makes one", { tiers: [memoryTier] }, "tiers.0 must be a tier, not func"],
    [
      "of a tier that cannot be looked into",
      { tiers: [Object.assign(nullTier(), { lookMany: undefined })] },
      "tiers.0 must be a tier; what was given has no method lookMany",
    ],
    [
      "of a tier that cannot expire",
      { tiers: [Object.assign(nullTier(), { expireMany: undefined })] },
      "tiers.0 must be a tier; what was given has no method expireMany",
    ],
    [
      "of a tier whose leases cannot be renewed",
      {
        tiers: [Object.assign(nullTier(), { leases: { acquireLease: load, releaseLease: load } })],
      },
      "tiers.0.leases must be a host of leases; what was given has no method renewLease",
    ],
    ["of a tier in no list", { tiers: memoryTier() }, "tiers must be a list, not object"],
    ["of null as a tier", { tiers: [null] }, "tiers.0 must be a tier, not null"],
    ["with a number as namespace", { namespace: 5 }, "namespace: 5"],
    ["with a number as version", { version: 2 }, "version: 2"],
    ["with a text for strict", { strict: "yes" }, "strict must be true or false, not string"],
    ["with a text for warmStart", { warmStart: "x" }, "warmStart must be true or false"],
    ["with warmStart of memory alone", { warmStart: true }, "from a tier below"],
    ["with a number as journal", { journal: 5 }, "journal must be a text, not number"],
    ["with a journal without a name", { journal: "" }, 'journal: ""'],
    ["with no time for tiers", { tierTimeout: 0 }, "tierTimeout: 0"],
    ["with null as tierTimeout", { tierTimeout: null }, "tierTimeout: null"],
    ["with null as tierPause", { tierPause: null }, "tierPause: null"],
    ["with null as tiers", { tiers: null }, "tiers must be a list, not null"],
    ["with a list as defaults", { defaults: [] }, "defaults must be an object of options"],
    ["with null as policy", category({ policy: null }), "policy: null is unknown"],
    ["with null as strategy", category({ strategy: null }), '"null" is unknown'],
    ["with a number as clock", { clock: 5 }, "clock must be a clock, not number"],
    ["with half a clock", { clock: { nowMs: load } }, "no method monotonicMs"],
    ["with a number as random", { random: 5 }, "random must be a function, not number"],
    ["with a list of categories", { categories: [{}] }, "categories must be an object"],
    ["with null as a category", { categories: { a: null } }, 'category "a" takes an object'],
    ["with a text as aliases", category({ aliases: "xy" }), "aliases must be a list, not string"],
    ["with a number as alias", category({ aliases: [5] }), "aliases.0 must be a text"],
    ["with a text as tags", category({ tags: "b" }), '"mine": tags must be a list, not string'],
    ["with a category of no tier", category({ tiers: [] }), '"mine": tiers: [] is refused'],
    ["with a number as tierTtl", category({ tierTtl: 5 }), "tierTtl must be an object of lives"],
    ["with a text as maxEntries", category({ maxEntries: "5" }), 'maxEntries: "5"'],
    ["with null as maxBytes", category({ maxBytes: null }), "maxBytes: null"],
    ["with a number as lease", category({ lease: 5 }), "lease must be true or false"],
    ["with a number as description", category({ description: 5 }), "description must be a text"],
    ["with a number as load", category({ strategy: "read-through", load: 5 }), "load must be a f"],
    ["with a number as save", category({ strategy: "write-through", save: 5 }), "save must be a f"],
  ])("%s", async (_, options, words) => {
    await expectRefusal(() => createCache(options), words);
  });
});

describe("what is built on a cache says what it misses", () => {
  const none = careless(undefined);

  it.each<[string, (cache: Cache) => unknown, string]>([
    ["a memory tier", () => memoryTier({ maxBytes: careless(null) }), "maxBytes: null"],
    ["a memory tier's name", () => memoryTier({ name: careless(5) }), "memoryTier: name must be a"],
    [
      "a memory tier's clock",
      () => memoryTier({ clock: careless(5) }),
      "memoryTier: clock must be",
    ],
    [
      "its random",
      () => memoryTier({ random: careless(5) }),
      "memoryTier: random must be a functi",
    ],
    [
      "a SQLite tier's clock",
      () => sqliteTier({ clock: careless({}) }),
      "sqliteTier: clock must b",
    ],
    ["a file tier's clock", () => fileTier({ clock: careless(null) }), "fileTier: clock must be"],
    ["a null tier", () => nullTier(careless({ nam: "x" })), "name must be a text, not object"],
    ["a SQLite tier", () => sqliteTier({ path: ":memory:" }), "memoryTier"],
    ["a session", () => session(none, "a", {}), "session: category must be a category of a cache"],
    ["a session's name", (cache) => session(cache, none, {}), "session: name must be a text"],
    ["Keyv", () => keyvStore(none), "keyvStore: category must be a category of a cache"],
    ["cache-manager", () => cacheManager(none), "cacheManager: category must be a category of"],
    ["a fallback", () => withCacheFallback(none, guard()), "withCacheFallback: category must be"],
    ["a fallback's guard", (cache) => withCacheFallback(cache, none), "guard must be a guard"],
    [
      "a fallback's call",
      (cache) => withCacheFallback(cache, guard())("a", none),
      "run must be a function, not undefined",
    ],
    ["a limit", () => rateLimited(none, { points: 1, per: "1s" }), "rateLimited: category must"],
    ["a limiter", (cache) => rateLimited(careless(cache), none), "rateLimited limiter takes an"],
    ["a category of a function", () => cached(careless("x"), load), "cached: category must be"],
    ["a cached function", (cache) => cached(cache, careless(5)), "cached: run must be a function"],
    [
      "a cached function's name",
      (cache) => cached(cache, load, { name: careless(5) }),
      "cached: name must be a text, not number",
    ],
    [
      "a cached function's key",
      (cache) => cached(cache, load, { key: careless("a") }),
      "cached: key must be a function, not string",
    ],
    [
      "a cached function's tags",
      (cache) => cached(cache, load, { tags: careless(["a"]) }),
      "cached: tags must be a function, not object",
    ],
    ["a guard", () => guard({}).execute(none), "guard.execute: run must be a function"],
  ])("%s", async (_, call, words) => {
    const { cache } = openMemory();

    await expectRefusal(() => call(cache), words);
  });
});

describe("a value that JSON does not have is shown in the refusal", () => {
  it.each<[string, (cache: Cache, value: Careless) => unknown, string]>([
    ["as a ttl", (cache, ttl) => cache.set("a", 1, { ttl }), "ttl: "],
    ["as jitter", (cache, jitter) => cache.set("a", 1, { jitter }), "jitter: "],
    ["as a size", (_, maxBytes) => memoryTier({ maxBytes }), "maxBytes: "],
    ["as a policy", (_, policy) => memoryTier({ policy }), "policy: "],
    ["as a bound of a tier", (_, maxEntries) => sqliteTier({ maxEntries }), "maxEntries: "],
    ["as a compression", (_, compression) => fileTier({ compression }), "compression: "],
    ["as a namespace", (_, namespace) => createCache({ namespace }), "namespace: "],
    ["as failures", (_, tierFailures) => createCache({ tierFailures }), "tierFailures: "],
    ["as a category", (cache, name) => cache.category(name), "category: "],
    ["as a batch size", (cache, batchSize) => cache.warm([], load0, { batchSize }), "batchSize: "],
    ["as a timeout", (_, timeout) => guard({ timeout }), "timeout: "],
  ])("%s", async (_, call, words) => {
    const { cache } = openMemory();

    await expectRefusal(() => call(cache, careless(5n)), `${words}5n`);
    await expectRefusal(() => call(cache, careless(Symbol("s"))), `${words}Symbol(s)`);
  });

  it("as jitter that is null", async () => {
    const { cache } = openMemory();

    await expectRefusal(() => cache.set("a", 1, { jitter: careless(null) }), "jitter: null");
  });
});

describe("a call is refused in its own words", () => {
  const text = careless("abc");

  it.each<[string, (cache: Cache) => unknown, string]>([
    ["getMany of a text", (cache) => cache.getMany(text), "getMany: keys must be a list"],
    ["getMany of nothing", (cache) => cache.getMany(careless(undefined)), "not undefined"],
    ["getOrSetMany of a text", (cache) => cache.getOrSetMany(text, () => []), "must be a list"],
    ["dropMany of a text", (cache) => cache.dropMany(text), "dropMany: keys must be a list"],
    ["dropTags of a text", (cache) => cache.dropTags(text), "dropTags: tags must be a list"],
    ["dropTag of a number", (cache) => cache.dropTag(careless(5)), "must be a text, not number"],
    ["warm of a text", (cache) => cache.warm(text, () => []), "warm: keys must be a list"],
    ["warm without a load", (cache) => cache.warm(["a"], careless(5)), "load must be a function"],
    [
      "warm with null",
      (cache) => cache.warm([], load0, careless(null)),
      "warm takes an object of options",
    ],
    [
      "warm with a misspelt option, without keys",
      (cache) => cache.warm([], load0, careless({ batchSiz: 5 })),
      'unknown option "batchSiz"',
    ],
    [
      "warm that tells a number",
      (cache) => cache.warm([], load0, { onProgress: careless(5) }),
      "onProgress must be a function",
    ],
    [
      "refreshAhead with null",
      (cache) => cache.refreshAhead("a", load, careless(null)),
      "refreshAhead takes an object of options, not null",
    ],
    ["tags as a text", (cache) => cache.set("a", 1, { tags: careless("x") }), "tags must be a li"],
    ["null as options", (cache) => cache.set("a", 1, careless(null)), "options, not null"],
    ["a text as refresh", (cache) => cache.get("a", { refresh: text }), "refresh must be true or"],
    [
      "null as allowStale",
      (cache) => cache.getOrSet("a", load, { allowStale: careless(null) }),
      "allowStale must be true or false, not null",
    ],
    [
      "warm with a text as refresh",
      (cache) => cache.warm(["a"], load0, { refresh: text }),
      "refresh must be true or false, not string",
    ],
    [
      "set with what only reads take",
      (cache) => cache.set("a", 1, careless({ refresh: true })),
      'unknown option "refresh"',
    ],
    ["a keyvStore for null", (cache) => keyvStore(cache, { ttl: careless(null) }), "ttl: null"],
    ["null to get", (cache) => cache.get("a", careless(null)), "options, not null"],
    ["an object to setMany", (cache) => cache.setMany(careless({ a: 1 })), "a list of pairs"],
    ["a text to setMany", (cache) => cache.setMany(text), "a list of pairs"],
    ["no pair to setMany", (cache) => cache.setMany(careless([5])), "entries.0 must be a pair"],
    ["getOrSet without a load", (cache) => cache.getOrSet("a", careless(undefined)), "load must"],
    ["getOrSet with a number", (cache) => cache.getOrSet("a", careless(5)), "load must be a fun"],
    ["resolve with a number", (cache) => cache.resolve("a", careless(5)), "load must be a fun"],
    ["refreshAhead of one", (cache) => cache.refreshAhead("a", careless(5)), "load must be a fu"],
    ["keys of a misspelt prefix", (cache) => cache.keys(careless({ prefx: "a" })).next(), "prefix"],
    ["keys of null", (cache) => cache.keys(careless(null)).next(), "options, not null"],
    ["keys of a number as tag", (cache) => cache.keys(careless({ tag: 5 })).next(), "keys: tag"],
    [
      "a function deep in a value",
      (cache) => cache.set("a", { list: [{ x: () => 1 }] }),
      "A function at list.0.x cannot be cached",
    ],
    [
      "an instance in a map",
      (cache) => cache.set("a", { week: new Map([["a", new Error("e")]]) }),
      "An instance of Error at week.0 cannot be cached",
    ],
    ["a symbol as value", (cache) => cache.set("a", Symbol("s")), "A symbol cannot be cached"],
  ])("%s", async (_, call, words) => {
    const { cache } = openMemory();

    await expectRefusal(() => call(cache), words);
  });

  it("and rejects rather than throws where a promise is promised", async () => {
    const { cache } = openMemory();

    const promise = cache.getOrSet("a", careless(5));

    await expect(promise).rejects.toThrow(/getOrSet: load/);
  });
});

describe("statistics of a cache", () => {
  it.each<[string, () => TierStatistics]>([
    [
      "throws",
      () => {
        throw new Error("no statistics");
      },
    ],
    ["gives null", () => careless(null)],
  ])("report a tier whose own call %s with noughts and one error", (_, statistics) => {
    const { cache, lower } = openTiered();
    lower.statistics = statistics;

    const report = cache.cacheStatistics().tiers[1];

    expect(report).toMatchObject({ name: "below", hits: 0, hitRate: 0, entries: 0, errors: 1 });
  });
});
