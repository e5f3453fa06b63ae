/** The adapter beside what Keyv 6 does over a map; `npm run test:keyv` has the suite for Keyv 5. */

import { Keyv } from "keyv";
import { describe, expect, it } from "vitest";
import { keyvStore } from "../../../src/cache/adapters/keyv.ts";
import { createCache } from "../../../src/cache/cache.ts";
import { FakeClock } from "../../../src/testing/fake-clock.ts";
import { memoryTier } from "../../../src/tier/memory/memory-tier.ts";

function cacheWithClock() {
  const clock = new FakeClock();
  return { clock, cache: createCache({ tiers: [memoryTier({ clock })], clock }) };
}

describe.each([
  ["a map", () => new Map()],
  ["a category", () => keyvStore(createCache().category("default"))],
])("Keyv 6 over %s", (_, makeStore) => {
  it("gets, sets, has and deletes, one and many", async () => {
    const keyv = new Keyv({ store: makeStore() });

    const outcome = [
      await keyv.set("a", 1),
      await keyv.setMany([
        { key: "b", value: false },
        { key: "c", value: null, ttl: 60_000 },
      ]),
      await keyv.get(["a", "b", "c", "d"]),
      await keyv.has("b"),
      await keyv.hasMany(["a", "d"]),
      await keyv.delete("a"),
      await keyv.delete("a"),
      await keyv.deleteMany(["b", "c"]),
      await keyv.get("b"),
    ];

    expect(outcome).toEqual([
      true,
      [true, true],
      [1, false, null, undefined],
      true,
      [true, false],
      true,
      false,
      [true, true],
      undefined,
    ]);
  });

  it("keeps namespaces apart when it clears and iterates", async () => {
    const store = makeStore();
    const first = new Keyv({ store, namespace: "first" });
    const second = new Keyv({ store, namespace: "second" });
    await first.set("a", 1);
    await first.set("b:c", 2);
    await second.set("a", 3);

    const all: unknown[] = [];
    for await (const entry of first.iterator()) all.push(entry);
    await first.clear();

    expect(all).toEqual([
      ["a", 1],
      ["b:c", 2],
    ]);
    expect(await first.get("a")).toBeUndefined();
    expect(await second.get("a")).toBe(3);
  });
});

describe("the adapter", () => {
  it("ends the life that Keyv gives, and keeps what has none until there is no room", async () => {
    const { clock, cache } = cacheWithClock();
    const store = keyvStore(cache);
    await store.set("short", "x", 1_000);
    await store.set("long", "x");

    clock.advance(2_000);
    const short = [await store.has("short"), await store.get("short")];
    clock.advance(365 * 86_400_000);

    expect(short).toEqual([false, undefined]);
    expect(await store.get("long")).toBe("x");
  });

  it("does not keep what is over, and drops what was there", async () => {
    const store = keyvStore(createCache());
    await store.set("a", "x");

    await store.set("a", "y", -1);

    expect(await store.get("a")).toBeUndefined();
  });

  it("takes a life for what has none", async () => {
    const { clock, cache } = cacheWithClock();
    const store = keyvStore(cache, { ttl: "1m" });
    await store.set("a", "x");

    clock.advance(60_001);

    expect(await store.get("a")).toBeUndefined();
  });

  it("lets the last of two entries of one key win, whatever their lives", async () => {
    const store = keyvStore(createCache());

    await store.setMany([
      { key: "a", value: "first", ttl: 1_000 },
      { key: "b", value: "other" },
      { key: "a", value: "last" },
    ]);

    expect(await store.getMany(["a", "b"])).toEqual(["last", "other"]);
  });

  it("clears its namespace only, and in whole parts", async () => {
    const store = keyvStore(createCache());
    await store.setMany(["a:1", "a:2", "ab:1", "b:1"].map((key) => ({ key, value: key })));

    store.namespace = "a";
    await store.clear();

    expect(await store.hasMany(["a:1", "a:2", "ab:1", "b:1"])).toEqual([false, false, true, true]);
  });

  it("clears its category and no other without a namespace", async () => {
    const cache = createCache({ categories: { http: {} } });
    const store = keyvStore(cache.category("http"));
    await cache.set("mine", 1);
    await store.set("a", "x");

    await store.clear();

    expect(await store.get("a")).toBeUndefined();
    expect(await cache.get("mine")).toBe(1);
  });

  it("leaves the cache open when Keyv is disconnected", async () => {
    const cache = createCache();
    const keyv = new Keyv({ store: keyvStore(cache) });

    await keyv.disconnect();

    expect(await keyv.set("a", 1)).toBe(true);
    expect(await keyv.get("a")).toBe(1);
  });

  it("lets Keyv tell of what fails", async () => {
    const cache = createCache();
    const keyv = new Keyv({ store: keyvStore(cache) });
    const errors: unknown[] = [];
    keyv.on("error", (error) => void errors.push(error));
    await cache.close();

    expect(await keyv.set("a", 1)).toBe(false);
    expect(errors).toEqual([expect.objectContaining({ code: "CLOSED" })]);
  });

  it("refuses an option that it does not know", () => {
    expect(() => keyvStore(createCache(), { tll: 1 } as never)).toThrow('Did you mean "ttl"?');
  });
});
