import { describe, expect, it } from "vitest";
import { errorOf, openMemory, openTiered } from "./support.ts";

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

  it("that is a Buffer comes back as plain bytes, from its load already", async () => {
    const { cache, memory } = openTiered();
    const load = (): Uint8Array => Buffer.from("bytes");
    const read = async (): Promise<unknown[]> => {
      const bytes = await cache.getOrSet("a", load);
      const { buffer, byteOffset, byteLength } = bytes;
      return [bytes.constructor, Buffer.from(buffer, byteOffset, byteLength).toString()];
    };

    expect(await read()).toEqual([Uint8Array, "bytes"]);
    expect(await read()).toEqual([Uint8Array, "bytes"]);
    await memory.clear();
    expect(await read()).toEqual([Uint8Array, "bytes"]);
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

function cycle(): unknown {
  const value: Record<string, unknown> = {};
  value["self"] = value;
  return value;
}
