import { describe, expect, it } from "vitest";
import { errorOf, Gate, openTiered, pass, stateOf, turns } from "./support.ts";

const down = (): never => {
  throw new Error("down");
};

describe("something stale", () => {
  const life = { ttl: 1_000, keepStale: 60_000 } as const;

  it("is given when the load fails, with the flag and the failure, from every tier", async () => {
    const { cache, clock, memory } = openTiered({ defaults: { ...life, retryAfter: 0 } });
    await cache.set("a", 1);
    clock.advance(1_000);

    for (let where = 0; where < 2; where++) {
      expect(await cache.getOrSet("a", down)).toBe(1);
      expect(await cache.resolve("a", down)).toMatchObject({
        hit: true,
        value: 1,
        stale: true,
        source: "stale",
        error: { message: "down" },
      });
      expect(await cache.getOrSetMany(["a"], down)).toEqual([1]);
      expect(await cache.get("a")).toBeUndefined();
      await memory.clear();
    }
    expect(cache.statistics().staleHits).toBe(6);
  });

  it("is kept as long as it says, and then the load's own error counts", async () => {
    const { cache, clock } = openTiered({ defaults: life });
    await cache.set("a", 1);

    clock.advance(60_999);
    expect(await cache.getOrSet("a", down)).toBe(1);
    clock.advance(1);

    expect((await errorOf(cache.getOrSet("a", down))).message).toBe("down");
  });

  it("is not given when its keeping ends while the load fails", async () => {
    const { cache, clock } = openTiered({ defaults: { ttl: 1_000, keepStale: 1_000 } });
    await cache.set("a", 1);
    clock.advance(1_500);
    const gate = new Gate();
    const read = errorOf(cache.getOrSet("a", gate.load));
    await pass(clock, 500);

    gate.fail(new Error("down"));

    expect((await read).message).toBe("down");
  });

  it("is not kept without keepStale", async () => {
    const { cache, clock } = openTiered({ defaults: { ttl: 1_000 } });
    await cache.set("a", 1);
    clock.advance(1_000);

    expect((await errorOf(cache.getOrSet("a", down))).message).toBe("down");
  });

  it("spares the source for a while after a failure, and stays stale", async () => {
    const { cache, clock } = openTiered({ defaults: { ...life, retryAfter: 2_000 } });
    await cache.set("a", 1, { tags: ["t"] });
    clock.advance(1_000);
    let loads = 0;
    const load = (): never => {
      loads++;
      return down();
    };

    expect(await cache.getOrSet("a", load)).toBe(1);
    expect(await cache.resolve("a", load)).toMatchObject({ value: 1, stale: true });
    expect(await cache.lookup("a")).toMatchObject({ value: 1, stale: true, source: "memory" });
    clock.advance(1_999);
    expect(await cache.getOrSet("a", load)).toBe(1);
    expect(loads).toBe(1);
    clock.advance(1);
    expect(await cache.getOrSet("a", load)).toBe(1);
    expect(loads).toBe(2);
    clock.advance(2_000);
    expect(await cache.resolve("a", () => 2)).toMatchObject({ value: 2, stale: false });
    expect(await cache.lookup("a")).toMatchObject({ value: 2, stale: false });
  });

  it("is never served beyond its keeping by being spared", async () => {
    const { cache, clock } = openTiered({
      defaults: { ttl: 1_000, keepStale: 1_000, retryAfter: "1h" },
    });
    await cache.set("a", 1);
    clock.advance(1_500);
    expect(await cache.getOrSet("a", down)).toBe(1);

    clock.advance(499);
    expect(await cache.get("a")).toBe(1);
    clock.advance(1);
    expect(await cache.get("a")).toBeUndefined();
  });

  it("uses the retryAfter of the call when its load takes too long", async () => {
    const { cache, clock } = openTiered({ defaults: life });
    await cache.set("a", 1);
    clock.advance(1_000);
    const gate = new Gate();
    const read = cache.getOrSet("a", gate.load, { hardTimeout: 100, retryAfter: 20_000 });
    await pass(clock, 100);

    expect(await read).toBe(1);
    clock.advance(19_000);
    expect(await cache.get("a")).toBe(1);
  });

  it("is tagged still, so that it can be dropped", async () => {
    const { cache, clock } = openTiered({ defaults: life });
    await cache.set("a", 1, { tags: ["t"] });
    clock.advance(1_000);
    await cache.getOrSet("a", down);

    await cache.dropTag("t");

    expect((await errorOf(cache.getOrSet("a", down))).message).toBe("down");
  });

  it("is not brought back by a load that fails after a drop", async () => {
    const { cache, clock, memory } = openTiered({ defaults: life });
    for (const drop of [() => cache.drop("a"), () => cache.dropTag("t"), () => cache.clear()]) {
      await cache.set("a", 1, { tags: ["t"] });
      clock.advance(1_000);
      const gate = new Gate();
      const read = cache.getOrSet("a", gate.load).catch(() => "failed");
      await turns();

      await drop();
      gate.fail(new Error("down"));
      await read;

      expect(await cache.get("a", { allowStale: true }), String(drop)).toBeUndefined();
      await memory.clear();
      expect(await cache.get("a", { allowStale: true })).toBeUndefined();
    }
  });

  it("is for those who would have it", async () => {
    const { cache, clock } = openTiered({ defaults: life });
    await cache.set("a", 1);
    clock.advance(1_000);

    expect(await cache.get("a")).toBeUndefined();
    expect(await cache.get("a", { allowStale: true })).toBe(1);
    expect(await cache.getMany(["a", "b"], { allowStale: true })).toEqual([1, undefined]);
    expect(await cache.getOrSet("a", () => 2, { allowStale: true })).toBe(2);
  });
});

