/** The pool over threads that are made of nothing and a clock that is moved by hand. */

import { describe, expect, it } from "vitest";
import type { Lease } from "../../src/sqlite/pool.ts";
import { borrow, Factory, openPool as open, type Thread, warnings } from "./fake-threads.ts";
import { failureOf, settle } from "./support.ts";

describe("a pool", () => {
  it("makes nothing before it is needed, and uses what it has again", async () => {
    const { pool, factory } = open();
    expect(factory.made).toBe(0);

    for (let round = 0; round < 5; round++) (await pool.acquire()).release();

    expect(factory.made).toBe(1);
    expect(pool.statistics()).toMatchObject({
      size: 1,
      idle: 1,
      inUse: 0,
      acquired: 5,
      created: 1,
    });
  });

  it("makes connections up to minSize at once, and above it only for those who have waited", async () => {
    const { pool, factory, clock } = open({ minSize: 2, maxSize: 4 });
    const leases = Array.from({ length: 6 }, () => pool.acquire());
    await settle();
    const atOnce = factory.made;

    clock.advance(9);
    await settle();
    const before = factory.made;
    for (let step = 0; step < 6; step++) {
      clock.advance(10);
      await settle();
    }

    expect([atOnce, before, factory.made]).toEqual([2, 2, 4]);
    expect(pool.statistics()).toMatchObject({ size: 4, inUse: 4, waiting: 2 });
    for (const lease of await Promise.all(leases.slice(0, 4))) lease.release();
    for (const lease of await Promise.all(leases.slice(4))) lease.release();
    expect(pool.statistics()).toMatchObject({ size: 4, idle: 4, waiting: 0 });
  });

  it("does not grow when a busy connection comes back first", async () => {
    const { pool, factory, clock } = open({ minSize: 1, maxSize: 4 });
    const first = await pool.acquire();
    const second = pool.acquire();

    clock.advance(5);
    first.release();
    (await second).release();
    clock.advance(100);
    await settle();

    expect(factory.made).toBe(1);
  });

  it("serves its callers in the order in which they came", async () => {
    const { pool } = open({ minSize: 1, maxSize: 1 });
    const served: number[] = [];
    const first = await pool.acquire();
    const others = [1, 2, 3, 4].map(async (caller) => {
      const lease = await pool.acquire();
      served.push(caller);
      lease.release();
    });

    first.release();
    await Promise.all(others);

    expect(served).toEqual([1, 2, 3, 4]);
  });

  it("does not let a late caller pass those who wait", async () => {
    const { pool } = open({ minSize: 1, maxSize: 1 });
    const first = await pool.acquire();
    const served: string[] = [];
    const waiting = pool.acquire().then((lease) => {
      served.push("waiting");
      return lease;
    });

    first.release();
    const late = pool.acquire().then((lease) => {
      served.push("late");
      return lease;
    });
    (await waiting).release();
    (await late).release();

    expect(served).toEqual(["waiting", "late"]);
  });

  it("gives up after the connection timeout, with advice, and counts it", async () => {
    const { pool, clock } = open({ maxSize: 1, connectionTimeoutMs: 5_000 });
    const held = await pool.acquire();
    const failure = failureOf(pool.acquire());

    clock.advance(5_000);

    expect(await failure).toMatchObject({
      code: "POOL_TIMEOUT",
      message: expect.stringMatching(/and \d callers? waits?\. .*pool\.maxSize/),
      fields: expect.objectContaining({ inUse: 1, maxSize: 1, waitedMs: 5_000 }),
    });
    held.release();
    expect(pool.statistics()).toMatchObject({ timeouts: 1, waiting: 0, idle: 1 });
  });

  it("lets a caller withdraw, before and while it waits", async () => {
    const { pool } = open({ maxSize: 1 });
    const held = await pool.acquire();
    const controller = new AbortController();
    const failure = failureOf(pool.acquire({ signal: controller.signal }));

    controller.abort();

    expect(await failure).toMatchObject({ code: "ABORTED" });
    expect(await failureOf(pool.acquire({ signal: controller.signal }))).toMatchObject({
      code: "ABORTED",
    });
    held.release();
    expect(pool.statistics()).toMatchObject({ waiting: 0, idle: 1, acquired: 1 });
  });

  it("measures how long callers waited", async () => {
    const { pool, clock } = open({ maxSize: 1 });
    const first = await pool.acquire();
    const second = pool.acquire();

    clock.advance(60);
    first.release();
    (await second).release();

    expect(pool.statistics().meanAcquisitionMs).toBe(30);
  });
});

