import { describe, expect, it, onTestFinished } from "vitest";
import { entryIn, errorOf, Gate, openMemory, openTiered, pass, stateOf, turns } from "./support.ts";

describe("a read under way", () => {
  it("is one load for 10,000 callers", async () => {
    const { cache, lower } = openTiered();
    const gate = new Gate();

    const reads = Array.from({ length: 10_000 }, () => cache.getOrSet("a", gate.load));
    await turns();
    gate.open({ big: 1 });
    const values = await Promise.all(reads);

    expect(gate.calls).toBe(1);
    expect(lower.calls["getMany"]).toBe(1);
    expect(new Set(values).size).toBe(1);
    expect(cache.statistics()).toMatchObject({ loads: 1, misses: 1, inFlight: 0 });
  });

  it("fails for everybody who waits, and leaves nothing behind", async () => {
    const { cache } = openTiered();
    const gate = new Gate();
    const reads = [1, 2, 3].map(() => errorOf(cache.getOrSet("a", gate.load)));
    await turns();

    gate.fail(new Error("down"));

    expect((await Promise.all(reads)).map(({ message }) => message)).toEqual(Array(3).fill("down"));
    expect(await cache.getOrSet("a", () => 2)).toBe(2);
  });

  it("that failed is not joined by the very next call", async () => {
    const { cache } = openTiered();
    const load = (): number => {
      attempts++;
      if (attempts < 3) throw new Error("down");
      return attempts;
    };
    let attempts = 0;
    let value: unknown;

    for (let attempt = 0; attempt < 3; attempt++) {
      try {
        value = await cache.getOrSet("a", load);
      } catch {
        // Again, at once.
      }
    }

    expect(value).toBe(3);
  });

  it("of a load that throws at once is a rejection", async () => {
    const { cache } = openTiered();
    const error = new TypeError("at once");

    const read = cache.getOrSet("a", () => {
      throw error;
    });

    expect(await errorOf(read)).toBe(error);
    const many = cache.getOrSetMany(["a"], () => {
      throw error;
    });
    expect(await errorOf(many)).toBe(error);
  });

  it("goes on while one of its callers waits", async () => {
    const { cache } = openTiered();
    const gate = new Gate();
    const [one, two] = [new AbortController(), new AbortController()];
    const first = cache.getOrSet("a", gate.load, { signal: one.signal });
    const second = cache.getOrSet("a", gate.load, { signal: two.signal });
    const third = cache.getOrSet("a", gate.load);
    await turns();

    one.abort(new Error("mine"));
    two.abort();

    expect(await errorOf(first)).toMatchObject({ code: "ABORTED", cause: { message: "mine" } });
    expect((await errorOf(second)).code).toBe("ABORTED");
    expect(gate.signals[0]?.aborted).toBe(false);
    gate.open(1);
    expect(await third).toBe(1);
    expect(await cache.get("a")).toBe(1);
  });

  it("is told when the last of its callers has left, and nothing of it is kept", async () => {
    const { cache } = openTiered();
    const gate = new Gate();
    const controllers = [1, 2].map(() => new AbortController());
    const reads = controllers.map(({ signal }) =>
      errorOf(cache.getOrSet("a", gate.load, { signal })),
    );
    await turns();

    for (const controller of controllers) controller.abort();
    await Promise.all(reads);
    expect(gate.signals[0]?.aborted).toBe(true);

    const again = cache.getOrSet("a", gate.load);
    await turns();
    expect(gate.calls).toBe(2);
    gate.open("of the first");
    await turns();
    expect(await stateOf(again)).toBe("pending");
    expect(cache.peek("a")).toBeUndefined();
    gate.open("of the second");
    expect(await again).toBe("of the second");
    expect(cache.statistics()).toMatchObject({ loadErrors: 0 });
  });

  it("does not even load when all have left while the tiers were asked", async () => {
    const { cache, lower } = openTiered();
    const gate = new Gate();
    const controller = new AbortController();
    const answer = Promise.withResolvers<void>();
    lower.fault = { kind: "delay", until: () => answer.promise };
    const read = errorOf(cache.getOrSet("a", gate.load, { signal: controller.signal }));
    const { signal } = controller;
    const many = errorOf(cache.getOrSetMany(["b", "c"], () => [1, 2], { signal }));

    controller.abort();
    answer.resolve();
    await Promise.all([read, many]);
    await turns();

    expect(gate.calls).toBe(0);
    expect(cache.statistics().loads).toBe(0);
  });

  it("takes a load along for somebody who can, from one who only looks", async () => {
    const { cache, lower } = openTiered();
    const answer = Promise.withResolvers<void>();
    lower.fault = { kind: "delay", until: () => answer.promise };
    const look = cache.get("a");
    const loads = [1, 2, 3].map(() => cache.getOrSet("a", () => "loaded"));

    answer.resolve();

    expect(await look).toBeUndefined();
    expect(await Promise.all(loads)).toEqual(["loaded", "loaded", "loaded"]);
    expect(cache.statistics().loads).toBe(1);
  });

  it("is joined by who only looks, who gets the value and no failure of a load", async () => {
    const { cache } = openTiered();
    const gate = new Gate();
    const first = cache.getOrSet("a", gate.load);
    const look = cache.get("a");
    await turns();
    gate.open(1);
    expect(await Promise.all([first, look])).toEqual([1, 1]);

    const failing = errorOf(cache.getOrSet("b", gate.load));
    const looks = [cache.get("b"), cache.get("b", { allowStale: true })];
    await turns();
    gate.fail(new Error("down"));

    expect((await failing).message).toBe("down");
    expect(await Promise.all(looks)).toEqual([undefined, undefined]);
  });

  it("answers each by what it asked for: with something stale only who would have it", async () => {
    const { cache, lower, clock } = openTiered();
    await cache.set("a", 1, { ttl: 10, keepStale: "1h" });
    clock.advance(10);
    const answer = Promise.withResolvers<void>();
    lower.fault = { kind: "delay", until: () => answer.promise };

    const reads = [cache.get("a"), cache.get("a", { allowStale: true })];
    answer.resolve();

    expect(await Promise.all(reads)).toEqual([undefined, 1]);
  });

  it("is not joined by who wants a load of its own", async () => {
    const { cache } = openTiered();
    const gate = new Gate();
    const first = cache.getOrSet("a", gate.load);
    await turns();

    const second = cache.getOrSet("a", gate.load, { refresh: true });
    await turns();
    expect(gate.calls).toBe(2);
    gate.open("older");
    gate.open("newer");

    expect(await Promise.all([first, second])).toEqual(["older", "newer"]);
    expect(await cache.get("a")).toBe("newer");
  });

  it("does not replace what a later one has brought", async () => {
    const { cache, stored } = openTiered();
    const gate = new Gate();
    const older = cache.getOrSet("a", gate.load);
    await turns();
    await cache.dropTag("unrelated");
    const newer = cache.getOrSet("a", () => "newer");
    expect(await newer).toBe("newer");

    gate.open("older");

    expect(await older).toBe("older");
    expect(await cache.get("a")).toBe("newer");
    expect((await entryIn(stored, "a"))?.value).toBe("newer");
  });

  it("serves a key that stands twice in one call by one load", async () => {
    const { cache } = openTiered();
    const seen: string[][] = [];
    const load = (keys: readonly string[]): number[] => {
      seen.push([...keys]);
      return keys.map((_, index) => index);
    };

    expect(await cache.getOrSetMany(["a", ["a"], "b"], load)).toEqual([0, 0, 1]);
    expect(await cache.getOrSetMany(["a", "a"], load, { refresh: true })).toEqual([0, 0]);

    expect(seen).toEqual([["a", "b"], ["a"]]);
  });
});

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

    expect(await cache.getOrSetMany(["a", "b"], () => [1])).toEqual([1, undefined]);
    expect(await cache.getOrSetMany(["c", "d"], () => new Map([["d", 2]]))).toEqual([undefined, 2]);
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
