/** Loads that go on behind something stale, and those who come meanwhile. */

import { describe, expect, it } from "vitest";
import {
  errorOf,
  Gate,
  type Opened,
  openMemory,
  openTiered,
  pass,
  stateOf,
  turns,
} from "./support.ts";

/** Lives whose old value, 1, is given for a second from its end on, at once or after 10 ms. */
const lives = {
  "stale-while-revalidate": { ttl: 1_000, staleWhileRevalidate: 1_000 },
  "a soft timeout": { ttl: 1_000, keepStale: 1_000, softTimeout: 10 },
} as const;

/** A load of "a" that was released 510 ms past the end of its old value. */
async function release(life: object): Promise<Opened & { readonly gate: Gate }> {
  const opened = openTiered({ defaults: life });
  const { cache, clock } = opened;
  await cache.set("a", 1, { tags: ["t"] });
  clock.advance(1_500);
  const gate = new Gate();
  const first = cache.resolve("a", gate.load);
  await pass(clock, 10);
  expect(await first).toMatchObject({ value: 1, stale: true });
  return { ...opened, gate };
}

describe.each(Object.entries(lives))("behind %s", (_, life) => {
  it("the old value is for those who would load, while its time lasts", async () => {
    const { cache, clock, gate } = await release(life);
    clock.advance(489);

    expect(await cache.resolve("a", gate.load)).toMatchObject({ value: 1, stale: true });

    expect(gate.calls).toBe(1);
  });

  it("they wait for the load when that time is over", async () => {
    const { cache, clock, gate } = await release(life);
    clock.advance(490);

    const late = [cache.resolve("a", gate.load), cache.resolve("a", gate.load)];
    expect(await stateOf(Promise.race(late))).toBe("pending");
    gate.open(2);

    for (const read of late) expect(await read).toMatchObject({ value: 2, stale: false });
    expect(gate.calls).toBe(1);
    expect(cache.peek("a")).toBe(2);
  });

  it("who only looks has it when he would have something stale, and while it is kept", async () => {
    const { cache, clock, gate } = await release(life);

    expect(await cache.lookup("a")).toMatchObject({ hit: false, value: undefined });
    expect(await cache.getMany(["a"])).toEqual([undefined]);
    expect(await cache.lookup("a", { allowStale: true })).toMatchObject({ value: 1, stale: true });
    clock.advance(490);
    expect(await cache.get("a", { allowStale: true })).toBeUndefined();
    const late = cache.getOrSet("a", gate.load);
    expect(await stateOf(cache.get("a"))).toBe("value");
    gate.open(2);
    expect(await late).toBe(2);
  });

  it("they fail with the load, and by its hard timeout", async () => {
    const { cache, clock, gate } = await release({ ...life, hardTimeout: 20_000 });
    clock.advance(490);
    const late = cache.getOrSet("a", gate.load);

    await pass(clock, 19_499, 1);
    expect(await stateOf(late)).toBe("pending");
    await pass(clock, 1, 1);

    expect((await errorOf(late)).code).toBe("TIMEOUT");
    expect(gate.signals[0]?.aborted).toBe(true);
    expect(await cache.getOrSet("a", () => 3)).toBe(3);
  });

  it("they may leave, and the load goes on", async () => {
    const { cache, clock, gate } = await release(life);
    clock.advance(490);
    const controller = new AbortController();
    const late = errorOf(cache.getOrSet("a", gate.load, { signal: controller.signal }));

    controller.abort();
    expect((await late).code).toBe("ABORTED");
    expect(gate.signals[0]?.aborted).toBe(false);
    gate.open(2);
    await turns();

    expect(cache.peek("a")).toBe(2);
  });

  it("they get what it brings, and nothing of it is kept after a change of its key", async () => {
    const { cache, clock, gate } = await release(life);
    clock.advance(490);
    const late = cache.getOrSet("a", gate.load);
    await turns();

    await cache.drop("a");
    gate.open(2);

    expect(await late).toBe(2);
    expect(cache.peek("a")).toBeUndefined();
  });

  it("they end with the cache", async () => {
    const { cache, clock, gate } = await release({
      ...life,
      hardTimeout: Number.POSITIVE_INFINITY,
    });
    clock.advance(490);
    const late = errorOf(cache.getOrSet("a", gate.load));
    await turns();

    await cache.close();

    expect((await late).code).toBe("CLOSED");
  });
});

describe("who comes when the time of stale-while-revalidate is over", () => {
  const life = { ttl: 1_000, staleWhileRevalidate: 1_000, keepStale: "1h" } as const;

  it("gets the old value when the load fails", async () => {
    const { cache, clock, gate } = await release(life);
    clock.advance(490);
    const late = cache.resolve("a", gate.load);
    await turns();

    gate.fail(new Error("down"));

    expect(await late).toMatchObject({ value: 1, stale: true, error: { message: "down" } });
  });

  it("gets it after the soft timeout of the load, and so does who comes then", async () => {
    const { cache, clock, gate } = await release({ ...life, softTimeout: 2_000 });
    clock.advance(490);
    const late = cache.resolve("a", gate.load);

    await pass(clock, 1_499, 1);
    expect(await stateOf(late)).toBe("pending");
    await pass(clock, 1, 1);

    expect(await late).toMatchObject({ value: 1, stale: true });
    expect(await cache.resolve("a", gate.load)).toMatchObject({ value: 1, stale: true });
    expect(gate.calls).toBe(1);
  });
});

it("who only looks and joins a load that fails has nothing stale, unless it would", async () => {
  const { cache, clock } = openTiered({ defaults: { ttl: 1_000, keepStale: "1h", retryAfter: 0 } });
  await cache.set("a", 1);
  clock.advance(1_500);
  const gate = new Gate();
  const loading = cache.resolve("a", gate.load);
  await turns();
  const looks = [cache.get("a"), cache.get("a", { allowStale: true })];
  await turns();

  gate.fail(new Error("down"));

  expect(await loading).toMatchObject({ value: 1, stale: true });
  expect(await Promise.all(looks)).toEqual([undefined, 1]);
  expect(cache.statistics()).toMatchObject({ hits: 0, misses: 3, staleHits: 2 });
});

it("a soft timeout gives nothing whose keeping is over", async () => {
  const { cache, clock } = openMemory({
    defaults: { ttl: 1_000, keepStale: 1_000, softTimeout: 5_000 },
  });
  await cache.set("a", 1);
  clock.advance(1_500);
  const gate = new Gate();
  const read = cache.getOrSet("a", gate.load);

  await pass(clock, 5_000);
  expect(await stateOf(read)).toBe("pending");
  gate.open(2);

  expect(await read).toBe(2);
});

it("a load that brings nothing brings it to those who have come late, too", async () => {
  const { cache, clock, gate } = await release(lives["stale-while-revalidate"]);
  clock.advance(490);
  const late = cache.getOrSet("a", gate.load);

  gate.open(undefined);

  expect(await late).toBeUndefined();
  expect(gate.calls).toBe(1);
});
