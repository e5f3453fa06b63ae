/** What is wrong with files: each is refused with its code and advice, and left as it was. */

import { execFileSync } from "node:child_process";
import {
  existsSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it, onTestFinished } from "vitest";
import { warningChannel } from "../../src/core/channels.ts";
import { systemClock } from "../../src/core/clock.ts";
import { type Database, openDatabase } from "../../src/sqlite/database.ts";
import type { DatabaseOptions } from "../../src/sqlite/options.ts";
import { failureOf, settle, sql, temporaryFolder, temporaryPath } from "./support.ts";

const PAGE = 4_096;

async function open(path: string, options: DatabaseOptions = {}): Promise<Database> {
  const database = await openDatabase({ kind: "file", path }, options);
  onTestFinished(() => database.close());
  return database;
}

/** A closed database with some pages of rows; in a journal mode that opens would change. */
function makeDatabase(mode = "wal"): string {
  const path = temporaryPath();
  using database = new DatabaseSync(path);
  database.exec(`PRAGMA journal_mode = ${mode}`);
  database.exec("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)");
  const insert = database.prepare("INSERT INTO t (v) VALUES (?)");
  database.exec("BEGIN");
  for (let row = 0; row < 400; row++) insert.run("x".repeat(100));
  database.exec("COMMIT");
  return path;
}

/** Overwrites a page with noise. */
function damage(path: string, page: number): void {
  const bytes = readFileSync(path);
  bytes.fill(0xa5, page * PAGE, (page + 1) * PAGE);
  writeFileSync(path, bytes);
}

describe("a file that is not a database", () => {
  it.each(["durable", "readOnly"])("is refused when opened %s, and left as it was", async (how) => {
    const path = temporaryPath();
    writeFileSync(path, "week,task,seconds\n".repeat(500));
    const before = readFileSync(path);

    const options = how === "readOnly" ? { readOnly: true } : {};
    const failure = await failureOf(openDatabase({ kind: "file", path }, options));

    expect(failure).toMatchObject({
      code: "NOT_A_DATABASE",
      message: expect.stringContaining(path),
    });
    expect(readFileSync(path)).toEqual(before);
    expect(readdirSync(dirname(path))).toEqual(["test.db"]);
  });

  it("but empty becomes a database", async () => {
    const path = temporaryPath();
    writeFileSync(path, "");

    const database = await open(path);

    await database.write([sql("CREATE TABLE t (v)")]);
    expect((await database.read(sql("SELECT count(*) FROM t"))).rows).toEqual([[0]]);
  });
});

