/** Each check with the fault that turns it. */

import { createHistogram } from "node:perf_hooks";
import { describe, expect, it } from "vitest";
import type { HealthBackups } from "../../src/health/sources.ts";
import { FakeClock, type Fault, findingOf, lookAfter, roomyDisk, SaidDatabase } from "./support.ts";

const MB = 1_024 ** 2;
const GB = 1_024 * MB;

/** What one check says of a fault. */
async function saidOf(name: string, fault: Fault) {
  const database = new SaidDatabase();
  database.fault = fault;
  return findingOf(await lookAfter({ database }).check(), name);
}

describe("a database without faults", () => {
  it("has only what was never done to it as a warning", async () => {
    const report = await lookAfter({ database: new SaidDatabase() }).check();

    const troubled = report.checks.filter(({ status }) => status !== "healthy");
    expect(troubled.map(({ name }) => name)).toEqual(["integrity"]);
    expect(report).toMatchObject({ status: "warning", ready: true });
    expect(report.counters).toEqual({ queries: 12, slowQueries: 0, connectionErrors: 0 });
  });
});

describe("the connection", () => {
  it("is lost with the file", async () => {
    expect(await saidOf("connection", { vitals: { isInPlace: false } })).toMatchObject({
      status: "unhealthy",
      found: "/data/app.db was deleted, moved or replaced while it was open",
    });
  });
});

describe("the disk", () => {
  const database = new SaidDatabase();
  const onDisk = (freeBytes: number, sizeBytes = 8_192) => {
    database.fault = { vitals: { sizeBytes } };
    const diskSpaceOf = async () => ({ device: "1", freeBytes, totalBytes: 100 * GB });
    return lookAfter({ database }, { diskSpaceOf }).check();
  };

  it("is a warning below 1 GB, and keeps requests out when it is full", async () => {
    const scarce = await onDisk(GB - 1);
    const full = await onDisk(50 * MB);

    expect(findingOf(scarce, "disk")).toMatchObject({ status: "warning" });
    expect(scarce.ready).toBe(true);
    expect(findingOf(full, "disk")).toMatchObject({
      status: "unhealthy",
      found: expect.stringMatching(/^50\.0 MB of 100\.0 GB free; database 8\.0 KB, log 0 B$/),
      values: { freeBytes: 50 * MB, databaseBytes: 8_192 },
    });
    expect(full).toMatchObject({ status: "unhealthy", ready: false });
  });

  it("has to have room for a copy of the database", async () => {
    const disk = findingOf(await onDisk(5 * GB, 6 * GB), "disk");

    expect(disk).toMatchObject({
      status: "warning",
      advice: expect.stringContaining("no room for a copy of 6.0 GB"),
    });
  });

  it("of the backups counts where it is another one", async () => {
    database.fault = {};
    const backups: HealthBackups = {
      directory: "/mnt/backups",
      list: async () => [],
      sizeBytes: async () => 3 * GB,
    };
    const diskSpaceOf = async (path: string) =>
      path === "/data" ? await roomyDisk() : { device: "2", freeBytes: MB, totalBytes: GB };

    const disk = findingOf(await lookAfter({ database, backups }, { diskSpaceOf }).check(), "disk");

    expect(disk.status).toBe("unhealthy");
    expect(disk.found).toContain(
      "backups 3.0 GB; on the disk of the backups 1.0 MB of 1.0 GB free",
    );
    expect(disk.values).toMatchObject({ backupBytes: 3 * GB, backupDiskFreeBytes: MB });
  });
});

describe("the readers", () => {
  it("are a warning when one has been forgotten", async () => {
    const forgotten = await saidOf("readers", { pool: { inUse: 1, oldestLoanMs: 45_000 } });

    expect(forgotten).toMatchObject({
      status: "warning",
      found: "1 of 2 in use, the oldest read for 45 s, 0 wait",
      advice: expect.stringContaining("POOL_LEAK"),
    });
  });

  it("are a warning when callers go away empty-handed, until they do no longer", async () => {
    const database = new SaidDatabase();
    const health = lookAfter({ database });
    database.fault = { pool: { timeouts: 2, waiting: 3 } };

    const first = findingOf(await health.check(), "readers");
    const second = findingOf(await health.check(), "readers");

    expect(first).toMatchObject({ status: "warning", found: expect.stringContaining("2 gave up") });
    expect(second).toMatchObject({ status: "healthy", found: "0 of 2 in use, 3 wait" });
  });

  it("have a queue that can be too long", async () => {
    expect((await saidOf("readers", { pool: { waiting: 10_000 } })).status).toBe("unhealthy");
  });
});

describe("the writer", () => {
  it("is a warning when somebody waits for it, and unhealthy when it never moves on", async () => {
    const slow = await saidOf("writer", {
      writer: { waiting: 3, waitingMs: 1_500, busyMs: 1_600 },
    });
    const stuck = await saidOf("writer", { writer: { waiting: 3, waitingMs: 31_000 } });

    expect(slow).toMatchObject({
      status: "warning",
      found: "busy for 1 s, 3 wait, the first for 1 s",
    });
    expect(stuck.status).toBe("unhealthy");
  });

  it("may be busy while nobody waits", async () => {
    expect((await saidOf("writer", { writer: { busyMs: 60_000 } })).status).toBe("healthy");
  });

  it("does not exist for a file that is only read", async () => {
    expect(await saidOf("writer", { vitals: { readOnly: true } })).toMatchObject({
      status: "healthy",
      found: "opened for reading only",
    });
  });
});

