/** What can be seen from outside while a file is in use: the writer's queue, readers, the log. */

import { rmSync } from "node:fs";
import { describe, expect, it, onTestFinished } from "vitest";
import { Connection } from "../../src/sqlite/connection.ts";
import type { Database } from "../../src/sqlite/database.ts";
import { processMs } from "../../src/sqlite/write-lock.ts";
import { inTransaction } from "../../src/sqlite/writer.ts";
import { WriterLoad } from "../../src/sqlite/writer-load.ts";
import { open } from "./open-database.ts";
import { FakeClock, failureOf, settle, sql, temporaryPath } from "./support.ts";

async function openTable(options: { readonly busyTimeoutMs?: number } = {}): Promise<Database> {
  const database = await open(options);
  await database.write([sql("CREATE TABLE t (id INTEGER PRIMARY KEY)")]);
  // The writer hears of the end after its caller.
  await settle();
  return database;
}

/** Another program that has begun to write. */
function lock({ path }: Database): Connection {
  const other = new Connection({ path, readOnly: false, pragmas: [] });
  onTestFinished(() => other.close());
  other.control("BEGIN IMMEDIATE");
  return other;
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await settle();
}

describe("the vitals of a file", () => {
  it("are those of a file that nobody uses", async () => {
    const database = await openTable();

    const vitals = database.vitals();

    expect(vitals.walBytes).toBeGreaterThan(0);
    expect(vitals.log.frames).toBeGreaterThan(0);
    expect(vitals).toMatchObject({
      path: database.path,
      readOnly: false,
      isInPlace: true,
      pageSizeBytes: 4_096,
      pages: 2,
      freePages: 0,
      writer: { waiting: 0, waitingMs: 0, busyMs: 0, served: 1, busyErrors: 0, lockWaits: 0 },
      pool: { inUse: 0, oldestLoanMs: 0 },
    });
  });

  it("show who holds the writer, and who waits for it", async () => {
    const database = await openTable();
    const { promise: end, resolve } = Promise.withResolvers<void>();
    const held = database.hold((send) => inTransaction(send, () => end));
    const written = database.write([sql("INSERT INTO t VALUES (1)")]);
    await until(() => database.vitals().writer.busyMs > 0);

    const during = database.vitals().writer;
    resolve();
    await Promise.all([held, written]);
    await settle();
    const after = database.vitals().writer;

    expect(during).toMatchObject({ waiting: 1, served: 2 });
    expect(during.waitingMs).toBeGreaterThan(0);
    expect(after).toMatchObject({ waiting: 0, waitingMs: 0, busyMs: 0, served: 3 });
    expect(after.waits.reduce((sum, count) => sum + count)).toBe(3);
    expect(after.waitedMs).toBeGreaterThan(0);
  });

  it("count the waits for the lock of another process, and those that end with BUSY", async () => {
    const database = await openTable({ busyTimeoutMs: 60 });
    const other = lock(database);
    const write = database.write([sql("INSERT INTO t VALUES (1)")]);
    await until(() => database.vitals().writer.lockWaits > 0);
    other.control("COMMIT");
    await write;
    const waited = database.vitals().writer;

    other.control("BEGIN IMMEDIATE");
    const unit = await failureOf(database.write([sql("INSERT INTO t VALUES (2)")]));
    const transaction = await failureOf(
      database.hold((send) => inTransaction(send, async () => undefined)),
    );
    other.control("COMMIT");

    expect([unit.code, transaction.code]).toEqual(["BUSY", "BUSY"]);
    expect(waited).toMatchObject({ lockWaits: 1, busyErrors: 0 });
    expect(database.vitals().writer).toMatchObject({ busyErrors: 2, lockWaits: 3 });
  });

  it("count threads that died", async () => {
    const database = await openTable();

    await database.file.writer.terminate();
    await database.write([sql("INSERT INTO t VALUES (1)")]);

    expect(database.vitals().writer.deaths).toBe(1);
  });

  it("show how old the oldest reader is", async () => {
    const clock = new FakeClock();
    const database = await open({}, temporaryPath(), { clock });
    const ends = [1, 2].map(() => Promise.withResolvers<void>());
    const [older, younger] = ends.map(({ promise }) => async () => {
      const { promise: begun, resolve } = Promise.withResolvers<void>();
      const done = database.snapshot(async (snapshot) => {
        await snapshot.read(sql("SELECT 1"));
        resolve();
        await promise;
      });
      await begun;
      return { done };
    });
    const first = await older?.();
    clock.advance(400);
    const second = await younger?.();
    clock.advance(100);

    const both = database.vitals().pool;
    ends[0]?.resolve();
    await first?.done;
    const one = database.vitals().pool;
    ends[1]?.resolve();
    await second?.done;

    expect([both.oldestLoanMs, one.oldestLoanMs]).toEqual([500, 100]);
    expect(database.vitals().pool.oldestLoanMs).toBe(0);
  });

  it("notice that the file has gone from its place", async () => {
    const database = await openTable();

    rmSync(database.path);

    expect(database.vitals()).toMatchObject({ isInPlace: false, sizeBytes: 0 });
  });

  it("are no longer to be had when it is closed", async () => {
    const database = await openTable();
    await database.close();

    expect(() => database.vitals()).toThrow(expect.objectContaining({ code: "CLOSED" }));
  });
});

describe("waits for the writer", () => {
  it("are counted in the class that they belong to", () => {
    const load = new WriterLoad();
    const nowMs = processMs();

    load.begin([0, 3, 30, 700, 60_000].map((waitedMs) => ({ askedMs: nowMs - waitedMs })));

    const { waits } = load.statistics({ waiting: 0, askedMs: undefined, lockWaits: 0 });
    expect(waits).toEqual([1, 1, 0, 1, 0, 0, 1, 0, 1]);
  });
});
