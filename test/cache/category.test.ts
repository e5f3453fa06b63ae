import { describe, expect, it } from "vitest";
import { entryIn, errorOf, listOf, openMemory, openTiered, pass, turns } from "./support.ts";

describe("a value", () => {
  const falsy = [0, "", false, null, Number.NaN, 0n] as const;

  it.each(falsy.map((value) => [String(value), value]))(
    "that is %s is a value, in every tier and for every call",
    async (_, value) => {
      const { cache, memory } = openTiered();
      let loads = 0;
      const load = (): unknown => {
        loads++;
        return "loaded";
      };

      await cache.set("a", value);

      for (const where of ["memory", "below"]) {
        if (where === "below") await memory.clear();
        expect(await cache.lookup("a")).toMatchObject({ hit: true, value, source: where });
        if (where === "below") await memory.clear();
        expect(await cache.getOrSet("a", load)).toBe(value);
        expect(cache.peek("a")).toBe(value);
        expect(await cache.getMany(["a"])).toEqual([value]);
        expect(await cache.getOrSetMany(["a"], () => ["loaded"])).toEqual([value]);
        expect(await cache.has("a")).toBe(true);
      }
      expect(loads).toBe(0);
    },
  );

  it.each(falsy.map((value) => [String(value), value]))(
    "that is %s is kept when a load makes it",
    async (_, value) => {
      const { cache } = openTiered();
      let loads = 0;
      const load = (): unknown => {
        loads++;
        return value;
      };

      expect(await cache.getOrSet("a", load)).toBe(value);
      expect(await cache.getOrSet("a", load)).toBe(value);
      expect(await cache.getOrSet(["a"], load)).toBe(value);
      expect(loads).toBe(1);
    },
  );

  it("that is undefined is refused, and a load that gives it is not kept", async () => {
    const { cache } = openTiered();
    let loads = 0;
    const load = (): undefined => void loads++;
    await cache.set("a", 1);

    expect((await errorOf(cache.set("a", undefined))).message).toMatch(/"a" is undefined.*null/);
    expect(
      (
        await errorOf(
          cache.setMany([
            ["b", 1],
            ["a", undefined],
          ]),
        )
      ).code,
    ).toBe("INVALID_ARGUMENT");
    expect(await cache.getMany(["a", "b"])).toEqual([1, undefined]);
    expect(await cache.getOrSet("c", load)).toBeUndefined();
    expect(await cache.getOrSet("c", load)).toBeUndefined();
    expect(loads).toBe(2);
    expect(await cache.resolve("c", load)).toMatchObject({ hit: false, source: "load" });
  });

  it("is told apart from a miss", async () => {
    const { cache } = openTiered();
    await cache.set("null", null);

    expect(await cache.lookup("null")).toMatchObject({ hit: true, value: null });
    expect(await cache.lookup("nothing")).toEqual({
      hit: false,
      value: undefined,
      stale: false,
      source: "none",
      error: undefined,
    });
  });
});