describe("locks", () => {
  it("are a warning for as long as writes end with BUSY", async () => {
    const database = new SaidDatabase();
    const health = lookAfter({ database });
    database.fault = { writer: { busyErrors: 1, lockWaits: 7 } };

    const first = findingOf(await health.check(), "locks");
    const second = findingOf(await health.check(), "locks");

    expect(first).toMatchObject({ status: "warning", values: { busyErrors: 1, lockWaits: 7 } });
    expect(second).toMatchObject({ status: "healthy", values: { busyErrors: 0, lockWaits: 0 } });
  });
});

describe("the write-ahead log", () => {
  it("is a warning above 64 MB, and unhealthy above 1 GB", async () => {
    const log = async (walBytes: number) =>
      (await saidOf("write-ahead log", { vitals: { walBytes } })).status;

    expect(await log(64 * MB)).toBe("healthy");
    expect(await log(64 * MB + 1)).toBe("warning");
    expect(await log(GB + 1)).toBe("unhealthy");
  });

  it("is a warning when nothing of it gets into the file, until something does", async () => {
    const database = new SaidDatabase();
    const clock = new FakeClock();
    const health = lookAfter({ database }, { clock });
    const lookWith = async (frames: number, checkpointed: number) => {
      database.fault = { vitals: { log: { frames, checkpointed } } };
      const report = await health.check();
      clock.advance(61_000);
      return findingOf(report, "write-ahead log");
    };

    const begun = await lookWith(2_000, 10);
    const stuck = await lookWith(3_000, 10);
    const moved = await lookWith(4_000, 900);
    const usual = await lookWith(900, 0);
    const stillUsual = await lookWith(900, 0);

    expect(begun.status).toBe("healthy");
    expect(stuck).toMatchObject({
      status: "warning",
      found: expect.stringContaining("nothing moved for 61 s"),
      advice: expect.stringContaining("another program has is not known from here"),
    });
    expect([moved.status, usual.status, stillUsual.status]).toEqual(Array(3).fill("healthy"));
  });
});

describe("slow queries", () => {
  it("are shown without values, and a warning when there are ten of them", async () => {
    const query = {
      sql: "SELECT *\n FROM t WHERE n = ?",
      rows: 1,
      where: "reader",
      atMs: 0,
    } as const;
    const slow = (count: number) =>
      saidOf("slow queries", {
        slow: Array.from({ length: count }, (_, index) => ({ ...query, ms: 100 + index })),
      });

    expect(await slow(0)).toMatchObject({ status: "healthy", found: "0 in 5 min" });
    expect(await slow(2)).toMatchObject({
      status: "healthy",
      found: "2 in 5 min, the slowest 101.0 ms: SELECT * FROM t WHERE n = ?",
    });
    expect((await slow(10)).status).toBe("warning");
  });
});

describe("the event loop", () => {
  it("is a warning when something blocks it, until nothing does", async () => {
    const histogram = createHistogram();
    const delays = Object.assign(histogram, { enable: () => true, disable: () => true });
    const health = lookAfter({ eventLoop: true }, { delays });
    for (let turn = 0; turn < 1_000; turn++) histogram.record(11e6);
    const idle = findingOf(await health.check(), "event loop");
    for (let turn = 0; turn < 1_000; turn++) histogram.record(11e6);
    histogram.record(410e6);

    const blocked = findingOf(await health.check(), "event loop");
    const after = findingOf(await health.check(), "event loop");

    expect(idle.status).toBe("healthy");
    expect(blocked).toMatchObject({
      status: "warning",
      advice: expect.stringContaining("cpu-prof"),
    });
    expect(blocked.values?.["maxMs"]).toBeCloseTo(400, -1);
    expect(after).toMatchObject({ status: "healthy", values: { maxMs: 0 } });
  });

  it("is unhealthy when it is slow all the time", async () => {
    const histogram = createHistogram();
    const delays = Object.assign(histogram, { enable: () => true, disable: () => true });
    for (let turn = 0; turn < 100; turn++) histogram.record(700e6);

    const report = await lookAfter({ eventLoop: true }, { delays }).check();

    expect(findingOf(report, "event loop").status).toBe("unhealthy");
    expect(report.ready).toBe(true);
  });
});

describe("caches and circuits", () => {
  const cacheOf = (counts: { hits: number; misses: number }, circuit = "closed") => ({
    cacheStatistics: () => ({
      ...counts,
      hitRate: 0,
      categories: {},
      tiers: [{ name: "disk", guard: { circuit } }],
    }),
  });

  it("are a warning when a cache that is used has fewer hits than were asked for", async () => {
    const counts = { hits: 900, misses: 100 };
    const caches = { pages: cacheOf(counts) as never };
    const health = lookAfter({ caches, thresholds: { cacheHitRate: { warning: 80 } } });

    const good = findingOf(await health.check(), "caches");
    counts.misses += 60;
    counts.hits += 40;
    const poor = findingOf(await health.check(), "caches");
    counts.misses += 60;
    const hardlyUsed = findingOf(await health.check(), "caches");

    expect(good).toMatchObject({ status: "healthy", found: "pages 90.0 % of 1000 reads" });
    expect(poor).toMatchObject({
      status: "warning",
      found: "pages 40.0 % of 100 reads",
      advice: expect.stringContaining("pages: fewer hits than 80 %"),
    });
    expect(hardlyUsed.status).toBe("healthy");
  });

  it("are a warning while a circuit is open", async () => {
    const guards = [{ name: "api", statistics: () => ({ state: "half-open" }) as never }];
    const caches = { pages: cacheOf({ hits: 0, misses: 0 }, "open") as never };

    const found = findingOf(await lookAfter({ guards, caches }).check(), "circuits");

    expect(found).toMatchObject({
      status: "warning",
      found: "api is half-open; pages/disk is open",
    });
  });
});
