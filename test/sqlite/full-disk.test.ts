/** A disk that is full. */

import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it, onTestFinished } from "vitest";
import { openDatabase } from "../../src/sqlite/database.ts";
import { warnings } from "./fake-threads.ts";
import { failureOf, sql, temporaryFolder } from "./support.ts";

/** A folder on a disk of one megabyte, or nothing where that cannot be had. */
function makeSmallDisk(): string | undefined {
  const folder = join(temporaryFolder(), "small");
  mkdirSync(folder);
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], { stdio: "ignore" });
  } catch {
    return undefined;
  }
  onTestFinished(() => {
    execFileSync("umount", [folder], { stdio: "ignore" });
  });
  return folder;
}

describe("a full disk", () => {
  it("does not keep the file from being closed: the log stays, with a warning", async ({
    skip,
  }) => {
    const folder = makeSmallDisk() ?? skip("mounting is not allowed here");
    const warned = warnings();
    const path = join(folder, "app.db");
    const database = await openDatabase({ kind: "file", path });
    await database.write([sql("CREATE TABLE t (v)")]);
    for (let n = 0; n < 10; n++) {
      await database.write([sql("INSERT INTO t VALUES (zeroblob(50000))")]);
    }
    const { bavail, bsize } = statfsSync(folder);
    writeFileSync(join(folder, "rest"), new Uint8Array(bavail * bsize));

    await database.close();
    rmSync(join(folder, "rest"));

    expect(warned.length).toBe(1);
    expect(warned[0]).toMatch(/^CHECKPOINT_FAILED .* database or disk is full\. /);
    expect(warned[0]).toContain(`safe in ${path}-wal`);
    using plain = new DatabaseSync(path);
    expect(plain.prepare("SELECT count(*) AS n FROM t").get()).toEqual({ n: 10 });
  });

  it("fails writes with DISK_FULL, keeps what was written, and recovers", async ({ skip }) => {
    const folder = makeSmallDisk() ?? skip("mounting is not allowed here");
    const database = await openDatabase({ kind: "file", path: join(folder, "app.db") });
    await database.write([sql("CREATE TABLE t (v)")]);
    await database.write([sql("INSERT INTO t VALUES ('kept')")]);

    const failure = await failureOf(
      database.write([sql("INSERT INTO t VALUES (zeroblob(2000000))")]),
    );
    const { rows } = await database.read(sql("SELECT v FROM t"));
    execFileSync("mount", ["-o", "remount,size=9m", folder], { stdio: "ignore" });
    await database.write([sql("INSERT INTO t VALUES ('there is space again')")]);
    await database.close();

    expect(failure).toMatchObject({
      code: "DISK_FULL",
      message: expect.stringContaining("Free some space"),
    });
    expect(rows).toEqual([["kept"]]);
    using plain = new DatabaseSync(join(folder, "app.db"));
    expect(plain.prepare("SELECT count(*) AS n FROM t").get()).toEqual({ n: 2 });
    expect(plain.prepare("PRAGMA integrity_check").get()).toEqual({ integrity_check: "ok" });
  });
});
