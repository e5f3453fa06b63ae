import { describe, expect, it } from "vitest";
import { hasOf } from "../../src/testing/tier/context.ts";
import { entryIn, errorOf, listOf, openTiered } from "./support.ts";

describe("a change", () => {
  it("has happened in memory when its call returns, whoever awaits it", async () => {
    const { cache } = openTiered();

    void cache.set("a", 1);
    expect(cache.peek("a")).toBe(1);
    void cache.setMany([["a", 2]], { tags: ["t"] });
    void cache.setMany([["b", 3]]);
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
    expect(await hasOf(stored, ["cache/1/default/a", "cache/1/default/b"])).toEqual([false, false]);
    await cache.set("a", 1);
    await cache.clear();
    expect(await entryIn(stored, "a")).toBeUndefined();
  });

  it("of many keys is one of them for the tier below", async () => {
    const { cache, lower } = openTiered();

    await cache.setMany(Array.from({ length: 100 }, (_, index) => [["k", index], index]));
    // One for each slice of the work, of which there are a few on a busy machine.
    expect(lower.calls["setMany"]).toBeLessThan(10);
    await cache.dropMany(["k:1", ["k", 2], ...Array.from({ length: 48 }, (_, n) => ["k", n + 3])]);
    expect(lower.calls["dropMany"]).toBeLessThan(10);

    expect(await cache.getMany(["k:0", "k:1", "k:2"])).toEqual([0, undefined, undefined]);
    expect(await listOf(cache.keys())).toHaveLength(50);
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

    expect(await hasOf(stored, ["else/1/default/a"])).toEqual([true]);
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

async function made(
  cache: ReturnType<typeof openTiered>["cache"],
  stored: ReturnType<typeof openTiered>["stored"],
): Promise<NonNullable<Awaited<ReturnType<typeof entryIn>>>> {
  await cache.set("made", 1);
  const entry = await entryIn(stored, "made");
  if (entry === undefined) throw new Error("it was not stored");
  return entry;
}