describe("a value in the cache", () => {
  it("is frozen, and the caller's own object is neither frozen nor shared", async () => {
    const { cache } = openTiered();
    const mine = { list: [1, { deep: true }], text: "a" };

    await cache.set("a", mine);
    mine.list.push(2);
    mine.text = "b";

    const found = (await cache.get("a")) as typeof mine;
    expect(found).toEqual({ list: [1, { deep: true }], text: "a" });
    expect(() => found.list.push(3)).toThrow(TypeError);
    expect(() => Object.assign(found.list[1] as object, { deep: false })).toThrow(TypeError);
    expect(await cache.get("a")).toBe(found);
  });

  it("is a copy of what a load gave, for all who wait for it", async () => {
    const { cache } = openTiered();
    const mine = { list: [1] };

    const [first, second] = await Promise.all([
      cache.getOrSet("a", () => mine),
      cache.getOrSet("a", () => mine),
    ]);
    mine.list.push(2);

    expect(first).toEqual({ list: [1] });
    expect(second).toBe(first);
    expect(Object.isFrozen((first as typeof mine).list)).toBe(true);
    expect(Object.isFrozen(mine)).toBe(false);
  });

  it.each<[string, () => unknown, (value: never) => void]>([
    ["a date", () => new Date(1), (date: Date) => date.setTime(9)],
    ["a map", () => new Map([["a", 1]]), (map: Map<string, number>) => map.set("b", 2)],
    ["a set", () => new Set([1]), (set: Set<number>) => set.add(2)],
    ["bytes", () => new Uint8Array([1, 2]), (bytes: Uint8Array) => bytes.fill(9)],
    [
      "numbers in a list",
      () => ({ list: new Float64Array([1]) }),
      (value: { list: Float64Array }) => value.list.fill(9),
    ],
    [
      "a date deep inside",
      () => ({ a: [{ at: new Date(1) }] }),
      (value: { a: { at: Date }[] }) => value.a[0]?.at.setTime(9),
    ],
  ])("with %s is another for each reader", async (_, make, change) => {
    const { cache, memory } = openTiered();
    const mine = make();
    await cache.set("a", mine);
    change(mine as never);
    const reads: (() => unknown)[] = [
      () => cache.peek("a"),
      () => cache.get("a"),
      () => cache.get(["a"]),
      () => cache.getOrSet("a", () => 1),
      async () => (await cache.lookup("a")).value,
      async () => (await cache.getMany(["a"]))[0],
      async () => {
        await memory.clear();
        return await cache.get("a");
      },
    ];

    for (const read of reads) {
      const value = await read();
      expect(value, String(read)).toEqual(make());
      change(value as never);
    }
    await memory.clear();
    const together = await Promise.all([cache.get("a"), cache.get("a"), cache.getMany(["a", "a"])]);
    change(together[0] as never);
    expect(together.slice(1)).toEqual([make(), [make(), make()]]);
    const loaded = await Promise.all([1, 2].map(() => cache.getOrSet("b", make)));
    change(loaded[0] as never);
    expect(loaded[1]).toEqual(make());
    expect(await cache.get("b")).toEqual(make());
  });

  it.each([
    ["a function", () => 1],
    ["a symbol", Symbol("a")],
    ["an instance of a class", new URL("http://a")],
    ["a function deep inside", { a: [() => 1] }],
    ["what contains itself", cycle()],
  ])("is never %s", async (_, value) => {
    const { cache } = openTiered();
    await cache.set("a", 1);

    expect((await errorOf(cache.set("a", value))).code).toBe("INVALID_ARGUMENT");
    expect(
      (
        await errorOf(
          cache.setMany([
            ["b", 2],
            ["c", value],
          ]),
        )
      ).code,
    ).toBe("INVALID_ARGUMENT");
    expect((await errorOf(cache.getOrSet("d", () => value))).code).toBe("INVALID_ARGUMENT");
    expect(await cache.getMany(["a", "b", "c", "d"])).toEqual([1, undefined, undefined, undefined]);
  });

  it("is the caller's own object where values are shared, of any class", async () => {
    const { cache } = openMemory({ categories: { live: { values: "shared" } } });
    const live = cache.category("live");
    const mine = new URL("http://a");

    await live.set("a", mine);

    expect(live.peek("a")).toBe(mine);
    expect(await live.get("a")).toBe(mine);
    expect(await live.get(["a"])).toBe(mine);
    expect(await live.getOrSet("b", () => mine)).toBe(mine);
    expect(await live.get("b")).toBe(mine);
    expect(Object.isFrozen(mine)).toBe(false);
  });

  it("keeps keys that mean something to objects", async () => {
    const { cache, memory } = openTiered();
    const value = JSON.parse('{"__proto__": {"a": 1}, "constructor": 2}');

    await cache.set("a", value);

    for (let where = 0; where < 2; where++) {
      const found = (await cache.get("a")) as object;
      expect(Object.keys(found)).toEqual(["__proto__", "constructor"]);
      expect(Object.getPrototypeOf(found)).toBe(Object.prototype);
      await memory.clear();
    }
  });
});

