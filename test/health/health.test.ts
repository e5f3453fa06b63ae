/** Looks at a real database, at intervals, and while things go wrong. */

import { rmSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it, onTestFinished } from "vitest";
import { warningChannel } from "../../src/core/channels.ts";
import { type Health, healthChannel } from "../../src/health/health.ts";
import type { HealthReport } from "../../src/health/report.ts";
import { settle } from "../sqlite/support.ts";
import { FakeClock, findingOf, lookAfter, openStore, SaidDatabase, sql } from "./support.ts";

/** What a channel carries until the test is over. */
function listenTo<T>(channel: typeof healthChannel): T[] {
  const heard: T[] = [];
  const listen = (message: unknown): void => void heard.push(message as T);
  channel.subscribe(listen);
  onTestFinished(() => void channel.unsubscribe(listen));
  return heard;
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await settle();
}

describe("a look at a real database", () => {
  it("reads from it, and knows the size of its tables", async () => {
    const database = await openStore();
    await database.write([sql("INSERT INTO t (text) VALUES ('a'), ('b')")]);

    const report = await lookAfter({ database }).check();

    expect(report.checks.map(({ name }) => name)).toEqual([
      "connection",
      "disk",
      "writer",
      "readers",
      "locks",
      "write-ahead log",
      "integrity",
      "slow queries",
      "tables",
    ]);
    expect(findingOf(report, "connection")).toMatchObject({ status: "healthy", found: "ok" });
    expect(findingOf(report, "tables")).toMatchObject({
      found: "t 2 rows",
      values: { "t.rows": 2 },
    });
    expect(report.timestamp).toBe("1970-01-01T00:16:40.000Z");
  });

  it("sees a reader that somebody has forgotten", async () => {
    const clock = new FakeClock();
    const database = await openStore(clock);
    const { promise: end, resolve } = Promise.withResolvers<void>();
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    const forgotten = database.snapshot(async (snapshot) => {
      await snapshot.read(sql("SELECT 1"));
      begin();
      await end;
    });
    await begun;
    clock.advance(31_000);
    const health = lookAfter({ database }, { clock });

    const during = findingOf(await health.check(), "readers");
    resolve();
    await forgotten;
    const after = findingOf(await health.check(), "readers");

    expect(during).toMatchObject({ status: "warning", values: { inUse: 1, oldestReadMs: 31_000 } });
    expect(after).toMatchObject({ status: "healthy", values: { inUse: 0 } });
  });

  it("sees a log that another program keeps from being cut", async () => {
    const database = await openStore();
    const other = new DatabaseSync(database.path);
    onTestFinished(() => other.close());
    other.exec("BEGIN; SELECT * FROM t");
    await database.write([
      sql(
        "INSERT INTO t (text) SELECT randomblob(4000) FROM json_each(?)",
        `[${Array(1_100).fill(0)}]`,
      ),
    ]);
    const thresholds = { logSize: { warning: "4MB" } };

    const log = findingOf(await lookAfter({ database, thresholds }).check(), "write-ahead log");

    expect(log).toMatchObject({
      status: "warning",
      advice: expect.stringContaining("another program has is not known from here"),
    });
    expect(log.values?.["waitingPages"]).toBeGreaterThan(1_000);
  });

  it("sees that the writer is held", async () => {
    const database = await openStore();
    const { promise: end, resolve } = Promise.withResolvers<void>();
    const held = database.transaction(() => end);
    const written = database.write([sql("INSERT INTO t (text) VALUES ('a')")]);
    const health = lookAfter({ database, thresholds: { writerWait: { unhealthy: "20ms" } } });
    await until(() => database.vitals().writer.waitingMs > 25);

    const during = await health.check();
    resolve();
    await Promise.all([held, written]);
    const after = await health.check();

    expect(findingOf(during, "writer")).toMatchObject({
      status: "unhealthy",
      values: { waiting: 1 },
    });
    expect(during.ready).toBe(false);
    expect(after.ready).toBe(true);
  });

  it("misses the file, and a database that is closed", async () => {
    const [lost, closed] = [await openStore(), await openStore()];
    rmSync(lost.path);
    await closed.close();
    const [ofLost, ofClosed] = [lookAfter({ database: lost }), lookAfter({ database: closed })];

    const [first, second] = [await ofLost.check(), await ofClosed.check()];

    expect(findingOf(first, "connection").found).toMatch(/was deleted, moved or replaced/);
    expect(findingOf(second, "connection").found).toMatch(/^CLOSED: /);
    expect([first.ready, second.ready]).toEqual([false, false]);
    expect((await ofClosed.check()).counters.connectionErrors).toBe(2);
  });

  it("has quick_check run, and finds its outcome after a restart", async () => {
    const clock = new FakeClock();
    const database = await openStore();

    const { problems } = await lookAfter({ database }, { clock }).quickCheck();
    clock.advance(3_600_000);
    const report = await lookAfter({ database }, { clock }).check();

    expect(problems).toBe(0);
    expect(findingOf(report, "integrity")).toMatchObject({
      status: "healthy",
      found: "sound 60 min ago, by quick_check",
    });
  });
});

