import { describe, expect, it } from "vitest";
import { errorOf, openMemory, openTiered, pass, turns } from "./support.ts";

describe("a key that is kept fresh", () => {
  it("is loaded at once, and anew before its time is over", async () => {
    const { cache, clock } = openTiered({ random: () => 0 });
    let loads = 0;
    using _refresh = cache.refreshAhead("a", () => ++loads, { ttl: 300_000, refreshBefore: "60s" });
    await turns();
    expect(cache.peek("a")).toBe(1);

    clock.advance(239_999);
    await turns();
    expect(loads).toBe(1);
    clock.advance(1);
    await turns();

    expect(cache.peek("a")).toBe(2);
    await pass(clock, 2_400_000, 40);
    expect(loads).toBe(12);
    expect(cache.peek("a")).toBe(12);
  });

  it("is loaded a fifth of its life before the end, unless said otherwise", async () => {
    const { cache, clock } = openMemory({ random: () => 0 });
    let loads = 0;
    using _refresh = cache.refreshAhead("a", () => ++loads, { ttl: 1_000 });
    await turns();

    clock.advance(799);
    await turns();
    expect(loads).toBe(1);
    clock.advance(1);
    await turns();

    expect(loads).toBe(2);
  });

  it("does not load at the same time as many others", async () => {
    let draws = 0;
    const { cache, clock } = openMemory({ random: () => (draws++ % 10) / 10 });
    const loads: number[] = [];
    const handles = Array.from({ length: 10 }, (_, index) =>
      cache.refreshAhead(["k", index], () => loads.push(clock.monotonicMs()), { ttl: 10_000 }),
    );
    await turns();
    loads.length = 0;

    await pass(clock, 8_000, 80);

    for (const handle of handles) handle[Symbol.dispose]();
    expect(new Set(loads).size).toBeGreaterThan(5);
  });

  it("is tried again after a failure, ever later, and what is there stays", async () => {
    const { cache, clock } = openMemory({ random: () => 0 });
    let isDown = false;
    const attempts: number[] = [];
    const load = (): string => {
      attempts.push(clock.monotonicMs());
      if (isDown) throw new Error("down");
      return "value";
    };
    using _refresh = cache.refreshAhead("a", load, { ttl: "100s" });
    await turns();
    isDown = true;
    clock.advance(80_000);
    await turns();

    await pass(clock, 19_000, 190);
    const pauses = attempts.slice(1).map((at, index) => at - (attempts[index] ?? 0));
    expect(pauses).toEqual([80_000, 1_000, 2_000, 4_000, 8_000]);
    expect(await cache.lookup("a")).toMatchObject({ value: "value", stale: false });
    isDown = false;
    await pass(clock, 20_000, 200);
    expect(await cache.lookup("a")).toMatchObject({ value: "value", stale: false });
  });

  it("is left alone when the handle is disposed of, and when the cache is closed", async () => {
    const { cache, clock } = openMemory();
    let loads = 0;
    const handle = cache.refreshAhead("a", () => ++loads, { ttl: 1_000 });
    cache.refreshAhead("b", () => ++loads, { ttl: 1_000 });
    await turns();

    handle[Symbol.dispose]();
    await pass(clock, 900);
    expect(loads).toBe(3);
    await cache.close();
    await pass(clock, 60_000);

    expect(loads).toBe(3);
  });

  it("refuses what cannot work, at once", async () => {
    const { cache } = openMemory();
    const attempts: [unknown, RegExp][] = [
      [{ ttl: Number.POSITIVE_INFINITY }, /must end some time/],
      [{ ttl: 1_000, refreshBefore: 1_000 }, /leaves nothing/],
      [{ refreshBefor: 1 }, /unknown option "refreshBefor"/],
      [{ ttl: "soon" }, /ttl: "soon"/],
      [{ tags: [""] }, /A tag/],
    ];

    for (const [options, message] of attempts) {
      const start = async (): Promise<unknown> =>
        cache.refreshAhead("a", () => 1, options as object);
      expect((await errorOf(start())).message).toMatch(message);
    }
  });
});
