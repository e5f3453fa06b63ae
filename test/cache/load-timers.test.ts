/** The timers of loads keep the process alive exactly while somebody waits. */

import { describe, expect, it } from "vitest";
import { FakeClock } from "../../src/testing/fake-clock.ts";
import { errorOf, Gate, openMemory, openTiered, pass, stateOf, turns } from "./support.ts";

/** Knows which of its timers keep the process alive. */
class WatchedClock extends FakeClock {
  readonly alive = new Set<object>();

  override schedule(callback: () => void, delayMs: number, keepsAlive = false): Disposable {
    const timer = super.schedule(() => {
      this.alive.delete(timer);
      callback();
    }, delayMs);
    if (keepsAlive) this.alive.add(timer);
    return {
      [Symbol.dispose]: () => {
        this.alive.delete(timer);
        timer[Symbol.dispose]();
      },
    };
  }
}

const swr = { ttl: 1_000, staleWhileRevalidate: 1_000, hardTimeout: 20_000 } as const;

/** A cache with an old value of "a", half a second past its end. */
async function openStale(life: object) {
  const clock = new WatchedClock();
  const { cache } = openMemory({ defaults: life }, clock);
  await cache.set("a", 1);
  clock.advance(1_500);
  return { cache, clock, gate: new Gate() };
}

describe("a process is kept alive", () => {
  it("by a load that somebody waits for, until its end", async () => {
    const { cache, clock, gate } = await openStale(swr);

    const reads = [cache.getOrSet("b", gate.load), cache.getOrSet("b", gate.load)];
    await turns();
    expect(clock.alive.size).toBe(1);
    gate.open(2);
    await Promise.all(reads);

    expect(clock.alive.size).toBe(0);
  });

  it("by no load behind a stale answer, but by who waits for it later, until its timeout", async () => {
    const { cache, clock, gate } = await openStale(swr);

    expect(await cache.getOrSet("a", gate.load)).toBe(1);
    expect(clock.alive.size).toBe(0);
    clock.advance(500);
    const late = errorOf(cache.getOrSet("a", gate.load));
    expect(clock.alive.size).toBe(1);

    await pass(clock, 19_499, 1);
    expect(await stateOf(late)).toBe("pending");
    await pass(clock, 1, 1);
    expect((await late).code).toBe("TIMEOUT");
    expect(clock.alive.size).toBe(0);
  });

  it("until the soft timeout that answers all who wait", async () => {
    const life = { ttl: 1_000, keepStale: "1h", softTimeout: 100 } as const;
    const { cache, clock, gate } = await openStale(life);
    const read = cache.getOrSet("a", gate.load);
    await turns();
    expect(clock.alive.size).toBe(2);

    await pass(clock, 100);

    expect(await read).toBe(1);
    expect(clock.alive.size).toBe(0);
  });

  it("by no refresh, but by who joins it, for as long as he stays", async () => {
    const { cache, clock, gate } = await openStale(swr);
    using _handle = cache.refreshAhead("b", gate.load, { hardTimeout: 20_000 });
    await turns();
    expect(gate.calls).toBe(1);
    expect(clock.alive.size).toBe(0);

    const controller = new AbortController();
    const leaving = errorOf(cache.getOrSet("b", gate.load, { signal: controller.signal }));
    expect(clock.alive.size).toBe(1);
    controller.abort();
    await leaving;
    expect(clock.alive.size).toBe(0);
    expect(gate.signals[0]?.aborted).toBe(false);

    const staying = errorOf(cache.getOrSet("b", gate.load));
    expect(clock.alive.size).toBe(1);
    await pass(clock, 20_000);
    expect((await staying).code).toBe("TIMEOUT");
    expect(gate.calls).toBe(1);
  });

  it("by a load of many keys while one of them is waited for", async () => {
    const { cache, clock } = await openStale(swr);
    const loaded = Promise.withResolvers<number[]>();
    const controller = new AbortController();
    const { signal } = controller;

    const reads = cache.getOrSetMany(["a", "b", "c"], () => loaded.promise, { signal });
    const other = cache.getOrSet("c", () => 0);
    await turns();
    expect(clock.alive.size).toBe(1);
    controller.abort();
    await errorOf(reads);
    expect(clock.alive.size).toBe(1);
    loaded.resolve([2, 3, 4]);

    expect(await other).toBe(4);
    expect(clock.alive.size).toBe(0);
  });
});

it("the signal of a refresh ends the load that it alone waits for", async () => {
  const { cache } = openTiered();
  const gate = new Gate();
  const controller = new AbortController();
  using _handle = cache.refreshAhead("a", gate.load, { signal: controller.signal });
  await turns();

  controller.abort();

  expect(gate.signals[0]?.aborted).toBe(true);
});
