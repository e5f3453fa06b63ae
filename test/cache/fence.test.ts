import { describe, expect, it, onTestFinished } from "vitest";
import { Gate, openMemory, openTiered, pass, turns } from "./support.ts";

describe("a change", () => {
  const changes = ["set", "drop", "dropTag", "dropPrefix", "clear", "expire"] as const;

  it.each(changes)("by %s fences what was read before it, in memory and below", async (name) => {
    const { cache, lower, memory } = openTiered();
    const change = {
      set: () => cache.set("a:1", "new"),
      drop: () => cache.drop("a:1"),
      dropTag: () => cache.dropTag("t"),
      dropPrefix: () => cache.dropPrefix("a"),
      clear: () => cache.clear(),
      expire: () => cache.expire("a:1"),
    }[name];
    const gate = new Gate();
    const load = cache.getOrSet("a:1", gate.load, { tags: ["t"] });
    await turns();

    await change();
    const later = cache.getOrSet("a:1", () => "later", { tags: ["t"] });
    gate.open("old");

    expect(await load).toBe("old");
    expect(await later).toBe(name === "set" ? "new" : "later");
    await memory.clear();
    expect(await cache.get("a:1")).toBe(name === "set" ? "new" : "later");

    await cache.set("a:1", "below", { tags: ["t"] });
    await memory.clear();
    const answer = Promise.withResolvers<void>();
    const getMany = lower.getMany.bind(lower);
    lower.getMany = async (keys) => {
      const entries = await getMany(keys);
      await answer.promise;
      return entries;
    };
    const promotion = cache.get("a:1");
    await turns();
    const changed = change();
    lower.getMany = getMany;
    answer.resolve();
    await Promise.all([promotion, changed]);
    expect(await cache.get("a:1")).toBe(name === "set" ? "new" : undefined);
  });

  it("of another key, prefix or tag fences nothing", async () => {
    const { cache } = openTiered();
    const gate = new Gate();
    const load = cache.getOrSet("a:1", gate.load, { tags: ["t"] });
    await turns();

    await cache.set("a:2", 1);
    await cache.drop("a");
    await cache.dropPrefix("a:11");
    await cache.dropTag("u");
    gate.open("kept");

    await load;
    expect(cache.peek("a:1")).toBe("kept");
  });

  it("fences by tags that the load itself gives", async () => {
    const { cache } = openTiered();
    const done = Promise.withResolvers<void>();
    const load = cache.getOrSet("a", async (context) => {
      context.tags("late");
      await done.promise;
      return 1;
    });
    await turns();

    await cache.dropTag("late");
    done.resolve();

    expect(await load).toBe(1);
    expect(cache.peek("a")).toBeUndefined();
  });

  it("reaches a read that a dropped tag has closed to others", async () => {
    const { cache } = openTiered();
    const gate = new Gate();
    for (const [key, change] of [
      ["a", () => cache.set("a", "new")],
      ["b", () => cache.dropTag("t")],
    ] as const) {
      const load = cache.getOrSet(key, gate.load, { tags: ["t"] });
      await turns();
      await cache.dropTag("unrelated");
      await change();
      gate.open("old");
      await load;
      expect(cache.peek(key)).toBe(key === "a" ? "new" : undefined);
    }
  });

  it("drops nothing for a read that remembers too many dropped tags, but what it brings", async () => {
    const { cache } = openMemory();
    const gate = new Gate();
    const load = cache.getOrSet("a", gate.load);
    await turns();

    for (let index = 0; index < 1_100; index++) await cache.dropTag(`t${index}`);
    gate.open(1);

    expect(await load).toBe(1);
    expect(cache.peek("a")).toBeUndefined();
  });
});

describe("a failure", () => {
  it("is never left unhandled, whoever goes away", async () => {
    const surprises: unknown[] = [];
    const note = (reason: unknown): void => void surprises.push(reason);
    process.on("unhandledRejection", note);
    onTestFinished(() => void process.off("unhandledRejection", note));
    const { cache, clock } = openTiered();
    const controller = new AbortController();
    const { signal } = controller;
    const fail = async (): Promise<never> => {
      await turns(2);
      throw new Error("down");
    };
    await cache.set("swr", 1, { ttl: 1, staleWhileRevalidate: "1m" });
    await cache.set("soft", 1, { ttl: 1, keepStale: "1m" });
    await cache.set("ahead", 1, { ttl: 100_000, refreshAhead: 0.00001 });
    clock.advance(2);
    const reads = [
      cache.getOrSet("a", fail, { signal }),
      cache.getOrSet("b", fail),
      cache.getOrSetMany(["a", "c", "d"], fail),
      cache.getOrSetMany(["e", "f"], () => [new Error("e"), new Error("f")]),
      cache.getOrSet("swr", fail, { staleWhileRevalidate: "1m" }),
      cache.getOrSet("soft", fail, { softTimeout: 0 }),
      cache.getOrSet("ahead", fail),
      cache.get("b"),
    ];
    const settled = Promise.allSettled(reads);
    controller.abort();
    clock.advance(1);
    using _refresh = cache.refreshAhead("r", fail);

    await settled;
    await pass(clock, 40_000);

    expect(surprises).toEqual([]);
  });
});