describe("a connection of a pool", () => {
  it("is closed when it is idle for too long, but minSize of them stay", async () => {
    const { pool, factory, clock } = open({ minSize: 2, maxSize: 5, idleTimeoutMs: 1_000 });
    for (const lease of await borrow(pool, clock, 5)) lease.release();
    expect(factory.live.size).toBe(5);

    clock.advance(999);
    const before = factory.live.size;
    clock.advance(100_000);
    await settle();

    expect(before).toBe(5);
    expect(factory.live.size).toBe(2);
    expect(pool.statistics()).toMatchObject({ size: 2, idle: 2, retired: 3 });
  });

  it("that is used stays, while the others grow idle", async () => {
    const { pool, factory, clock } = open({ minSize: 0, maxSize: 3, idleTimeoutMs: 1_000 });
    const leases = await borrow(pool, clock, 3);
    for (const lease of leases) lease.release();

    for (let round = 0; round < 10; round++) {
      clock.advance(300);
      (await pool.acquire()).release();
    }

    expect(factory.live.size).toBe(1);
  });

  it("is replaced between two uses when it is over age", async () => {
    const { pool, factory, clock } = open({ minSize: 1, maxLifetimeMs: 10_000 });
    const first = await pool.acquire();

    clock.advance(10_000);
    const whileHeld = factory.live.has(1);
    first.release();
    const second = await pool.acquire();

    expect(whileHeld).toBe(true);
    expect(second.connection.name).toBe(2);
    expect([...factory.live.keys()]).toEqual([2]);
    expect(pool.statistics()).toMatchObject({ retired: 1, created: 2 });
  });

  it("that is over age while idle is not lent again", async () => {
    const { pool, clock } = open({ minSize: 3, maxLifetimeMs: 10_000 });
    (await pool.acquire()).release();

    clock.advance(20_000);

    expect((await pool.acquire()).connection.name).toBe(2);
  });

  it("that died while idle is not lent again", async () => {
    const { pool } = open();
    const first = await pool.acquire();
    first.release();

    first.connection.die();

    expect((await pool.acquire()).connection.name).toBe(2);
    expect(pool.statistics()).toMatchObject({ died: 1, size: 1 });
  });

  it("that died on loan makes room for another", async () => {
    const { pool } = open({ minSize: 1, maxSize: 1 });
    const first = await pool.acquire();
    const waiting = pool.acquire();

    first.connection.die();
    const second = await waiting;
    first.release();

    expect(second.connection.name).toBe(2);
    expect(pool.statistics()).toMatchObject({ size: 1, inUse: 1, idle: 0, died: 1 });
  });

  it("that died while it was made is replaced", async () => {
    const { pool, factory } = open();
    factory.create = async (onDeath) => {
      const { create } = Factory.prototype;
      factory.create = create.bind(factory);
      onDeath();
      return { name: 0, die: onDeath };
    };

    const lease = await pool.acquire();

    expect(lease.connection.name).toBe(1);
  });

  it("that cannot be made fails one caller; the next attempt serves the next", async () => {
    const { pool, factory } = open({ maxSize: 1 });
    factory.failure = new Error("no such file");
    const first = failureOf(pool.acquire());
    const second = pool.acquire();
    factory.failure = undefined;

    expect((await first).message).toBe("no such file");
    expect((await second).connection.name).toBe(2);
  });

  it("goes back once, however often it is released", async () => {
    const { pool, clock } = open({ minSize: 1, maxSize: 1 });
    const lease = await pool.acquire();

    lease.release();
    const other = await pool.acquire();
    lease.release();
    lease[Symbol.dispose]();

    expect(pool.statistics()).toMatchObject({ inUse: 1, idle: 0 });
    other.release();
    clock.advance(1);
    expect(pool.statistics()).toMatchObject({ inUse: 0, idle: 1 });
  });
});

describe("a loan that lasts", () => {
  it("is reported once, with the place that took it", async () => {
    const seen = warnings();
    const { pool, clock } = open({ leakDetectionThresholdMs: 2_000 });
    async function takeAndForget(): Promise<Lease<Thread>> {
      return pool.acquire({ watched: true });
    }

    const lease = await takeAndForget();
    clock.advance(1_999);
    const early = seen.length;
    clock.advance(10_000);
    lease.release();

    expect(early).toBe(0);
    expect(seen.length).toBe(1);
    expect(seen[0]).toMatch(/^POOL_LEAK A connection has been held for 2000 ms/);
    expect(seen[0]).toContain("takeAndForget");
    expect(pool.statistics().leaks).toBe(1);
  });

  it("is not reported when it ends in time, is not watched, or the check is off", async () => {
    const seen = warnings();
    const { pool, clock } = open({ leakDetectionThresholdMs: 2_000 });
    const off = open({ leakDetectionThresholdMs: 0 });

    (await pool.acquire({ watched: true })).release();
    await pool.acquire();
    await off.pool.acquire({ watched: true });
    clock.advance(100_000);
    off.clock.advance(100_000);

    expect(seen).toEqual([]);
  });
});

describe("closing a pool", () => {
  it("refuses new and waiting callers, waits for loans, and ends every connection", async () => {
    const { pool, factory, clock } = open({ minSize: 2, maxSize: 2 });
    const [first, second] = await borrow(pool, clock, 2);
    const waiting = failureOf(pool.acquire());

    let closed = false;
    const closing = pool.close().then(() => {
      closed = true;
    });
    expect(await waiting).toMatchObject({ code: "CLOSED" });
    expect(await failureOf(pool.acquire())).toMatchObject({ code: "CLOSED" });
    first?.release();
    await settle();
    expect(closed).toBe(false);
    second?.release();
    await closing;

    expect(factory.live.size).toBe(0);
    await pool.close();
  });

  it("waits for a connection that is being made", async () => {
    const { pool, factory } = open();
    const gate = Promise.withResolvers<void>();
    factory.gate = gate.promise;
    const waiting = failureOf(pool.acquire());

    const closing = pool.close();
    gate.resolve();
    await closing;

    expect(await waiting).toMatchObject({ code: "CLOSED" });
    expect(factory.made).toBe(1);
    expect(factory.live.size).toBe(0);
  });

  it("waits for a connection that dies on loan", async () => {
    const { pool } = open();
    const lease = await pool.acquire();

    const closing = pool.close();
    lease.connection.die();

    await closing;
  });

  it("reports a connection that does not end cleanly and goes on", async () => {
    const seen = warnings();
    const { pool, factory } = open();
    factory.destroy = () => Promise.reject(new Error("stuck"));
    (await pool.acquire()).release();

    await pool.close();

    expect(seen).toEqual([expect.stringContaining("stuck")]);
  });
});