describe("a change", () => {
  it("has happened in memory when its call returns, whoever awaits it", async () => {
    const { cache } = openTiered();

    void cache.set("a", 1);
    expect(cache.peek("a")).toBe(1);
    void cache.setMany(
      [
        ["a", 2],
        ["b", 3],
      ],
      { tags: ["t"] },
    );
    expect([cache.peek("a"), cache.peek("b")]).toEqual([2, 3]);
    void cache.drop("b");
    expect(cache.peek("b")).toBeUndefined();
    void cache.dropTag("t");
    expect(cache.peek("a")).toBeUndefined();
    void cache.set("p:1", 1);
    void cache.dropPrefix("p");
    expect(cache.peek("p:1")).toBeUndefined();
    void cache.set("c", 1);
    void cache.expire("c");
    expect(cache.peek("c")).toBeUndefined();
    void cache.set("c", 1);
    void cache.clear();
    expect(cache.peek("c")).toBeUndefined();
    void cache.set("c", 2);
    expect(cache.peek("c")).toBe(2);
  });

  it("has arrived in the tiers below when it is awaited", async () => {
    const { cache, stored } = openTiered();

    await cache.set("a", 1, { tags: ["t"] });
    expect(await entryIn(stored, "a")).toMatchObject({ value: 1, tags: ["cache/t"] });
    await cache.drop("a");
    expect(await entryIn(stored, "a")).toBeUndefined();
    await cache.setMany(
      [
        ["a", 1],
        ["b", 2],
      ],
      { tags: ["t"] },
    );
    await cache.dropTags(["u", "t"]);
    expect(await stored.hasMany(["cache/1/default/a", "cache/1/default/b"])).toEqual([
      false,
      false,
    ]);
    await cache.set("a", 1);
    await cache.clear();
    expect(await entryIn(stored, "a")).toBeUndefined();
  });

  it("of many keys is one of them for the tier below", async () => {
    const { cache, lower } = openTiered();

    await cache.setMany(Array.from({ length: 100 }, (_, index) => [["k", index], index]));
    expect(lower.calls["setMany"]).toBe(1);
    await cache.dropMany(["k:1", ["k", 2], "k:3"]);
    expect(lower.calls["dropMany"]).toBe(1);

    expect(await cache.getMany(["k:0", "k:1", "k:2"])).toEqual([0, undefined, undefined]);
    expect(await listOf(cache.keys())).toHaveLength(97);
  });

  it("may be given up before it begins, and then nothing has changed", async () => {
    const { cache } = openTiered();
    const signal = AbortSignal.abort();

    expect((await errorOf(cache.set("a", 1, { signal }))).code).toBe("ABORTED");
    expect((await errorOf(cache.get("a", { signal }))).code).toBe("ABORTED");
    expect((await errorOf(cache.getOrSet("a", () => 1, { signal }))).code).toBe("ABORTED");
    expect(await cache.get("a")).toBeUndefined();
  });

  it("that expires a key keeps its value for when nothing better can be had", async () => {
    const { cache, memory } = openTiered();
    for (const where of ["memory", "below"]) {
      await cache.set("a", 1);
      await cache.expire("a");
      if (where === "below") await memory.clear();

      expect(await cache.get("a")).toBeUndefined();
      expect(await cache.has("a")).toBe(false);
      expect(await cache.get("a", { allowStale: true })).toBe(1);
      expect(await cache.lookup("a", { allowStale: true })).toMatchObject({
        stale: true,
        hit: true,
      });
      const broken = await cache.resolve("a", () => Promise.reject(new Error("down")));
      expect(broken).toMatchObject({ value: 1, stale: true, error: { message: "down" } });
      expect(await cache.getOrSet("a", () => 2, { refresh: true })).toBe(2);
    }
  });

  it("that expires what is not there makes nothing", async () => {
    const { cache } = openTiered();

    await cache.expire("a");

    expect(await listOf(cache.keys())).toEqual([]);
  });
});

