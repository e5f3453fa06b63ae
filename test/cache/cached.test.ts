import { describe, expect, it } from "vitest";
import { cached } from "../../src/cache/cached.ts";
import { errorOf, openTiered } from "./support.ts";

describe("a cached function", () => {
  it("runs once for the same arguments, however they are made", async () => {
    const { cache } = openTiered();
    let runs = 0;
    const week = cached(
      cache,
      async function week(id: number, options: { a?: number; b?: number }) {
        runs++;
        return { id, ...options };
      },
    );

    expect(await week(7, { a: 1, b: 2 })).toEqual({ id: 7, a: 1, b: 2 });
    expect(await week(7, { b: 2, a: 1 })).toEqual({ id: 7, a: 1, b: 2 });
    expect(runs).toBe(1);
    await week(8, { a: 1, b: 2 });
    await week(7, { a: 1 });
    expect(runs).toBe(3);
  });

  it("tells arguments apart that are written alike", async () => {
    const { cache } = openTiered();
    const kind = cached(cache, (value: unknown) => typeof value, { name: "kind" });

    const values = [1, "1", 1n, true, "true", null, undefined, "null", [1], ["1"], { a: 1 }];
    const alike = [0, -0, "é".normalize("NFC"), "é".normalize("NFD")];
    const keys = values.map((value) => kind.keyOf(value));

    expect(new Set(keys).size).toBe(values.length);
    for (const value of values) expect(await kind(value)).toBe(typeof value);
    const parts = (value: string | number): string[] => [...`${1 / Number(value)}${value}`];
    const inverse = cached(cache, parts);
    for (const value of alike) {
      expect(await inverse(value)).toEqual(parts(value));
    }
  });

  it("makes keys of its own parts that cannot be confused", () => {
    const { cache } = openTiered();
    const pair = cached(cache, (a: string, b: string) => a + b, {
      name: "a:b",
      key: (a, b) => [a, b],
    });

    expect(pair.keyOf("x:y", "z")).not.toBe(pair.keyOf("x", "y:z"));
    expect(pair.keyOf("x", "y")).toBe("a%3Ab:x:y");
    const text = cached(cache, (a: string) => a, { name: "t", key: (a) => a });
    expect(text.keyOf("x:y")).toBe("t:x:y");
  });

  it("shortens the key of long arguments, and keeps different ones apart", () => {
    const { cache } = openTiered();
    const long = cached(cache, (text: string) => text, { name: "long" });

    const [one, two] = [long.keyOf(`${"x".repeat(5_000)}1`), long.keyOf(`${"x".repeat(5_000)}2`)];

    expect(one.length).toBeLessThan(100);
    expect(one).not.toBe(two);
  });

  it("has a life and tags, and can be dropped by one call, by tag, or as a whole", async () => {
    const { cache, clock } = openTiered();
    let runs = 0;
    const run = (id: number): number => {
      runs++;
      return id;
    };
    const one = cached(cache, run, { name: "one", ttl: "10s", tags: (id) => [`week ${id}`] });
    const other = cached(cache, run, { name: "one:other" });
    await Promise.all([one(1), one(2), other(1)]);

    await one.drop(1);
    await Promise.all([one(1), one(2), other(1)]);
    expect(runs).toBe(4);
    await cache.dropTag("week 2");
    await one(2);
    expect(runs).toBe(5);
    clock.advance(10_000);
    await one(1);
    expect(runs).toBe(6);
    await one.dropAll();
    await Promise.all([one(1), one(2), other(1)]);
    expect(runs).toBe(8);
  });

  it("is called straight through without a cache", async () => {
    let runs = 0;
    const plain = cached(undefined, (id: number) => id + ++runs, { name: "plain" });

    expect([await plain(1), await plain(1)]).toEqual([2, 3]);
    await plain.drop(1);
    await plain.dropAll();
  });

  it("passes on what its function throws, and tries again next time", async () => {
    const { cache } = openTiered();
    let runs = 0;
    const flaky = cached(
      cache,
      () => {
        if (++runs === 1) throw new Error("down");
        return runs;
      },
      { name: "flaky" },
    );

    expect((await errorOf(flaky())).message).toBe("down");
    expect(await flaky()).toBe(2);
  });

  it("needs a name, options that exist, and arguments that are data", async () => {
    const { cache } = openTiered();
    const make = (run: () => unknown, options?: object) => async () => cached(cache, run, options);

    expect((await errorOf(make(() => 1)())).message).toMatch(/has no name/);
    expect((await errorOf(make(() => 1, { name: "a", tll: 1 })())).message).toMatch(/"ttl"/);
    const one = cached(cache, (value: unknown) => value, { name: "one" });
    expect((await errorOf(one(() => 1))).code).toBe("INVALID_ARGUMENT");
    const cycle: Record<string, unknown> = {};
    cycle["self"] = cycle;
    expect((await errorOf(one(cycle))).code).toBe("INVALID_ARGUMENT");
  });
});
