import { describe, expect, it } from "vitest";
import { entryIn, errorOf, Gate, openTiered, stateOf, turns } from "./support.ts";

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
    expect(cache.statistics()).toMatchObject({ loads: 1, misses: 10_000, inFlight: 0 });
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

  it("gives what is stale to none but the one who would have it, though he was the first", async () => {
    const { cache, lower, clock } = openTiered();
    await cache.set("a", 1, { ttl: 10, keepStale: "1h" });
    clock.advance(10);
    const answer = Promise.withResolvers<void>();
    lower.fault = { kind: "delay", until: () => answer.promise };

    const looks = [cache.get("a", { allowStale: true }), cache.get("a")];
    const load = cache.getOrSet("a", () => "loaded");
    answer.resolve();

    expect(await Promise.all([...looks, load])).toEqual([1, undefined, "loaded"]);
    expect(cache.statistics()).toMatchObject({ staleHits: 1, loads: 1 });
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
