import { describe, expect, it } from "vitest";
import { errorOf, Gate, openMemory, openTiered, turns } from "./support.ts";

const ITSELF = { code: "INVALID_ARGUMENT", message: expect.stringContaining("waits for itself") };

describe("a load that waits for itself", () => {
  it("fails at once when it reads its own key, and leaves nothing behind", async () => {
    const { cache } = openMemory();

    const read = cache.getOrSet("a", () => cache.getOrSet("a", () => 1));

    expect(await errorOf(read)).toMatchObject({ ...ITSELF, fields: { key: "a" } });
    expect(await cache.getOrSet("a", () => 2)).toBe(2);
    await turns();
    expect(cache.statistics().inFlight).toBe(0);
  });

  it("fails at once when two loads read each other's keys", async () => {
    const { cache } = openTiered();
    const first = (): Promise<unknown> => cache.getOrSet("a", second);
    const second = (): Promise<unknown> => cache.getOrSet("b", first);

    expect(await errorOf(first())).toMatchObject(ITSELF);
  });

  it("fails at once when it is one of many keys", async () => {
    const { cache } = openMemory();

    const read = cache.getOrSetMany(["a", "b"], async (keys) => {
      await turns();
      return await Promise.all(keys.map((key) => cache.getOrSet(key, () => 1)));
    });

    expect(await errorOf(read)).toMatchObject(ITSELF);
  });

  it("may look at its key, and finds nothing or what is stale", async () => {
    const { cache, clock } = openMemory({ defaults: { ttl: 1_000, keepStale: "1h" } });
    const looks: unknown[] = [];
    const load = async (): Promise<number> => {
      looks.push(await cache.get("a"), await cache.get("a", { allowStale: true }));
      return 1;
    };

    await cache.getOrSet("a", load);
    clock.advance(1_000);
    await cache.getOrSet("a", load);

    expect(looks).toEqual([undefined, undefined, undefined, 1]);
  });
});

describe("a load that waits for another", () => {
  it("is not accused of waiting for itself when others wait for the same", async () => {
    const { cache } = openMemory();
    const shared = new Gate<number>();
    const read = cache.getOrSet("a", async () => {
      const parts = [cache.getOrSet("b", () => cache.getOrSet("c", shared.load))];
      parts.push(cache.getOrSet("c", shared.load));
      const sum = (await Promise.all(parts)) as number[];
      return sum.reduce((total, part) => total + part, 0);
    });
    await turns();

    shared.open(2);

    expect(await read).toBe(4);
    expect(shared.calls).toBe(1);
  });

  it("is not waited for by what is loaded anew behind it, which may wait for it", async () => {
    const { cache, clock } = openMemory({ defaults: { ttl: 1_000, refreshAhead: 0.5 } });
    const gate = new Gate<number>();
    await cache.set("b", 1);
    clock.advance(600);

    const read = cache.getOrSet("a", async () => {
      const behind = async (): Promise<number> => Number(await cache.getOrSet("a", gate.load)) + 1;
      await cache.getOrSet("b", behind);
      return await gate.load({ signal: new AbortController().signal });
    });
    await turns();
    gate.open(5);

    expect(await read).toBe(5);
    await turns();
    expect(cache.peek("b")).toBe(6);
    expect(cache.statistics().loadErrors).toBe(0);
  });

  it("knows nothing of loads that are over, whose timers go on", async () => {
    const { cache, clock } = openMemory();
    const { promise: later, resolve } = Promise.withResolvers<unknown>();
    await cache.getOrSet("a", () => {
      clock.schedule(() => resolve(cache.getOrSet("a", () => 2)), 1_000);
      return 1;
    });
    await cache.drop("a");

    clock.advance(1_000);

    expect(await later).toBe(2);
  });
});