describe("a damaged database", () => {
  it.each(["wal", "delete"])("(%s) is refused when its schema is lost, and left", async (mode) => {
    const path = makeDatabase(mode);
    const bytes = readFileSync(path);
    bytes.fill(0xa5, 100, PAGE);
    writeFileSync(path, bytes);

    const failure = await failureOf(openDatabase({ kind: "file", path }));

    expect(failure).toMatchObject({
      code: "CORRUPT",
      message: expect.stringContaining("restore a backup"),
    });
    expect(readFileSync(path)).toEqual(bytes);
  });

  it("is left with its log when it cannot be opened", async () => {
    const original = makeDatabase();
    using writer = new DatabaseSync(original);
    writer.exec("INSERT INTO t (v) VALUES ('only in the log')");
    const path = temporaryPath();
    writeFileSync(path, readFileSync(original).fill(0xa5, 100, PAGE));
    const log = readFileSync(`${original}-wal`).fill(0x5a, 60, 500);
    writeFileSync(`${path}-wal`, log);
    const before = readFileSync(path);

    expect(await failureOf(openDatabase({ kind: "file", path }))).toMatchObject({
      code: "CORRUPT",
    });

    expect(readFileSync(path)).toEqual(before);
    expect(readFileSync(`${path}-wal`)).toEqual(log);
  });

  it("is refused when its end is missing", async () => {
    const path = makeDatabase();
    truncateSync(path, 3 * PAGE);
    const before = readFileSync(path);

    expect(await failureOf(openDatabase({ kind: "file", path }))).toMatchObject({
      code: "CORRUPT",
    });
    expect(readFileSync(path)).toEqual(before);
  });

  it("fails the reads and writes that meet the damage, and only them", async () => {
    const path = makeDatabase();
    {
      using plain = new DatabaseSync(path);
      plain.exec("CREATE TABLE fine (v)");
    }
    damage(path, 4);
    const database = await open(path);

    const read = await failureOf(database.read(sql("SELECT sum(length(v)) FROM t")));
    const write = await failureOf(database.write([sql("UPDATE t SET v = 'y'")]));

    expect([read.code, write.code]).toEqual(["CORRUPT", "CORRUPT"]);
    await database.write([sql("INSERT INTO fine VALUES (1)")]);
    expect((await database.read(sql("SELECT v FROM fine"))).rows).toEqual([[1]]);
  });

  it.each(["noise", "a damaged page"])(
    "that is a cache (%s) is set aside and made anew",
    async (how) => {
      const path = how === "noise" ? temporaryPath() : makeDatabase();
      if (how === "noise") writeFileSync(path, "?".repeat(10_000));
      else damage(path, 3);
      const before = readFileSync(path);
      const seen: unknown[] = [];
      const listen = (event: unknown): void => {
        seen.push(event);
      };
      warningChannel.subscribe(listen);
      onTestFinished(() => {
        warningChannel.unsubscribe(listen);
      });

      const database = await open(path, { profile: "fast" });
      await database.write([sql("CREATE TABLE t (v)")]);

      const aside = readdirSync(dirname(path)).filter((name) => name.includes(".damaged-"));
      expect(aside.length).toBe(1);
      expect(readFileSync(join(dirname(path), aside[0] ?? ""))).toEqual(before);
      expect((await database.read(sql("SELECT * FROM t"))).rows).toEqual([]);
      const why = how === "noise" ? "no database, or encrypted" : "damaged";
      const message = `${path} was ${why}. It was set aside as ${path}`;
      expect(seen).toMatchObject([
        { code: "DATABASE_REMADE", message: expect.stringContaining(message) },
      ]);
      expect(seen).not.toMatchObject([{ message: expect.stringContaining("left as it is") }]);
      expect(statSync(path).mode & 0o777).toBe(0o600);
      const again = await open(path, { profile: "fast" });
      expect(again.file).toBe(database.file);
    },
  );
});

describe("a place that cannot be used", () => {
  it("is refused when its folder does not exist, which is not made silently", async () => {
    const folder = temporaryFolder();
    const path = join(folder, "data", "app.db");

    expect(await failureOf(openDatabase({ kind: "file", path }))).toMatchObject({
      code: "UNOPENABLE",
      message: expect.stringContaining("does not exist. Make it first"),
    });
    expect(existsSync(join(folder, "data"))).toBe(false);
  });

  it.each([false, true])("is refused when it is a folder (readOnly: %s)", async (readOnly) => {
    const path = temporaryFolder();

    expect(await failureOf(openDatabase({ kind: "file", path }, { readOnly }))).toMatchObject({
      code: "UNOPENABLE",
      message: expect.stringContaining("is a folder"),
    });
  });

  it("is refused for reading when there is no file, and none is made", async () => {
    const path = temporaryPath();

    const failure = await failureOf(openDatabase({ kind: "file", path }, { readOnly: true }));

    expect(failure).toMatchObject({ code: "UNOPENABLE", message: expect.stringContaining(path) });
    expect(existsSync(path)).toBe(false);
  });
});