describe("a soft timeout", () => {
  const life = { ttl: 1_000, keepStale: 60_000, softTimeout: 100 } as const;

  it("gives what is stale, and the load goes on for those to come", async () => {
    const { cache, clock } = openTiered({ defaults: life });
    await cache.set("a", 1);
    clock.advance(1_000);
    const gate = new Gate();
    const reads = [cache.getOrSet("a", gate.load), cache.getOrSet("a", gate.load)];
    await turns();

    clock.advance(99);
    expect(await stateOf(reads[0] as Promise<unknown>)).toBe("pending");
    clock.advance(1);
    expect(await Promise.all(reads)).toEqual([1, 1]);
    expect(await cache.getOrSet("a", gate.load)).toBe(1);
    expect(gate.calls).toBe(1);
    gate.open(2);
    await turns();
    expect(cache.peek("a")).toBe(2);
  });

  it("does nothing without anything stale", async () => {
    const { cache, clock } = openTiered({ defaults: life });
    const gate = new Gate();
    const read = cache.getOrSet("a", gate.load);

    await pass(clock, 20_000);
    expect(await stateOf(read)).toBe("pending");
    gate.open(1);

    expect(await read).toBe(1);
  });

  it("of zero is stale-while-revalidate", async () => {
    const { cache, clock } = openTiered({ defaults: { ...life, softTimeout: 0 } });
    await cache.set("a", 1);
    clock.advance(1_000);
    const gate = new Gate();
    const read = cache.resolve("a", gate.load);
    await turns();
    clock.advance(0);

    expect(await read).toMatchObject({ value: 1, stale: true, error: undefined });
  });

  it("leaves a hard timeout to the load that goes on", async () => {
    const { cache, clock } = openTiered({ defaults: life });
    await cache.set("a", 1);
    clock.advance(1_000);
    const gate = new Gate();
    const read = cache.getOrSet("a", gate.load);
    await pass(clock, 100);
    await read;

    await pass(clock, 30_000);

    expect(gate.signals[0]?.aborted).toBe(true);
    expect(cache.statistics()).toMatchObject({ loadErrors: 1, inFlight: 0 });
  });
});

describe("stale-while-revalidate", () => {
  const life = { ttl: 1_000, staleWhileRevalidate: 5_000 } as const;

  it("answers at once for its time, and loads once behind", async () => {
    const { cache, clock, memory } = openTiered({ defaults: life });
    await cache.set("a", 1);
    for (let where = 0; where < 2; where++) {
      clock.advance(1_000);
      const gate = new Gate();

      const reads = await Promise.all([1, 2, 3].map(() => cache.resolve("a", gate.load)));

      expect(reads.map(({ value, stale }) => [value, stale])).toEqual(Array(3).fill([1, true]));
      expect(gate.calls).toBe(1);
      gate.open(1);
      await turns();
      expect(await cache.lookup("a")).toMatchObject({ value: 1, stale: false });
      await memory.clear();
    }
  });

  it("waits for the load when its time is over", async () => {
    const { cache, clock } = openTiered({ defaults: { ...life, keepStale: "1h" } });
    await cache.set("a", 1);
    clock.advance(6_000);
    const gate = new Gate();
    const read = cache.getOrSet("a", gate.load);

    expect(await stateOf(read)).toBe("pending");
    gate.open(2);

    expect(await read).toBe(2);
  });

  it("keeps what it has when the load behind fails, and tells nobody but the statistics", async () => {
    const { cache, clock } = openTiered({ defaults: { ...life, retryAfter: 500 } });
    await cache.set("a", 1);
    clock.advance(1_000);

    expect(await cache.getOrSet("a", down)).toBe(1);
    await turns();
    expect(cache.statistics()).toMatchObject({ loadErrors: 1, staleHits: 1 });
    expect(await cache.getOrSet("a", down)).toBe(1);
    expect(cache.statistics().loadErrors).toBe(1);
  });

  it("goes on loading when its caller leaves", async () => {
    const { cache, clock } = openTiered({ defaults: life });
    await cache.set("a", 1);
    clock.advance(1_000);
    const controller = new AbortController();
    const gate = new Gate();
    await cache.getOrSet("a", gate.load, { signal: controller.signal });

    controller.abort();
    expect(gate.signals[0]?.aborted).toBe(false);
    gate.open(2);
    await turns();

    expect(cache.peek("a")).toBe(2);
  });
});
