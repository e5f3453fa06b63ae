import { describe, expect, it } from "vitest";
import { Gate, openMemory, openTiered, turns } from "./support.ts";

const FOREVER = Number.POSITIVE_INFINITY;
const DAY_MS = 86_400_000;
const down = (): never => {
  throw new Error("down");
};

/** Numbers for chance, the same in every run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return state / 2 ** 32;
  };
}

describe("refresh ahead", () => {
  it("loads behind the first hit after its part of the life, once", async () => {
    const { cache, clock } = openTiered({ defaults: { ttl: 1_000, refreshAhead: 0.8 } });
    const gate = new Gate();
    await cache.set("a", 1);

    clock.advance(799);
    expect(await cache.getOrSet("a", gate.load)).toBe(1);
    expect(gate.calls).toBe(0);
    clock.advance(1);
    expect(await Promise.all([1, 2, 3].map(() => cache.getOrSet("a", gate.load)))).toEqual([
      1, 1, 1,
    ]);
    expect(gate.calls).toBe(1);
    gate.open(2);
    await turns();
    clock.advance(799);
    expect(await cache.getOrSet("a", gate.load)).toBe(2);
    expect(gate.calls).toBe(1);
  });

  it("does not load for who only looks", async () => {
    const { cache, clock } = openTiered({ defaults: { ttl: 1_000, refreshAhead: 0.5 } });
    await cache.set("a", 1);
    clock.advance(600);

    expect(cache.peek("a")).toBe(1);
    expect(await cache.get("a")).toBe(1);

    expect(cache.statistics().loads).toBe(0);
  });

  it("that fails leaves the value fresh until its end", async () => {
    const { cache, clock } = openTiered({
      defaults: { ttl: 1_000, refreshAhead: 0.5, retryAfter: 100, keepStale: "1h" },
    });
    await cache.set("a", 1);
    clock.advance(600);

    expect(await cache.getOrSet("a", down)).toBe(1);
    await turns();
    clock.advance(399);
    expect(await cache.lookup("a")).toMatchObject({ value: 1, stale: false });
    expect(cache.statistics()).toMatchObject({ loadErrors: 1, staleHits: 0 });
    clock.advance(1);

    expect(await cache.get("a")).toBeUndefined();
  });

  it("is joined by who finds the life over meanwhile", async () => {
    const { cache, clock } = openTiered({ defaults: { ttl: 1_000, refreshAhead: 0.5 } });
    await cache.set("a", 1);
    clock.advance(900);
    const gate = new Gate();
    await cache.getOrSet("a", gate.load);
    clock.advance(100);

    const late = cache.getOrSet("a", gate.load);
    await turns();
    gate.open(2);

    expect(await late).toBe(2);
    expect(gate.calls).toBe(1);
  });

  it("counts from when the value was made, wherever it comes from", async () => {
    const { cache, clock, memory } = openTiered({ defaults: { ttl: 1_000, refreshAhead: 0.8 } });
    await cache.set("a", 1);
    clock.advance(850);
    await memory.clear();
    await cache.get("a");
    let loads = 0;

    await cache.getOrSet("a", () => ++loads);

    expect(loads).toBe(1);
  });

  it("never happens with a life for ever", async () => {
    const { cache, clock } = openTiered({ defaults: { ttl: FOREVER, refreshAhead: 0.5 } });
    await cache.set("a", 1);
    clock.advance(1_000 * DAY_MS);

    expect(await cache.getOrSet("a", down)).toBe(1);
    expect(cache.statistics().loads).toBe(0);
  });
});

describe("early refresh", () => {
  it("is the earlier, by chance, the longer the load has taken", async () => {
    const { cache, clock } = openMemory({
      random: seeded(3),
      defaults: { ttl: 10_000, earlyRefresh: 1 },
    });
    const earliness = async (loadMs: number): Promise<number[]> => {
      const results: number[] = [];
      for (let index = 0; index < 300; index++) {
        const key = `${loadMs}:${index}`;
        await cache.getOrSet(key, async () => {
          clock.advance(loadMs);
          return 1;
        });
        const partition = (
          cache as never as {
            core: {
              categories: [
                { memory: { peek(key: string): { attentionMs: number; freshUntilMs: number } } },
              ][];
            };
          }
        ).core.categories[0]?.[0].memory;
        const entry = partition?.peek(key);
        results.push((entry?.freshUntilMs ?? 0) - (entry?.attentionMs ?? 0));
      }
      return results;
    };
    const mean = (numbers: number[]): number => numbers.reduce((a, b) => a + b, 0) / numbers.length;

    const [short, long] = [await earliness(10), await earliness(100)];

    // XFetch draws from an exponential distribution whose mean is the cost of the load.
    expect(mean(short)).toBeGreaterThan(8);
    expect(mean(short)).toBeLessThan(12);
    expect(mean(long)).toBeGreaterThan(80);
    expect(mean(long)).toBeLessThan(120);
    expect(Math.min(...short, ...long)).toBeGreaterThanOrEqual(0);
  });

  it("loads behind a hit that comes after its moment", async () => {
    const { cache, clock } = openMemory({
      random: () => 0.5,
      defaults: { ttl: 10_000, earlyRefresh: 1 },
    });
    await cache.getOrSet("a", async () => {
      clock.advance(1_000);
      return 1;
    });
    let loads = 0;
    const load = (): number => ++loads + 1;

    clock.advance(10_000 - 694);
    await cache.getOrSet("a", load);
    expect(loads).toBe(0);
    clock.advance(2);
    expect(await cache.getOrSet("a", load)).toBe(1);
    await turns();

    expect(loads).toBe(1);
    expect(cache.peek("a")).toBe(2);
  });
});