describe("a tag", () => {
  it("drops its entries in all tiers and categories, and no others", async () => {
    const { cache, memory } = openTiered({ categories: { other: { tags: ["every"] } } });
    const other = cache.category("other");
    await cache.set("a", 1, { tags: ["t", "t", "u"] });
    await cache.set("b", 2, { tags: ["u"] });
    await other.set("c", 3, { tags: ["t"] });
    await other.set("d", 4);

    await cache.dropTag("t");
    for (let where = 0; where < 2; where++) {
      expect(await cache.getMany(["a", "b"])).toEqual([undefined, 2]);
      expect(await other.getMany(["c", "d"])).toEqual([undefined, 4]);
      await memory.clear();
    }
    await cache.dropTag("every");
    expect(await other.get("d")).toBeUndefined();
    expect(await cache.get("b")).toBe(2);
  });

  it("is listed", async () => {
    const { cache, memory } = openTiered();
    await cache.set("a:1", 1, { tags: ["t"] });
    await cache.set("a:2", 2, { tags: ["u"] });
    await cache.set("b:1", 3, { tags: ["t"] });

    for (let where = 0; where < 2; where++) {
      expect(await listOf(cache.keys({ tag: "t" }))).toEqual(["a:1", "b:1"]);
      expect(await listOf(cache.keys({ tag: "t", prefix: "a" }))).toEqual(["a:1"]);
      await memory.clear();
    }
  });

  it("is the same in all forms that Unicode has for it", async () => {
    const { cache } = openTiered();
    await cache.set("a", 1, { tags: ["é".normalize("NFD")] });

    await cache.dropTag("é".normalize("NFC"));

    expect(await cache.get("a")).toBeUndefined();
  });

  it("is that of its namespace alone", async () => {
    const { cache, stored } = openTiered();
    await stored.setMany([
      { ...(await made(cache, stored)), key: "else/1/default/a", tags: ["else/t"] },
    ]);

    await cache.dropTag("t");

    expect(await stored.hasMany(["else/1/default/a"])).toEqual([true]);
  });

  it("that is no text is refused", async () => {
    const { cache } = openTiered();
    for (const tag of ["", 7, null] as never[]) {
      expect((await errorOf(cache.dropTag(tag))).code).toBe("INVALID_ARGUMENT");
      expect((await errorOf(cache.set("a", 1, { tags: [tag] }))).code).toBe("INVALID_ARGUMENT");
    }
    expect(await cache.get("a")).toBeUndefined();
  });
});

describe("a list of keys", () => {
  it("has each key of all tiers once, in chunks", async () => {
    const { cache, memory } = openTiered();
    await cache.set("below", 1);
    await memory.clear();
    await cache.set("both", 2);

    expect(await listOf(cache.keys())).toEqual(["below", "both"]);
  });

  it("has those of its category only", async () => {
    const { cache } = openTiered({ categories: { other: {} } });
    await cache.set("a", 1);
    await cache.category("other").set("b", 1);

    expect(await listOf(cache.keys())).toEqual(["a"]);
    await cache.category("other").clear();
    expect(await listOf(cache.keys())).toEqual(["a"]);
  });

  it("ends though its keys are set anew meanwhile", async () => {
    const { cache } = openTiered();
    for (let index = 0; index < 100; index++) await cache.set(["k", index], index);
    let seen = 0;

    for await (const chunk of cache.keys()) {
      for (const key of chunk) {
        seen++;
        await cache.set(key, "again");
      }
    }

    expect(seen).toBe(100);
  });

  it("can be given up", async () => {
    const { cache } = openTiered();
    const controller = new AbortController();
    await cache.set("a", 1);
    const list = cache.keys({ signal: controller.signal });
    await list.next();

    controller.abort();

    expect((await errorOf(list.next())).code).toBe("ABORTED");
  });
});

describe("a read of many keys", () => {
  it("gives them in their order, asking each tier once", async () => {
    const { cache, memory, lower } = openTiered();
    await cache.setMany([
      ["a", 1],
      ["b", 2],
      ["c", 3],
    ]);
    await memory.clear();
    await cache.set("b", 22);

    expect(await cache.getMany(["c", "none", "b", "a", "c"])).toEqual([3, undefined, 22, 1, 3]);
    expect(lower.calls["getMany"]).toBe(1);
  });

  it("of no keys gives none", async () => {
    const { cache, lower } = openTiered();

    expect(await cache.getMany([])).toEqual([]);
    expect(await cache.getOrSetMany([], () => [])).toEqual([]);
    await cache.setMany([]);
    await cache.dropMany([]);
    expect(lower.calls).toEqual({});
  });
});

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

function cycle(): unknown {
  const value: Record<string, unknown> = {};
  value["self"] = value;
  return value;
}

async function made(
  cache: ReturnType<typeof openTiered>["cache"],
  stored: ReturnType<typeof openTiered>["stored"],
): Promise<NonNullable<Awaited<ReturnType<typeof entryIn>>>> {
  await cache.set("made", 1);
  const entry = await entryIn(stored, "made");
  if (entry === undefined) throw new Error("it was not stored");
  return entry;
}
