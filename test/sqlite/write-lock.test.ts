/** Writes while another connection holds the write lock. */

import { describe, expect, it, onTestFinished } from "vitest";
import { Claims } from "../../src/sqlite/claims.ts";
import { Connection } from "../../src/sqlite/connection.ts";
import type { Database } from "../../src/sqlite/database.ts";
import { inTransaction } from "../../src/sqlite/writer.ts";
import { open } from "./open-database.ts";
import { failureOf, settle, sql } from "./support.ts";

const TIMEOUT_MS = 150;
const put = (id: number): ReturnType<typeof sql> => sql("INSERT INTO t VALUES (?)", id);

interface Bench {
  readonly database: Database;
  /** The other's, in its write transaction. */
  readonly other: Connection;
  ids(): Promise<unknown>;
}

async function openLocked(busyTimeoutMs: number): Promise<Bench> {
  const database = await open({ busyTimeoutMs });
  await database.write([sql("CREATE TABLE t (id INTEGER PRIMARY KEY)")]);
  const other = new Connection({ path: database.path, readOnly: false, pragmas: [] });
  onTestFinished(() => other.close());
  other.control("BEGIN IMMEDIATE");
  const ids = async (): Promise<unknown> =>
    (await database.read(sql("SELECT id FROM t ORDER BY id"))).rows.flat();
  return { database, other, ids };
}

/** The codes that calls ended with, and the time until the last one did. */
async function outcomesOf(
  calls: readonly Promise<unknown>[],
): Promise<{ readonly codes: unknown[]; readonly ms: number }> {
  const startMs = performance.now();
  const errors = await Promise.all(calls.map(failureOf));
  return { codes: errors.map(({ code }) => code), ms: performance.now() - startMs };
}

const transaction = (database: Database, id: number, signal?: AbortSignal): Promise<unknown> =>
  database.hold(
    (send) => inTransaction(send, () => send({ kind: "unit", statements: [put(id)] })),
    signal === undefined ? {} : { signal },
  );

describe("a write that waits for another process", () => {
  it("waits for its timeout and not for that of those before it", async () => {
    const { database, other, ids } = await openLocked(TIMEOUT_MS);

    const held = await outcomesOf([1, 2, 3, 4, 5, 6].map((id) => transaction(database, id)));
    const units = await outcomesOf([1, 2, 3, 4, 5, 6].map((id) => database.write([put(id)])));
    other.control("COMMIT");

    expect([...held.codes, ...units.codes]).toEqual(Array(12).fill("BUSY"));
    for (const { ms } of [held, units]) {
      expect(ms).toBeGreaterThanOrEqual(TIMEOUT_MS - 5);
      expect(ms).toBeLessThan(4 * TIMEOUT_MS);
    }
    expect(await ids()).toEqual([]);
  });

  it("shares one wait also when each unit has a transaction of its own", async () => {
    const { database, other, ids } = await openLocked(TIMEOUT_MS);
    other.control("CREATE TABLE p (id INTEGER PRIMARY KEY)");
    other.control("CREATE TABLE c (id INTEGER REFERENCES p DEFERRABLE INITIALLY DEFERRED)");
    other.control("COMMIT");
    await Promise.all([database.write([put(1)]), database.write([put(2)])]);
    other.control("BEGIN IMMEDIATE");

    const { codes, ms } = await outcomesOf(
      [3, 4, 5, 6, 7, 8].map((id) => database.write([put(id)])),
    );
    other.control("COMMIT");

    expect(codes).toEqual(Array(6).fill("BUSY"));
    expect(ms).toBeLessThan(4 * TIMEOUT_MS);
    expect(await ids()).toEqual([1, 2]);
  });

  it("has its own time when it came later than the one before it", async () => {
    const { database, other, ids } = await openLocked(TIMEOUT_MS);
    const first = transaction(database, 1).catch(() => "BUSY");
    const startMs = performance.now();
    while (performance.now() - startMs < TIMEOUT_MS / 2) await settle();
    const late = [2, 3].map((id) => database.write([put(id)]));

    expect(await first).toBe("BUSY");
    other.control("COMMIT");

    await Promise.all(late);
    expect(await ids()).toEqual([2, 3]);
  });

  it("can be given up at once, and is never written then", async () => {
    const { database, other, ids } = await openLocked(60_000);
    const controller = new AbortController();
    const { signal } = controller;

    const given = [1, 2].map((id) => database.write([put(id)], { signal }));
    const kept = database.write([put(3)]);
    while (!database.file.writer.started) await settle();
    await settle();
    setImmediate(() => controller.abort());
    const { codes } = await outcomesOf(given);
    other.control("COMMIT");

    expect(codes).toEqual(["ABORTED", "ABORTED"]);
    await kept;
    expect(await ids()).toEqual([3]);
  });

  it("does not keep the writer waiting when nobody waits for it any more", async () => {
    const { database, other, ids } = await openLocked(60_000);

    for (const write of [
      (signal: AbortSignal) => database.write([put(1)], { signal }),
      (signal: AbortSignal) => transaction(database, 1, signal),
    ]) {
      const controller = new AbortController();
      setImmediate(() => controller.abort());
      expect((await outcomesOf([write(controller.signal)])).codes).toEqual(["ABORTED"]);
    }
    const settings = database.describe();
    await settings;
    other.control("COMMIT");

    await database.write([put(2)]);
    expect(await ids()).toEqual([2]);
  });
});

describe("the claim on a unit", () => {
  it("belongs to whoever is first", () => {
    const caller = new Claims();
    const thread = new Claims(caller.memory);

    expect(caller.withdraw(0)).toBe(true);
    expect(thread.begin(0)).toBe(false);
    expect(thread.areWithdrawn(0, 1)).toBe(true);
    expect(thread.begin(1)).toBe(true);
    expect(thread.begin(1)).toBe(true);
    expect(caller.withdraw(1)).toBe(false);
    expect(thread.areWithdrawn(0, 2)).toBe(false);
    caller.reset();
    expect(thread.begin(0)).toBe(true);
  });
});
