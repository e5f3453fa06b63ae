import { describe, expect, it } from "vitest";
import { Gate, openTiered, THROWS, turns } from "./support.ts";

describe("an explanation", () => {
  it("says of each tier what it has, how old it is and for how long", async () => {
    const { cache, clock, memory } = openTiered({
      defaults: { ttl: 1_000, keepStale: 500, tierTtl: { below: 5_000 } },
    });
    const load = cache.getOrSet("a", async (context) => {
      context.tags("t");
      clock.advance(40);
      return 1;
    });
    await load;
    clock.advance(1_100);

    const { tiers, ...rest } = await cache.explain(["a"]);

    expect(rest).toEqual({
      key: "a",
      category: "default",
      wholeKey: "cache/1/default/a",
      inFlight: false,
    });
    const common = { ageMs: 1_140, tags: ["t"], loadMs: 40 };
    expect(tiers).toEqual([
      {
        tier: "memory",
        state: "stale",
        freshForMs: -100,
        keptForMs: 400,
        ...common,
        bytes: expect.any(Number),
      },
      {
        tier: "below",
        state: "fresh",
        freshForMs: 3_900,
        keptForMs: 4_400,
        ...common,
        bytes: undefined,
      },
    ]);
    await memory.clear();
    expect((await cache.explain("a")).tiers[0]).toMatchObject({ state: "none", tags: [] });
  });

  it("counts as no hit, moves no sliding life and needs no tier that works", async () => {
    const { cache, lower, clock } = openTiered();
    await cache.set("a", 1, { ttl: 1_000, sliding: true });
    lower.fault = THROWS;
    clock.advance(900);

    expect((await cache.explain("a")).tiers.map(({ state }) => state)).toEqual(["fresh", "none"]);

    clock.advance(100);
    expect(cache.peek("a")).toBeUndefined();
    expect(cache.statistics().hits).toBe(0);
  });

  it("counts no miss in a tier that has nothing, nor does any other look", async () => {
    const { cache, lower, stored } = openTiered();

    await cache.explain("a");
    expect(await cache.has("a")).toBe(false);
    expect(await cache.freshForMs("a")).toBeUndefined();

    expect(lower.calls["lookMany"]).toBe(3);
    expect(stored.statistics()).toMatchObject({ hits: 0, misses: 0 });
  });

  it("says whether a read is under way", async () => {
    const { cache } = openTiered();
    const gate = new Gate();
    const read = cache.getOrSet("a", gate.load);
    await turns();

    expect((await cache.explain("a")).inFlight).toBe(true);
    gate.open(1);
    await read;
    await turns();

    expect((await cache.explain("a")).inFlight).toBe(false);
  });

  it("calls stale what is only fresh because its load failed", async () => {
    const { cache, clock } = openTiered({ defaults: { ttl: 1_000, keepStale: "1h" } });
    await cache.set("a", 1);
    clock.advance(1_000);
    await cache.getOrSet("a", () => Promise.reject(new Error("down")));

    expect((await cache.explain("a")).tiers[0]?.state).toBe("stale");
  });

  it("says what reads find when the wall clock was set back, as each of them does", async () => {
    const { cache, clock } = openTiered({ defaults: { ttl: "1h" } });
    clock.advance(3_600_000);
    await cache.set("a", 1);
    clock.setBack(60_000);

    const [memory, below] = (await cache.explain("a")).tiers;

    expect(memory).toMatchObject({ state: "fresh", ageMs: 0, freshForMs: 3_600_000 });
    expect(below).toMatchObject({ state: "none" });
    expect([await cache.get("a"), await cache.has("a")]).toEqual([1, true]);
    expect([await cache.get(["a"]), await cache.getMany(["a"])]).toEqual([1, [1]]);
    expect(await cache.freshForMs("a")).toBe(3_600_000);
    await cache.expire("a");
    expect(await cache.get("a")).toBeUndefined();
  });
});