describe("a file that another process holds exclusively", () => {
  function hold(path: string): DatabaseSync {
    const holder = new DatabaseSync(path);
    onTestFinished(() => void (holder.isOpen && holder.close()));
    holder.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE; COMMIT");
    return holder;
  }

  it.each([
    ["wal", {}],
    ["wal", { readOnly: true }],
    ["wal", { profile: "fast" }],
    ["delete", {}],
  ] satisfies [string, DatabaseOptions][])(
    "(%s, %j) is waited for while the event loop goes on",
    async (mode, options) => {
      const path = makeDatabase(mode);
      const holder = hold(path);
      let turns = 0;

      const opening = open(path, options);
      for (; turns < 50; turns++) await settle();
      holder.close();
      const database = await opening;

      expect((await database.read(sql("SELECT count(*) FROM t"))).rows).toEqual([[400]]);
    },
  );

  it.each([{}, { readOnly: true }])(
    "%j is BUSY when the time is over, with what to do",
    async (options) => {
      const path = makeDatabase();
      using _ = hold(path);

      const failure = await failureOf(open(path, { ...options, busyTimeoutMs: 20 }));

      expect(failure).toMatchObject({
        code: "BUSY",
        message: expect.stringContaining("Let that process end or close the file, or raise"),
        fields: { path, busyTimeoutMs: 20 },
      });
    },
  );
});

describe("an older SQLite", () => {
  it("is refused before the file is touched", async () => {
    const path = temporaryPath();
    const environment = { clock: systemClock, sqliteVersion: "3.51.2" };

    expect(await failureOf(openDatabase({ kind: "file", path }, {}, environment))).toMatchObject({
      code: "SQLITE_TOO_OLD",
    });
    expect(existsSync(path)).toBe(false);
  });
});

/** Whether this process may make a folder read-only for itself; only the superuser may. */
function freeze(folder: string): boolean {
  try {
    execFileSync("chattr", ["+i", folder], { stdio: "ignore" });
  } catch {
    return false;
  }
  onTestFinished(() => {
    execFileSync("chattr", ["-i", folder], { stdio: "ignore" });
  });
  return true;
}

describe("a read-only folder", () => {
  it("refuses a new database and says what to do", async ({ skip }) => {
    const folder = temporaryFolder();
    if (!freeze(folder)) skip("chattr +i is not allowed here");
    const path = join(folder, "app.db");

    expect(await failureOf(openDatabase({ kind: "file", path }))).toMatchObject({
      code: "UNOPENABLE",
    });
  });

  it("refuses to open a database for writing", async ({ skip }) => {
    const path = makeDatabase();
    if (!freeze(dirname(path))) skip("chattr +i is not allowed here");

    expect(await failureOf(openDatabase({ kind: "file", path }))).toMatchObject({
      code: "UNOPENABLE",
      message: expect.stringContaining("folder"),
    });
  });

  it("lets a database be read, on the main thread and on reader threads", async ({ skip }) => {
    const path = makeDatabase();
    if (!freeze(dirname(path))) skip("chattr +i is not allowed here");

    const database = await open(path, { readOnly: true });

    expect((await database.read(sql("SELECT id FROM t WHERE id = 5"))).rows).toEqual([[5]]);
    expect((await database.read(sql("SELECT count(*) FROM t"))).rows).toEqual([[400]]);
  });

  it("is explained when changes still stand in the log", async ({ skip }) => {
    const folder = temporaryFolder();
    const path = join(folder, "copy.db");
    const original = makeDatabase();
    using writer = new DatabaseSync(original);
    writer.exec("INSERT INTO t (v) VALUES ('only in the log')");
    writeFileSync(path, readFileSync(original));
    writeFileSync(`${path}-wal`, readFileSync(`${original}-wal`));
    if (!freeze(folder)) skip("chattr +i is not allowed here");

    const failure = await failureOf(openDatabase({ kind: "file", path }, { readOnly: true }));

    expect(failure).toMatchObject({
      code: "UNOPENABLE",
      message: expect.stringContaining("Copy the file and its -wal together"),
    });
  });
});