describe("a check that does not end well", () => {
  it("is unhealthy when it throws, and so are probes of the application", async () => {
    const probes = {
      redis: () => {
        throw new Error("no route to host");
      },
      queue: () => ({ status: "warning" as const, found: "900 jobs wait", advice: undefined }),
    };

    const report = await lookAfter({ probes }).check();

    expect(report).toMatchObject({ status: "unhealthy", ready: true });
    expect(report.checks).toEqual([
      { name: "redis", status: "unhealthy", found: "no route to host" },
      { name: "queue", status: "warning", found: "900 jobs wait" },
    ]);
  });

  it("is unhealthy when it does not answer in time", async () => {
    const clock = new FakeClock();
    const database = new SaidDatabase();
    database.read = () => new Promise(() => undefined);
    const health = lookAfter({ database, checkTimeout: "2s" }, { clock });

    const looking = health.readiness();
    await settle();
    clock.advance(2_000);
    const report = await looking;

    expect(findingOf(report, "connection").found).toBe("no answer within 2 s");
    expect(report.ready).toBe(false);
  });

  it("is one look for all who ask meanwhile, whatever becomes of one of them", async () => {
    let looks = 0;
    const { promise: end, resolve } = Promise.withResolvers<void>();
    const probe = async () => {
      looks++;
      await end;
      return { status: "healthy" as const, found: "ok" };
    };
    const health = lookAfter({ probes: { probe } });
    const controller = new AbortController();

    const both = [health.check(), health.check({ signal: controller.signal })] as const;
    controller.abort();
    resolve();

    await expect(both[1]).rejects.toMatchObject({ code: "ABORTED" });
    expect((await both[0]).status).toBe("healthy");
    expect(looks).toBe(1);
    expect(health.last).toBe(await both[0]);
  });
});

describe("readiness", () => {
  it("looks only at what requests need", async () => {
    const database = new SaidDatabase();
    const probes = { slow: () => new Promise<never>(() => undefined) };
    const backups = { list: () => Promise.reject(new Error("broken")), sizeBytes: async () => 0 };
    const health = lookAfter({ database, probes, backups });

    const { ready, checks } = await health.readiness();

    expect(ready).toBe(true);
    expect(checks.map(({ name }) => name)).toEqual(["connection", "disk", "writer"]);
    expect(health.last).toBeUndefined();
  });
});

describe("looks at intervals", () => {
  const begin = (
    options: Parameters<typeof lookAfter>[0],
  ): { health: Health; clock: FakeClock } => {
    const clock = new FakeClock();
    const health = lookAfter(options, { clock });
    health.start();
    return { health, clock };
  };
  /** Whatever a look needs to end, with a database that answers at once. */
  const settled = async (): Promise<void> => {
    for (let turn = 0; turn < 5; turn++) await settle();
  };
  const thresholds = { integrityAge: { warning: 0 } };

  it("come every 60 s and tell when the status is another one", async () => {
    const heard = listenTo<HealthReport>(healthChannel);
    const warnings = listenTo<{ readonly code: string; readonly message: string }>(warningChannel);
    const database = new SaidDatabase();
    const { clock } = begin({ database, thresholds });
    const tick = async (ms: number): Promise<void> => {
      clock.advance(ms);
      await settled();
    };

    await tick(0);
    database.fault = { pool: { inUse: 1, oldestLoanMs: 40_000 } };
    await tick(59_999);
    const before = heard.length;
    await tick(1);
    await tick(60_000);
    database.fault = {};
    await tick(60_000);

    expect(before).toBe(0);
    expect(heard.map(({ status }) => status)).toEqual(["warning", "healthy"]);
    expect(warnings).toMatchObject([
      { code: "HEALTH", message: expect.stringMatching(/^Health is warning\. readers: 1 of 2/) },
    ]);
  });

  it("have quick_check run when it is due, and not while the program starts", async () => {
    const clock = new FakeClock();
    const database = new SaidDatabase();
    const said: string[] = [];
    const read = database.read;
    database.read = async (statement?: { readonly sql: string }) => {
      if (statement?.sql === "PRAGMA quick_check") said.push("quick_check");
      return await read();
    };
    const health = lookAfter({ database, thresholds }, { clock });
    health.start();
    clock.advance(0);
    await settled();
    for (let minute = 0; minute < 9; minute++) {
      clock.advance(60_000);
      await settled();
    }
    const early = said.length;
    clock.advance(60_000);
    await settled();

    expect(early).toBe(0);
    expect(said).toEqual(["quick_check"]);
  });

  it("have quick_check run when the last one was made by a clock that was ahead", async () => {
    const clock = new FakeClock();
    const database = new SaidDatabase();
    const said: string[] = [];
    const atMs = clock.nowMs() + 365 * 86_400_000;
    database.read = async (statement?: { readonly sql: string }) => {
      const isCheck = statement?.sql === "PRAGMA quick_check";
      if (isCheck) said.push("quick_check");
      const rows = isCheck ? [] : [[JSON.stringify({ atMs, ms: 5, problems: 0 })]];
      return { columns: [], rows, changes: 0 };
    };
    const health = lookAfter({ database, thresholds }, { clock });
    health.start();
    for (let minute = 0; minute < 11; minute++) {
      clock.advance(60_000);
      await settled();
    }

    expect(said).toContain("quick_check");
  });

  it("are not made with enabled: false, and no longer after close", async () => {
    let looks = 0;
    const probe = () => ({ status: "healthy" as const, found: String(looks++) });
    const off = begin({ enabled: false, probes: { probe } });
    const ended = begin({ probes: { probe } });
    await ended.health.close();

    for (const { clock } of [off, ended]) clock.advance(600_000);
    await settled();

    expect(looks).toBe(0);
    await expect(ended.health.check()).rejects.toMatchObject({ code: "CLOSED" });
    await expect(ended.health.close()).resolves.toBeUndefined();
  });
});
