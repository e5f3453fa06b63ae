import { describe, expect, it } from "vitest";
import { createCache } from "../../src/cache/cache.ts";
import { entryIn, errorOf, Gate, openMemory, openTiered, pass, turns } from "./support.ts";

const FOREVER = Number.POSITIVE_INFINITY;
const DAY_MS = 86_400_000;

describe("a tier's own time to live", () => {
  it("holds in that tier alone", async () => {
    const { cache, clock, memory } = openTiered({
      defaults: { ttl: "1m", tierTtl: { below: "1h" } },
    });
    await cache.set("a", 1);

    clock.advance(60_000);
    expect(cache.peek("a")).toBeUndefined();
    expect(await cache.lookup("a")).toMatchObject({ value: 1, source: "below" });
    // Memory has it again, for its own time.
    expect(cache.peek("a")).toBe(1);
    clock.advance(60_000);
    expect(cache.peek("a")).toBeUndefined();
    clock.advance(3_480_000 - 10_000);
    expect(await cache.get("a")).toBe(1);
    clock.advance(10_000);
    expect(cache.peek("a")).toBeUndefined();
    await memory.clear();
    expect(await cache.get("a")).toBeUndefined();
  });

  it("may be shorter above, so that memory is filled again and again", async () => {
    const { cache, clock } = openTiered({ defaults: { ttl: "1h", tierTtl: { memory: "10s" } } });
    await cache.set("a", 1);

    for (let minute = 0; minute < 59; minute++) {
      clock.advance(60_000);
      expect(cache.peek("a")).toBeUndefined();
      expect(await cache.get("a")).toBe(1);
      expect(cache.peek("a")).toBe(1);
    }
    clock.advance(60_000);
    expect(await cache.get("a")).toBeUndefined();
  });

  it("may be zero: the value is not there, and nothing older either", async () => {
    const { cache, stored, memory } = openTiered();
    await cache.set("a", 1);

    await cache.set("a", 2, { tierTtl: { below: 0 } });
    expect(await entryIn(stored, "a")).toBeUndefined();
    expect(cache.peek("a")).toBe(2);
    await cache.set("b", 1);
    await cache.set("b", 2, { tierTtl: { memory: 0 } });
    expect(cache.peek("b")).toBeUndefined();
    expect(await cache.get("b")).toBe(2);
    await memory.clear();
  });

  it("holds with a ttl for ever, and for a tier for ever", async () => {
    const { cache, clock, memory } = openTiered();
    await cache.set("a", 1, { ttl: FOREVER, tierTtl: { memory: "1m" } });
    await cache.set("b", 1, { ttl: "1m", tierTtl: { below: FOREVER }, keepStale: "1m" });

    clock.advance(DAY_MS);
    await memory.sweep();
    expect([cache.peek("a"), cache.peek("b")]).toEqual([undefined, undefined]);
    expect(await cache.getMany(["a", "b"])).toEqual([1, 1]);
  });

  it("gives way to a ttl that is said nearer", async () => {
    const { cache, clock, memory } = openTiered({ defaults: { tierTtl: { below: "1h" } } });
    await cache.set("a", 1, { ttl: "10s" });

    clock.advance(10_000);
    await memory.clear();

    expect(await cache.get("a")).toBeUndefined();
  });

  it("of a tier that is not there is refused, naming those that are", async () => {
    const { cache, clock } = openTiered();
    const options = { tierTtl: { memroy: "1m" } };

    const errors = [
      await errorOf(cache.set("a", 1, options)),
      await errorOf((async () => createCache({ clock, defaults: options }))()),
    ];

    for (const { message } of errors) expect(message).toMatch(/"memroy".*It has: memory/);
  });
});

describe("what comes from a tier below", () => {
  it("has in memory what is left of its life", async () => {
    const { cache, clock, memory } = openTiered();
    await cache.set("a", 1, { ttl: 1_000, keepStale: 500 });
    clock.advance(900);
    await memory.clear();
    expect(await cache.get("a")).toBe(1);

    clock.advance(99);
    expect(cache.peek("a")).toBe(1);
    clock.advance(1);
    expect(cache.peek("a")).toBeUndefined();
    expect(await cache.get("a", { allowStale: true })).toBe(1);
    clock.advance(500);
    expect(await cache.get("a", { allowStale: true })).toBeUndefined();
  });

  it("is filled with its tags, its revision and the cost of its load", async () => {
    const { cache, clock, memory } = openTiered();
    const load = cache.getOrSet("a", async (context) => {
      context.tags("t");
      context.etag("v1");
      await turns(1);
      clock.advance(70);
      return 1;
    });
    await load;
    const [before] = await memory.getMany(["cache/1/default/a"]);
    await memory.clear();
    await cache.get("a");

    const [after] = await memory.getMany(["cache/1/default/a"]);

    expect(after).toEqual(before);
    expect(after).toMatchObject({ tags: ["cache/t"], etag: "v1", loadMs: 70 });
  });

  it("is as old as the beginning of its load", async () => {
    const { cache, clock, stored } = openTiered();
    const startMs = clock.nowMs();
    const gate = new Gate();
    const load = cache.getOrSet("a", gate.load, { ttl: 1_000 });
    await pass(clock, 500);
    gate.open(1);
    await load;

    expect(await entryIn(stored, "a")).toMatchObject({
      createdMs: startMs,
      freshUntilMs: startMs + 1_500,
    });
  });
});

describe("a clock that is set back", () => {
  it("makes no value live longer", async () => {
    const { cache, clock } = openMemory();
    await cache.set("a", 1, { ttl: 1_000 });

    clock.setBack(3_600_000);
    clock.advance(1_000);

    expect(cache.peek("a")).toBeUndefined();
    expect(await cache.get("a")).toBeUndefined();
  });

  it("does not keep new values from being kept", async () => {
    const { cache, clock, memory, stored } = openTiered();
    await cache.set("a", 1);
    clock.setBack(3_600_000);

    await cache.set("a", 2);
    expect(cache.peek("a")).toBe(2);
    expect(await cache.get(["a"])).toBe(2);
    expect((await entryIn(stored, "a"))?.value).toBe(2);
    await memory.clear();
    expect(await cache.getOrSet("a", () => 3)).toBe(2);
  });
});
