import { describe, expect, it } from "vitest";
import { entryIn, errorOf, Gate, openTiered, pass, turns } from "./support.ts";

describe("loads of many keys", () => {
  it("are one call for what is missing and nobody loads already", async () => {
    const { cache } = openTiered();
    const gate = new Gate<unknown>();
    const asked: string[][] = [];
    await cache.set("there", 0);
    const single = cache.getOrSet("single", gate.load);
    await turns();

    const many = cache.getOrSetMany(["there", "single", "x", ["y", 1]], (keys) => {
      asked.push([...keys]);
      return new Map(keys.map((key) => [key, `of ${key}`]));
    });
    const joined = cache.getOrSet("x", gate.load);
    gate.open("single");

    expect(await many).toEqual([0, "single", "of x", "of y:1"]);
    expect(await Promise.all([single, joined])).toEqual(["single", "of x"]);
    expect(asked).toEqual([["x", "y:1"]]);
    expect(gate.calls).toBe(1);
    expect(cache.statistics().loads).toBe(2);
  });

  it("keep what was loaded when another key failed, and reject with that failure", async () => {
    const { cache, stored } = openTiered();
    const load = (keys: readonly string[]): (Error | string | undefined | URL)[] =>
      keys.map((key) => {
        if (key === "bad") return new Error("bad");
        if (key === "no data") return new URL("http://a");
        return key === "none" ? undefined : `of ${key}`;
      });
    const keys = ["a", "bad", "none", "no data", "b"];

    expect((await errorOf(cache.getOrSetMany(keys, load))).message).toBe("bad");

    expect(await cache.getMany(keys)).toEqual(["of a", undefined, undefined, undefined, "of b"]);
    expect((await entryIn(stored, "b"))?.value).toBe("of b");
    expect(cache.statistics()).toMatchObject({ loads: 1, loadErrors: 2 });
  });

  it.each([
    ["undefined", undefined],
    ["null", null],
    ["a number", 7],
    ["an object", { a: 1 }],
  ])("fail for all keys when they give %s", async (_, given) => {
    const { cache } = openTiered();

    const error = await errorOf(cache.getOrSetMany(["a", "b"], () => given as never));

    expect(error).toMatchObject({ code: "INVALID_ARGUMENT" });
    expect(error.message).toMatch(/a list in their order, or a Map/);
  });

  it("give undefined for keys that they say nothing of", async () => {
    const { cache } = openTiered();

    expect(await cache.getOrSetMany(["a", "b"], () => [1, undefined])).toEqual([1, undefined]);
    expect(await cache.getOrSetMany(["c", "d"], () => new Map([["d", 2]]))).toEqual([undefined, 2]);
  });

  it("are refused when their list has not one value for each key", async () => {
    const { cache } = openTiered();

    for (const values of [[1], [1, 2, 3]]) {
      expect(await errorOf(cache.getOrSetMany(["a", "b"], () => values))).toMatchObject({
        code: "INVALID_ARGUMENT",
        message: expect.stringContaining(`${values.length} values for 2 keys`),
      });
    }
    expect(await cache.getMany(["a", "b"])).toEqual([undefined, undefined]);
  });

  it("are told when nobody waits for any of their keys", async () => {
    const { cache } = openTiered();
    const signals: AbortSignal[] = [];
    const controllers = [new AbortController(), new AbortController()] as const;
    const load = (_: unknown, { signal }: { signal: AbortSignal }): Promise<never> => {
      signals.push(signal);
      return new Promise(() => undefined);
    };
    const { signal } = controllers[0];
    const many = errorOf(cache.getOrSetMany(["a", "b"], load, { signal }));
    await turns();
    const other = errorOf(cache.getOrSet("b", () => 1, { signal: controllers[1].signal }));

    controllers[0].abort();
    await many;
    expect(signals[0]?.aborted).toBe(false);
    controllers[1].abort();
    await other;

    expect(signals[0]?.aborted).toBe(true);
  });
});

describe("a load that never ends", () => {
  it("is given up after 30 seconds, or when its caller says", async () => {
    const { cache, clock } = openTiered();
    const gate = new Gate();
    const read = errorOf(cache.getOrSet("a", gate.load));
    const short = errorOf(cache.getOrSet("b", gate.load, { hardTimeout: "1s" }));
    const many = errorOf(cache.getOrSetMany(["c"], (_, context) => gate.load(context) as never));
    await turns();

    clock.advance(1_000);
    expect(await short).toMatchObject({ code: "TIMEOUT" });
    expect((await short).message).toMatch(/"b".*1000 ms.*hardTimeout/);
    clock.advance(28_999);
    expect(gate.signals.map(({ aborted }) => aborted)).toEqual([false, true, false]);
    clock.advance(1);

    expect(await read).toMatchObject({ code: "TIMEOUT" });
    expect(await many).toMatchObject({ code: "TIMEOUT" });
    expect(gate.signals.every(({ aborted }) => aborted)).toBe(true);
    expect(cache.statistics().loadErrors).toBe(3);
  });

  it("and ends after all puts nothing over what is newer", async () => {
    const { cache, clock, stored } = openTiered();
    const gate = new Gate();
    const read = errorOf(cache.getOrSet("a", gate.load));
    await pass(clock, 30_000);
    await read;
    await cache.set("a", "newer");

    gate.open("older");
    await turns();

    expect(await cache.get("a")).toBe("newer");
    expect((await entryIn(stored, "a"))?.value).toBe("newer");
    const dropped = errorOf(cache.getOrSet("b", gate.load));
    await pass(clock, 30_000);
    await dropped;
    gate.open("older");
    await turns();
    expect(await cache.get("b")).toBeUndefined();
  });

  it("does not hold up the next caller", async () => {
    const { cache, clock } = openTiered();
    const gate = new Gate();
    void errorOf(cache.getOrSet("a", gate.load));
    await pass(clock, 30_000);

    expect(await cache.getOrSet("a", () => 2)).toBe(2);
  });
});
