/** Opens of one file in one process. */

import {
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it, onTestFinished } from "vitest";
import { type Database, openDatabase } from "../../src/sqlite/database.ts";
import type { DatabaseOptions } from "../../src/sqlite/options.ts";
import { failureOf, sql, temporaryPath } from "./support.ts";

const SUFFIXES = ["", "-wal", "-shm"];

async function open(path: string, options: DatabaseOptions = {}): Promise<Database> {
  const database = await openDatabase({ kind: "file", path }, options);
  onTestFinished(() => database.close());
  return database;
}

describe("opens of one file", () => {
  it("share its connections, even when they come at once and by two paths", async () => {
    const path = temporaryPath();
    const alias = `${path}-alias`;
    symlinkSync(path, alias);

    const [first, second] = await Promise.all([open(path), open(path)]);
    const third = await open(alias);

    expect(second.file).toBe(first.file);
    expect(third.file).toBe(first.file);
    await second.write([sql("CREATE TABLE t (v)")]);
    expect((await third.read(sql("SELECT count(*) FROM t"))).rows).toEqual([[0]]);
  });

  it("are closed one by one; the last one ends the connections", async () => {
    const path = temporaryPath();
    const [first, second] = await Promise.all([open(path), open(path)]);
    await first.write([sql("CREATE TABLE t (v)")]);

    await first.close();

    expect(await failureOf(first.read(sql("SELECT 1")))).toMatchObject({ code: "CLOSED" });
    await second.write([sql("INSERT INTO t VALUES (1)")]);
    await second.close();
    expect(readdirSync(dirname(path))).toEqual(["test.db"]);
  });

  it("wait for a close that is under way", async () => {
    const path = temporaryPath();
    const first = await open(path);
    await first.write([sql("CREATE TABLE t (v)")]);

    const closing = first.close();
    const second = await open(path);
    await closing;

    expect(second.file).not.toBe(first.file);
    expect((await second.read(sql("SELECT count(*) FROM t"))).rows).toEqual([[0]]);
  });

  it("adopt the settings in force where they say nothing", async () => {
    const path = temporaryPath();
    await open(path, { busyTimeoutMs: 5, pool: { maxSize: 2 } });

    const second = await open(path, { pool: { maxSize: 2 } });

    expect(second.file.options).toMatchObject({ busyTimeoutMs: 5, pool: { maxSize: 2 } });
  });

  it.each([
    [{ busyTimeoutMs: 6 }, "another busyTimeout."],
    [{ pool: { maxSize: 3 } }, "pool.maxSize"],
    [{ cacheSizeBytes: 4_096 }, "another cacheSize."],
    [{ profile: "fast" }, "profile"],
    [{ echo: true }, "echo"],
  ] satisfies [DatabaseOptions, string][])(
    "refuse %j against what is in force",
    async (options, name) => {
      const path = temporaryPath();
      await open(path, { busyTimeoutMs: 5, pool: { maxSize: 2 } });

      expect(await failureOf(open(path, options))).toMatchObject({
        code: "INVALID_ARGUMENT",
        message: expect.stringContaining(name),
      });
    },
  );

  it("may read only beside one that writes, but not write beside one that reads only", async () => {
    const path = temporaryPath();
    const writing = await open(path);
    await writing.write([sql("CREATE TABLE t (v)")]);

    const reading = await open(path, { readOnly: true });
    const refused = await failureOf(reading.write([sql("DELETE FROM t")]));
    expect((await reading.read(sql("SELECT count(*) FROM t"))).rows).toEqual([[0]]);
    await writing.close();
    await reading.close();
    await open(path, { readOnly: true });

    expect(refused).toMatchObject({ code: "READ_ONLY", message: expect.stringContaining(path) });
    expect(await failureOf(open(path))).toMatchObject({
      code: "INVALID_ARGUMENT",
      message: expect.stringContaining("readOnly"),
    });
  });

  it("that failed leave nothing behind for the next", async () => {
    const path = temporaryPath();
    expect(await failureOf(open(path, { readOnly: true }))).toMatchObject({ code: "UNOPENABLE" });

    const database = await open(path);

    expect(database.readOnly).toBe(false);
  });
});

describe("a file that is replaced while it is open", () => {
  it.each([
    ["by a copy", (path: string) => renameSync(`${path}.copy`, path)],
    [
      "by a new one",
      (path: string) => {
        for (const suffix of SUFFIXES) rmSync(path + suffix);
      },
    ],
  ])("%s cannot be opened under its name beside the old one", async (_, replace) => {
    const path = temporaryPath();
    const first = await open(path);
    await first.write([sql("CREATE TABLE t (v)")]);
    copyFileSync(path, `${path}.copy`);
    replace(path);

    expect(await failureOf(open(path))).toMatchObject({
      code: "UNOPENABLE",
      message: expect.stringContaining("was replaced by another file"),
    });
    await first.close();
    await open(path);
  });
});

/** The locks on a file, as Linux tells of them. */
function locksOn(path: string): string[] {
  const { ino } = statSync(path);
  return readFileSync("/proc/locks", "utf8")
    .split("\n")
    .filter((line) => line.includes(`:${ino} `));
}

describe.runIf(existsSync("/proc/locks"))("opening a file that is open already", () => {
  it("leaves the locks of the connection that the program has made without us", async () => {
    const path = temporaryPath();
    await (await open(path)).close();
    using own = new DatabaseSync(path);
    own.exec("CREATE TABLE t (v)");
    expect(locksOn(path)).toHaveLength(1);

    await (await open(path)).close();

    expect(locksOn(path)).toHaveLength(1);
  });
});
