import { describe, expect, it } from "vitest";
import { type Cache, createCache } from "../../src/cache/cache.ts";
import { ChaosTier } from "../../src/testing/chaos-tier.ts";
import { FakeClock } from "../../src/testing/fake-clock.ts";
import { memoryTier } from "../../src/tier/memory/memory-tier.ts";
import type { LeaseHost } from "../../src/tier/tier.ts";
import { Gate, HANGS, pass, stateOf, THROWS, turns, WORKS } from "./support.ts";

/** A tier that several caches share, as processes do, and that keeps leases of keys. */
class SharedTier extends ChaosTier {
  readonly held = new Map<string, string>();
  /** When the leases end that were acquired; others never do. */
  readonly #endsMs = new Map<string, number>();
  renewals = 0;
  readonly leases: LeaseHost;

  constructor(clock: FakeClock) {
    super(memoryTier({ clock, name: "shared", sweepEvery: 0 }));
    let tokens = 0;
    this.leases = {
      acquireLease: async (key, durationMs) => {
        await this.suffer();
        const endsMs = this.#endsMs.get(key) ?? Number.POSITIVE_INFINITY;
        if (this.held.has(key) && endsMs > clock.monotonicMs()) return undefined;
        const token = `token ${++tokens}`;
        this.held.set(key, token);
        this.#endsMs.set(key, clock.monotonicMs() + durationMs);
        return token;
      },
      renewLease: async (key, token, durationMs) => {
        await this.suffer();
        if (this.held.get(key) !== token) return false;
        this.renewals++;
        this.#endsMs.set(key, clock.monotonicMs() + durationMs);
        return true;
      },
      releaseLease: async (key, token) => {
        await this.suffer();
        if (this.held.get(key) === token) this.held.delete(key);
      },
    };
  }

  async suffer(): Promise<void> {
    await this.lookMany([]);
  }
}

function openProcesses(count: number): {
  caches: Cache[];
  shared: SharedTier;
  clock: FakeClock;
} {
  const clock = new FakeClock();
  const shared = new SharedTier(clock);
  const caches = Array.from({ length: count }, () =>
    createCache({ clock, tiers: [memoryTier({ clock }), shared] }),
  );
  return { caches, shared, clock };
}

