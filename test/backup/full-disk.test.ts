/** A disk that is full, while a backup is made, and while one is restored. */

import { readdirSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createBackup } from "../../src/backup/create.ts";
import { restoreBackup } from "../../src/backup/restore.ts";
import { assertRoom } from "../../src/backup/room.ts";
import { makeDisk } from "./disk.ts";
import { ask, execute, failureOf, fillDatabase, makePlace } from "./support.ts";

describe("a full disk", () => {
  it("is seen before it is filled", async () => {
    const { folder } = makePlace();
    const { bavail, bsize } = statfsSync(folder);

    await assertRoom(folder, 1, "A test");
    const failure = await failureOf(assertRoom(folder, 2 * bavail * bsize, "A test"));

    expect(failure.code).toBe("DISK_FULL");
    expect(failure.message).toContain(folder);
  });

  it("leaves nothing of a backup that did not fit, and names what it needs", async ({ skip }) => {
    const { path, url, folder } = makePlace();
    const disk = makeDisk(folder, "2m") ?? skip("mounting is not allowed here");
    fillDatabase(path, 100);
    const directory = join(disk, "backups");
    await createBackup({ url, directory, name: "small" });
    execute(path, "CREATE TABLE large (b); INSERT INTO large VALUES (randomblob(3000000))");

    const early = await failureOf(createBackup({ url, directory }));
    // Too late to be seen before: the copy fits, and what it is packed to does not.
    execute(path, "DELETE FROM large; VACUUM; INSERT INTO large VALUES (randomblob(1300000))");
    const late = await failureOf(createBackup({ url, directory }));

    expect([early.code, late.code]).toEqual(["DISK_FULL", "DISK_FULL"]);
    expect(readdirSync(directory)).toEqual(["small"]);
  });

  it("leaves the database as it was when a restore does not fit", async ({ skip }) => {
    const { path, url, directory, folder } = makePlace();
    const disk = makeDisk(folder, "4m") ?? skip("mounting is not allowed here");
    fillDatabase(path, 20_000);
    await createBackup({ url, directory, name: "large" });
    const target = join(disk, "app.db");
    fillDatabase(target, 10);
    const { bavail, bsize } = statfsSync(disk);
    writeFileSync(join(disk, "rest"), new Uint8Array(bavail * bsize - 500_000));

    const to = { directory, name: "large", url: `sqlite:///${target}` };
    const failure = await failureOf(restoreBackup(to));

    expect(failure.code).toBe("DISK_FULL");
    expect(readdirSync(disk).sort()).toEqual(["app.db", "rest"]);
    expect(ask(target, "SELECT count(*) AS n FROM tasks")).toEqual([{ n: 10 }]);
  });
});
