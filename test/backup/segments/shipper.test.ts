/** Whatever was committed can be restored at every transaction, whoever moves the log meanwhile. */

import { copyFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { readCatalog } from "../../../src/backup/segments/catalog.ts";
import { planRestore } from "../../../src/backup/segments/plan.ts";
import { SpringhouseError } from "../../../src/core/errors.ts";
import { Choices } from "../../../src/testing/coherence/choices.ts";
import { newFolder } from "../support.ts";
import { connect, contentHash, type Rig, ship } from "./support.ts";

const NUMBERS = `WITH RECURSIVE n (value) AS
  (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < ?) SELECT value FROM n`;

/** One commit, which changes something: another would leave no frame. */
function commitOnce(database: DatabaseSync, choices: Choices, serial: number): void {
  const pick = choices.fraction();
  const tables = database
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
    .all();
  const table = String(tables[choices.below(tables.length)]?.["name"]);
  if (tables.length === 0 || pick < 0.06) {
    database.exec(`CREATE TABLE t${serial} (id INTEGER PRIMARY KEY, value TEXT, filler BLOB)`);
  } else if (pick < 0.1) database.exec(`ALTER TABLE ${table} ADD COLUMN c${serial} DEFAULT 7`);
  else if (pick < 0.13) database.exec(`DROP TABLE ${table}`);
  else if (pick < 0.16) database.exec(`CREATE INDEX i${serial} ON ${table} (value)`);
  else if (pick < 0.22) database.exec("VACUUM");
  else {
    const insert = `INSERT INTO ${table} (value, filler)
      SELECT ? || value, randomblob(?) FROM (${NUMBERS})`;
    database.prepare(insert).run(`v${serial}-`, choices.below(2_000), 1 + choices.fraction() * 20);
  }
}

function kinds({ events }: Rig, kind: string): number {
  return events.filter((event) => event.kind === kind).length;
}

/** A database with a row for each transaction after the first, which makes the table. */
function counting(path: string): { database: DatabaseSync; commit: (times?: number) => void } {
  const database = connect(path);
  database.exec("CREATE TABLE t (id INTEGER PRIMARY KEY, filler BLOB)");
  const insert = database.prepare("INSERT INTO t (filler) VALUES (randomblob(500))");
  const commit = (times = 1): void => {
    for (let time = 0; time < times; time++) insert.run();
  };
  return { database, commit };
}

describe("a shipped database", () => {
  it.each([
    [512, 80],
    [4_096, 60],
    [65_536, 20],
  ])(
    "is restored exactly at every transaction, with pages of %i bytes",
    async (pageSize, commits) => {
      const choices = new Choices(pageSize);
      const path = join(newFolder(), "app.db");
      const database = connect(path, pageSize);
      const foreign = connect(path);
      const hashes = [contentHash(database)];
      const rig = ship(path, { resetBytes: 20 * pageSize });
      await rig.shipper.step();

      for (let serial = 1; serial <= commits; serial++) {
        commitOnce(database, choices, serial);
        hashes.push(contentHash(database));
        if (choices.chance(0.3)) await rig.shipper.step();
        // The log is not cut while the first base is under way.
        if (serial === commits / 2) await rig.shipper.settled();
        if (choices.chance(0.1)) foreign.exec("PRAGMA wal_checkpoint(PASSIVE)");
        if (choices.chance(0.05)) foreign.exec("PRAGMA wal_checkpoint(RESTART)");
        if (choices.chance(0.05)) foreign.exec("PRAGMA wal_checkpoint(TRUNCATE)");
      }
      await rig.shipper.step();
      await rig.shipper.settled();

      expect(kinds(rig, "generation")).toBe(1);
      expect(kinds(rig, "failed")).toBe(0);
      expect(kinds(rig, "reset")).toBeGreaterThan(0);
      // A sample; which transactions are in it differs from page size to page size.
      for (const [transaction, hash] of hashes.entries()) {
        if (transaction % 7 !== commits % 7 && transaction > 1) continue;
        const restored = await rig.restored({ kind: "transaction", transaction });
        expect(restored, `at ${transaction}`).toBe(hash);
      }
    },
  );

  it("is restored to what had been seen at a time", async () => {
    const path = join(newFolder(), "app.db");
    const { database, commit } = counting(path);
    const rig = ship(path);
    await rig.shipper.step();
    await rig.shipper.settled();
    const hashes = new Map<number, string>();
    for (let minute = 0; minute < 5; minute++) {
      rig.clock.advance(60_000);
      commit(3);
      hashes.set(rig.clock.nowMs(), contentHash(database));
      await rig.shipper.step();
    }

    for (const [timeMs, hash] of hashes) {
      expect(await rig.restored({ kind: "time", timeMs: timeMs + 59_999 })).toBe(hash);
    }
  });

  it("loses nothing when others commit and move the log while a segment is on its way", async () => {
    const path = join(newFolder(), "app.db");
    const { database, commit } = counting(path);
    const foreign = connect(path);
    const rig = ship(path, { resetBytes: 60 * 4_096 });
    const kinds = ["PASSIVE", "RESTART", "TRUNCATE"];
    let puts = 0;
    rig.store.onPut = () => {
      commit(3);
      foreign.exec(`PRAGMA wal_checkpoint(${kinds[puts++ % 3]})`);
      commit(puts % 2);
      foreign.exec(`PRAGMA wal_checkpoint(${kinds[puts % 3]})`);
    };

    for (let step = 0; step < 60; step++) {
      commit(1);
      await rig.shipper.step();
    }
    await rig.shipper.settled();
    rig.store.onPut = () => undefined;
    await rig.shipper.step();

    expect(rig.events.filter(({ kind }) => kind === "generation")).toHaveLength(1);
    expect(puts).toBeGreaterThan(60);
    expect(await rig.restored({ kind: "latest" })).toBe(contentHash(database));
  });

  it("keeps the log short while somebody writes all the time, without losing a commit", async () => {
    const path = join(newFolder(), "app.db");
    const { database, commit } = counting(path);
    const rig = ship(path, { resetBytes: 100 * 4_096 });
    await rig.shipper.step();
    await rig.shipper.settled();
    let longest = 0;

    for (let round = 0; round < 100; round++) {
      commit(10);
      await rig.shipper.step();
      longest = Math.max(longest, rig.shipper.state.logBytes);
    }

    expect(longest).toBeLessThan(3 * 100 * 4_096);
    expect(kinds(rig, "reset")).toBeGreaterThan(5);
    expect(kinds(rig, "generation")).toBe(1);
    expect(await rig.restored({ kind: "latest" })).toBe(contentHash(database));
  });

  it("lets the log of an idle database be begun anew and cut off", async () => {
    const path = join(newFolder(), "app.db");
    const { database, commit } = counting(path);
    const rig = ship(path);
    await rig.shipper.step();
    commit(50);
    await rig.shipper.step();
    await rig.shipper.settled();
    await rig.shipper.step();
    await rig.shipper.step();

    const checkpoint = database.prepare("PRAGMA wal_checkpoint(TRUNCATE)").get();

    expect(checkpoint).toEqual({ busy: 0, log: 0, checkpointed: 0 });
    commit(5);
    await rig.shipper.step();
    expect(kinds(rig, "generation")).toBe(1);
    expect(await rig.restored({ kind: "latest" })).toBe(contentHash(database));
  });

  it("is not shipped while a transaction is open, and wholly when it is committed", async () => {
    const path = join(newFolder(), "app.db");
    const { database } = counting(path);
    const rig = ship(path);
    await rig.shipper.step();
    await rig.shipper.settled();
    const before = contentHash(database);
    // A cache this small spills pages of the open transaction into the log.
    database.exec("PRAGMA cache_size = 5; BEGIN");
    database.exec(
      `INSERT INTO t (filler) SELECT randomblob(3000) FROM t, (${NUMBERS.replace("?", "2000")})`,
    );
    database.exec(
      `INSERT INTO t (filler) SELECT randomblob(3000) FROM (${NUMBERS.replace("?", "3000")})`,
    );
    await rig.shipper.step();
    expect(await rig.restored({ kind: "latest" })).toBe(before);

    database.exec("COMMIT");
    await rig.shipper.step();

    expect(await rig.restored({ kind: "latest" })).toBe(contentHash(database));
    expect(rig.store.objects.size).toBeGreaterThan(3);
  });
});

describe("a shipper", () => {
  it("goes on where the one before it ended, when the log is still there", async () => {
    const path = join(newFolder(), "app.db");
    const { database, commit } = counting(path);
    const first = ship(path);
    await first.shipper.step();
    await first.shipper.settled();
    commit(5);
    await first.shipper.step();
    await first.shipper.close();
    commit(5);

    const second = ship(path, {}, first);
    await second.shipper.step();

    expect(second.events.map(({ kind }) => kind)).toEqual(["resumed", "shipped"]);
    expect(await second.restored({ kind: "latest" })).toBe(contentHash(database));
  });

  it("begins a new generation when the log was begun anew while it was away", async () => {
    const path = join(newFolder(), "app.db");
    const { database, commit } = counting(path);
    const first = ship(path);
    await first.shipper.step();
    await first.shipper.settled();
    await first.shipper.close();
    commit(5);
    database.exec("PRAGMA wal_checkpoint(RESTART)");
    commit(5);

    const second = ship(path, {}, first);
    second.clock.advance(1_000);
    await second.shipper.step();
    await second.shipper.settled();

    expect(second.events[0]).toMatchObject({
      kind: "generation",
      reason: "the log does not go on from it",
    });
    const nowMs = second.clock.nowMs();
    const before = { kind: "time", timeMs: nowMs - 1 } as const;
    const plan = planRestore(await readCatalog(second.store), before);
    expect(plan).toMatchObject({ reachesMs: nowMs - 1_000, nothingUntilMs: nowMs });
    expect(await second.restored({ kind: "latest" })).toBe(contentHash(database));
  });

  it("begins a new generation when its last segment is damaged", async () => {
    const path = join(newFolder(), "app.db");
    const { database, commit } = counting(path);
    const first = ship(path);
    await first.shipper.step();
    await first.shipper.settled();
    commit(5);
    await first.shipper.step();
    await first.shipper.close();
    const name = [...first.store.objects.keys()].find((one) => one.includes("/wal-")) ?? "";
    first.store.objects.set(name, Buffer.from("rubbish"));

    const second = ship(path, {}, first);
    second.clock.advance(1_000);
    await second.shipper.step();
    await second.shipper.settled();

    expect(kinds(second, "generation")).toBe(1);
    expect(await second.restored({ kind: "latest" })).toBe(contentHash(database));
  });

  it("begins a new generation when the file is replaced", async () => {
    const folder = newFolder();
    const path = join(folder, "app.db");
    const { database, commit } = counting(path);
    const rig = ship(path);
    await rig.shipper.step();
    await rig.shipper.settled();
    const other = connect(join(folder, "other.db"));
    other.exec("CREATE TABLE other (a); PRAGMA wal_checkpoint(TRUNCATE)");
    copyFileSync(join(folder, "other.db"), join(folder, "copy.db"));
    commit(1);
    database.close();
    for (const companion of ["-wal", "-shm"]) rmSync(path + companion);
    renameSync(join(folder, "copy.db"), path);

    rig.clock.advance(1_000);
    await rig.shipper.step();
    await rig.shipper.settled();

    expect(rig.events).toContainEqual(
      expect.objectContaining({
        kind: "generation",
        reason: "the file was replaced by another one",
      }),
    );
    expect(await rig.restored({ kind: "latest" })).toBe(contentHash(other));
  });

  it("keeps what the store refuses, and ships it once the store is back", async () => {
    const path = join(newFolder(), "app.db");
    const { database, commit } = counting(path);
    const rig = ship(path);
    await rig.shipper.step();
    await rig.shipper.settled();
    rig.store.failure = new SpringhouseError("DISK_FULL", "no space left");
    for (let round = 0; round < 5; round++) {
      commit(20);
      database.exec("PRAGMA wal_checkpoint(PASSIVE)");
      await expect(rig.shipper.step()).rejects.toMatchObject({ code: "DISK_FULL" });
    }

    rig.store.failure = undefined;
    await rig.shipper.step();

    expect(kinds(rig, "generation")).toBe(1);
    expect(await rig.restored({ kind: "latest" })).toBe(contentHash(database));
  });

  it("lets a log that grew too long go, and says that there is a gap", async () => {
    const path = join(newFolder(), "app.db");
    const { database, commit } = counting(path);
    const rig = ship(path, { logBytesMax: 200 * 4_096 });
    await rig.shipper.step();
    await rig.shipper.settled();
    rig.store.failure = new SpringhouseError("IO", "the network is down");
    for (let round = 0; round < 10; round++) {
      commit(50);
      await expect(rig.shipper.step()).rejects.toMatchObject({ code: "IO" });
    }
    expect(rig.shipper.state.folder).toBe(undefined);
    // Nothing of ours holds the log any more.
    const checkpoint = database.prepare("PRAGMA wal_checkpoint(TRUNCATE)").get();
    expect(checkpoint).toEqual({ busy: 0, log: 0, checkpointed: 0 });

    rig.store.failure = undefined;
    rig.clock.advance(1_000);
    await rig.shipper.step();
    await rig.shipper.settled();

    expect(kinds(rig, "generation")).toBe(2);
    expect(await rig.restored({ kind: "latest" })).toBe(contentHash(database));
  });

  it("ships a base again when its time has come, and drops what is too old", async () => {
    const path = join(newFolder(), "app.db");
    const { database, commit } = counting(path);
    const hour = 3_600_000;
    const rig = ship(path, { baseEveryMs: hour, keepMs: 3 * hour });
    const hashes = new Map<number, string>();
    for (let step = 0; step < 40; step++) {
      commit(1);
      hashes.set(rig.clock.nowMs(), contentHash(database));
      await rig.shipper.step();
      await rig.shipper.settled();
      rig.clock.advance(hour / 4);
    }

    expect(kinds(rig, "base")).toBe(10);
    expect(kinds(rig, "pruned")).toBeGreaterThan(3);
    const kept = [...hashes].filter(([timeMs]) => timeMs >= rig.clock.nowMs() - 3 * hour);
    for (const [timeMs, hash] of kept) {
      expect(await rig.restored({ kind: "time", timeMs })).toBe(hash);
    }
    const [firstMs = 0] = hashes.keys();
    await expect(rig.restored({ kind: "time", timeMs: firstMs })).rejects.toMatchObject({
      code: "RESTORE_POINT_UNKNOWN",
    });
  });

  it("says nothing of the changes before its first base, which restore nothing", async () => {
    const path = join(newFolder(), "app.db");
    const { commit } = counting(path);
    const rig = ship(path);
    commit(1);
    // While somebody writes, the first base has to wait.
    const other = connect(path);
    other.exec("BEGIN IMMEDIATE");
    await rig.shipper.step();
    other.exec("INSERT INTO t (filler) VALUES (x'00'); COMMIT; BEGIN IMMEDIATE");
    await rig.shipper.step();
    other.exec("COMMIT");
    await rig.shipper.step();
    await rig.shipper.settled();

    expect(kinds(rig, "base")).toBe(1);
    expect(kinds(rig, "pruned")).toBe(0);
    expect([...rig.store.objects.keys()].filter((name) => name.includes("/wal-"))).toEqual([]);
  });

  it("refuses a database that has no write-ahead log", async () => {
    const path = join(newFolder(), "app.db");
    connect(path).exec("PRAGMA journal_mode = DELETE; CREATE TABLE t (a)");

    await expect(ship(path).shipper.step()).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
      message: expect.stringContaining("PRAGMA journal_mode = WAL"),
    });
  });
});