describe("a lease", () => {
  it("has one of several processes load, and the others wait for its value", async () => {
    const { caches, clock, shared } = openProcesses(4);
    const gate = new Gate();
    const reads = caches.map((cache) => cache.resolve("a", gate.load));
    await turns();
    expect(gate.calls).toBe(1);

    gate.open(1);
    await pass(clock, 100);

    const lookups = await Promise.all(reads);
    expect(lookups.map(({ value }) => value)).toEqual([1, 1, 1, 1]);
    expect(lookups.map(({ source }) => source).sort()).toEqual(["lease", "lease", "lease", "load"]);
    expect(gate.calls).toBe(1);
    expect(shared.held.size).toBe(0);
    expect(caches.map((cache) => cache.peek("a"))).toEqual([1, 1, 1, 1]);
  });

  it("is waited for without a use of what there is", async () => {
    const { caches, clock, shared } = openProcesses(2);
    const [one] = caches as [Cache];
    await one.set("a", "stale", { ttl: 1_000, keepStale: "1h" });
    clock.advance(1_000);
    for (const cache of caches) expect(await cache.get("a")).toBe(undefined);
    const before = shared.statistics();
    const reads = shared.calls["getMany"] ?? 0;
    const gate = new Gate();
    const loads = caches.map((cache) => cache.resolve("a", gate.load));
    await pass(clock, 5_000, 50);

    // Each has looked for it once before it asked for the lease.
    expect(shared.calls["getMany"]).toBe(reads + 2);
    expect(shared.statistics().hits).toBe(before.hits + 2);
    expect(shared.calls["lookMany"]).toBeGreaterThan(20);
    gate.open(1);
    await pass(clock, 1_000);
    expect((await Promise.all(loads)).map(({ value }) => value)).toEqual([1, 1]);
  });

  it("of a load that never ends does not hold up the next caller of its process", async () => {
    const { caches, clock } = openProcesses(1);
    const [cache] = caches as [Cache];
    const never = cache.getOrSet("a", () => new Promise(() => undefined), { hardTimeout: 200 });
    never.catch(() => undefined);
    await pass(clock, 300);

    expect(await cache.getOrSet("a", () => "new")).toBe("new");
  });

  it("is renewed while the load runs, so that a load of a minute runs once", async () => {
    const { caches, clock, shared } = openProcesses(2);
    const gate = new Gate();
    const reads = caches.map((cache) => cache.resolve("a", gate.load, { hardTimeout: "2m" }));
    await pass(clock, 60_000, 120);
    expect(gate.calls).toBe(1);

    gate.open(1);
    await pass(clock, 1_000);

    expect((await Promise.all(reads)).map(({ source }) => source).sort()).toEqual([
      "lease",
      "load",
    ]);
    const { renewals } = shared;
    expect(renewals).toBeGreaterThanOrEqual(6);
    await pass(clock, 60_000);
    expect(shared).toMatchObject({ renewals, held: new Map() });
  });

  it.each<[string, (cache: Cache, controller: AbortController) => unknown]>([
    ["its time is over", () => undefined],
    ["nobody waits for it any more", (_, controller) => controller.abort()],
    ["its cache is closed", (cache) => cache.close()],
  ])("of a load that goes on when %s is not renewed any more", async (_, end) => {
    const { caches, clock, shared } = openProcesses(2);
    const [one, two] = caches as [Cache, Cache];
    const controller = new AbortController();
    const options = { hardTimeout: "12s", signal: controller.signal };
    one.getOrSet("a", () => new Promise(() => undefined), options).catch(() => undefined);
    await pass(clock, 11_000, 40);
    expect(shared.renewals).toBeGreaterThan(2);
    end(one, controller);
    await pass(clock, 2_000, 40);
    const { renewals } = shared;

    const read = two.getOrSet("a", () => "of another");
    await pass(clock, 9_000, 40);

    expect(await read).toBe("of another");
    expect(shared.renewals).toBe(renewals);
  });

  it("is renewed again after its tier has failed once", async () => {
    const { caches, clock, shared } = openProcesses(1);
    const [cache] = caches as [Cache];
    const gate = new Gate();
    const read = cache.getOrSet("a", gate.load);
    await turns();
    shared.fault = THROWS;
    await pass(clock, 3_000);
    shared.fault = WORKS;

    await pass(clock, 3_000);

    expect(shared.renewals).toBe(1);
    gate.open(1);
    await pass(clock, 100);
    expect(await read).toBe(1);
  });

  it("that is never free is not waited for without end", async () => {
    const { caches, clock, shared } = openProcesses(1);
    const [cache] = caches as [Cache];
    shared.held.set("cache/1/default/a", "somebody else's");

    const read = cache.getOrSet("a", () => "loaded", { hardTimeout: "1h" });
    await pass(clock, 11_000, 20);
    expect(await stateOf(read)).toBe("pending");
    await pass(clock, 300_000, 20);

    expect(await stateOf(read)).toBe("value");
  });

  it("of many keys loads them in one call still", async () => {
    const { caches, clock } = openProcesses(2);
    const [one, two] = caches as [Cache, Cache];
    const asked: string[][] = [];
    const load = async (keys: readonly string[]): Promise<string[]> => {
      asked.push([...keys]);
      await turns(2);
      return keys.map((key) => `of ${key}`);
    };

    const reads = [
      one.getOrSetMany(["a", "b", "c"], load),
      two.getOrSetMany(["c", "d", "e"], load),
    ];
    await pass(clock, 200);

    expect(await Promise.all(reads)).toEqual([
      ["of a", "of b", "of c"],
      ["of c", "of d", "of e"],
    ]);
    expect(asked).toEqual([
      ["a", "b", "c"],
      ["d", "e"],
    ]);
  });

  it("goes to the next process when a load fails", async () => {
    const { caches, clock } = openProcesses(2);
    const [one, two] = caches as [Cache, Cache];
    const gate = new Gate();
    const first = one.getOrSet("a", gate.load).catch((error: Error) => error.message);
    await turns();
    const second = two.getOrSet("a", gate.load);
    await turns();

    gate.fail(new Error("down"));
    await pass(clock, 100);
    gate.open(2);

    expect(await first).toBe("down");
    expect(await second).toBe(2);
    expect(gate.calls).toBe(2);
  });

  it("holds nobody up when its tier fails or hangs", async () => {
    const { caches, clock, shared } = openProcesses(1);
    const [cache] = caches as [Cache];

    shared.fault = THROWS;
    expect(await cache.getOrSet("a", () => 1)).toBe(1);
    shared.fault = HANGS;
    const read = cache.getOrSet("b", () => 2);
    await pass(clock, 3_000);
    expect(await read).toBe(2);
    shared.fault = WORKS;
  });

  it("holds nobody up longer than a load may take", async () => {
    const { caches, clock, shared } = openProcesses(1);
    const [cache] = caches as [Cache];
    shared.held.set("cache/1/default/a", "of a process that was killed");

    const read = cache.getOrSet("a", () => 1, { hardTimeout: "2s" }).catch((error) => error.code);
    await pass(clock, 2_100, 105);

    expect(await read).toBe("TIMEOUT");
  });

  it("is not waited for by who can have something stale", async () => {
    const { caches, clock, shared } = openProcesses(1);
    const [cache] = caches as [Cache];
    await cache.set("a", 1, { ttl: 1, keepStale: "1h" });
    clock.advance(1);
    shared.held.set("cache/1/default/a", "of another");

    const read = cache.getOrSet("a", () => 2, { staleWhileRevalidate: "1m" });

    expect(await read).toBe(1);
    await pass(clock, 100);
    expect(cache.statistics()).toMatchObject({ inFlight: 0, loads: 0 });
  });

  it("lets a refresh load, though the tier has the value that it replaces", async () => {
    const { caches, clock } = openProcesses(1);
    const [cache] = caches as [Cache];
    await cache.set("a", 1);

    expect(await cache.getOrSet("a", () => 2, { refresh: true })).toBe(2);
    await cache.set("b", 1, { ttl: 1_000, refreshAhead: 0.5 });
    clock.advance(600);
    expect(await cache.getOrSet("b", () => 2)).toBe(1);
    await pass(clock, 100);

    expect(cache.peek("b")).toBe(2);
  });

  it("has one process refresh ahead, and the others take its value", async () => {
    const { caches, clock } = openProcesses(2);
    const [one, two] = caches as [Cache, Cache];
    await one.set("a", 1, { ttl: 1_000, refreshAhead: 0.5 });
    await two.getOrSet("a", () => 9, { refreshAhead: 0.5 });
    clock.advance(600);
    const gate = new Gate();

    await one.getOrSet("a", gate.load);
    await two.getOrSet("a", gate.load, { refreshAhead: 0.5 });
    await turns();
    gate.open(2);
    await pass(clock, 100);

    expect(gate.calls).toBe(1);
    expect([one.peek("a"), two.peek("a")]).toEqual([2, 2]);
  });

  it("is not asked for where a category does without", async () => {
    const clock = new FakeClock();
    const shared = new SharedTier(clock);
    const cache = createCache({ clock, tiers: [shared], categories: { free: { lease: false } } });
    const free = cache.category("free");
    shared.held.set("cache/1/free/a", "of another");
    shared.held.set("cache/1/default/a", "of another");

    expect(await free.getOrSet("a", () => 1)).toBe(1);
    const waits = cache.getOrSet("a", () => 1);
    await pass(clock, 100);
    expect(await stateOf(waits)).toBe("pending");
    shared.held.clear();
    await pass(clock, 100);
    expect(await waits).toBe(1);
  });

  it("is given back when who waits for it leaves", async () => {
    const { caches, clock, shared } = openProcesses(1);
    const [cache] = caches as [Cache];
    const controller = new AbortController();
    const answer = Promise.withResolvers<void>();
    shared.fault = { kind: "delay", until: () => answer.promise };
    const read = cache.getOrSet("a", () => 1, { signal: controller.signal }).catch(() => "left");
    await turns();

    controller.abort();
    answer.resolve();
    shared.fault = WORKS;
    await pass(clock, 100);

    expect(await read).toBe("left");
    expect(shared.held.size).toBe(0);
    expect(cache.statistics().loads).toBe(0);
  });
});
