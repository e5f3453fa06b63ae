import { fork } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { createBackup } from "../../src/backup/create.ts";
import { listBackups } from "../../src/backup/list.ts";
import { restoreBackup } from "../../src/backup/restore.ts";
import { restoreToTime } from "../../src/backup/restore-to-time.ts";
import { verifyBackup } from "../../src/backup/verify.ts";
import { describeReplaced } from "../../src/cli/backup/replacing.ts";
import { open } from "../../src/open.ts";
import { t } from "../../src/schema/column.ts";
import { entity } from "../../src/schema/entity.ts";
import { openSqliteStore } from "../../src/store/sqlite/store.ts";
import { sqliteTier } from "../../src/tier/sqlite/sqlite-tier.ts";
import { ask, execute, failureOf, fillDatabase, KEY, makePlace, type Place } from "./support.ts";

const COUNT = "SELECT count(*) AS n FROM tasks";

/** A database with a backup of its first state, which has changed since. */
async function changed(key?: string): Promise<Place> {
  const place = makePlace();
  const { path, url, directory } = place;
  fillDatabase(path, 100);
  await createBackup({ url, directory, name: "first", ...(key !== undefined && { key }) });
  execute(path, "DELETE FROM tasks WHERE id > 7");
  return place;
}

describe("a restore", () => {
  it("brings back what was there, and backs up what is there now", async () => {
    const { path, url, directory, folder } = await changed();

    const report = await restoreBackup({ directory, name: "first", url });

    expect(ask(path, COUNT)).toEqual([{ n: 100 }]);
    expect(report).toMatchObject({ dryRun: false, proof: { rows: 102 } });
    const [newest] = await listBackups({ directory });
    expect(report.replaced).toMatchObject({ state: "kept", backup: newest?.name });
    expect(newest).toMatchObject({ manifest: { kind: "pre-restore" }, verification: { ok: true } });
    expect(readdirSync(folder).sort()).toEqual(["app.db", "backups"]);

    await restoreBackup({ directory, name: newest?.name ?? "", url });
    expect(ask(path, COUNT)).toEqual([{ n: 7 }]);
  });

  it("is planned first: a dry run proves the backup and changes nothing", async () => {
    const { path, url, directory, folder } = await changed();
    const before = [readFileSync(path), readdirSync(folder).sort(), readdirSync(directory)];

    const report = await restoreBackup({ directory, name: "first", url, dryRun: true });

    expect(report).toMatchObject({
      dryRun: true,
      proof: { rows: 102 },
      replaced: { state: "kept" },
    });
    const after = [readFileSync(path), readdirSync(folder).sort(), readdirSync(directory)];
    expect(after).toEqual(before);
  });

  it("makes a database where there is none, past what an old one has left", async () => {
    const { url, directory, folder } = await changed(KEY);
    const target = join(folder, "new.db");
    writeFileSync(`${target}-wal`, "left by a database of that name");

    const options = { directory, name: "first", key: KEY };
    const report = await restoreBackup({ ...options, url: `sqlite:///${target}` });

    expect(report.replaced).toEqual({ state: "absent" });
    expect(ask(target, COUNT)).toEqual([{ n: 100 }]);
    expect(statSync(target).mode & 0o777).toBe(0o600);
    expect(url).toContain("app.db");
  });

  it("keeps the permissions of the file, and the link that leads to it", async () => {
    const { path, directory, folder } = await changed();
    chmodSync(path, 0o640);
    const link = join(folder, "link.db");
    symlinkSync(path, link);

    await restoreBackup({ directory, name: "first", url: `sqlite:///${link}` });

    expect(statSync(path).mode & 0o777).toBe(0o640);
    expect(ask(link, COUNT)).toEqual([{ n: 100 }]);
    expect(readdirSync(folder).sort()).toEqual(["app.db", "backups", "link.db"]);
  });

  it("is refused while this process has the database open", async () => {
    const { path, url, directory } = await changed();
    await using store = await openSqliteStore({ url });
    await store.read({ sql: COUNT, parameters: [] });

    const failure = await failureOf(restoreBackup({ directory, name: "first", url }));
    const rehearsal = await failureOf(
      restoreBackup({ directory, name: "first", url, dryRun: true }),
    );

    expect([failure.code, rehearsal.code]).toEqual(["DATABASE_IN_USE", "DATABASE_IN_USE"]);
    await store.write([{ sql: "DELETE FROM tasks WHERE id > 3", parameters: [] }]);
    expect(ask(path, COUNT)).toEqual([{ n: 3 }]);
  });

  it("is refused while another process has the database open, whatever its journal", async () => {
    const { path, url, directory } = await changed();
    execute(path, "PRAGMA journal_mode = DELETE");
    const holder = fork(join(import.meta.dirname, "holder-child.ts"), [path]);
    await once(holder, "message");

    const failure = await failureOf(restoreBackup({ directory, name: "first", url }));
    holder.kill("SIGKILL");
    await once(holder, "exit");

    expect(failure.code).toBe("DATABASE_IN_USE");
    if (process.platform === "linux") expect(failure.message).toContain(`Process ${holder.pid}`);
    expect(ask(path, COUNT)).toEqual([{ n: 7 }]);
  });

  it("is refused where the file belongs to the folder of backups", async () => {
    const { path, directory, folder } = await changed();
    await createBackup({ url: `sqlite:///${path}`, directory, name: "second" });
    const link = join(folder, "linked");
    symlinkSync(directory, link);
    writeFileSync(join(directory, "schedule.db"), "");
    mkdirSync(join(directory, "segments"));
    const before = readdirSync(directory, { recursive: true }).toSorted();
    const files = [
      "first/database.zst",
      "second/manifest.json",
      "second/new.db",
      "schedule.db",
      "segments/new.db",
      "pg.dump",
    ];

    for (const file of files) {
      for (const place of [directory, link]) {
        const url = `sqlite:///${join(place, file)}`;
        const calls = [
          () => restoreBackup({ directory, name: "first", url }),
          () => restoreBackup({ directory, name: "first", url, dryRun: true }),
          () => restoreToTime({ directory, url }),
        ];
        for (const call of calls) expect((await failureOf(call())).code).toBe("INVALID_ARGUMENT");
      }
    }

    expect(readdirSync(directory, { recursive: true }).toSorted()).toEqual(before);
    await verifyBackup({ directory, name: "first" });
    // Whoever keeps the database beside the backups can restore it.
    const beside = join(directory, "app.db");
    await restoreBackup({ directory, name: "first", url: `sqlite:///${beside}` });
    expect(ask(beside, COUNT)).toEqual([{ n: 100 }]);
  });

  it("of a damaged backup changes nothing", async () => {
    const { path, url, directory, folder } = await changed();
    writeFileSync(join(directory, "first/database.zst"), "");

    const failure = await failureOf(restoreBackup({ directory, name: "first", url }));

    expect(failure.code).toBe("BACKUP_DAMAGED");
    expect(ask(path, COUNT)).toEqual([{ n: 7 }]);
    expect(readdirSync(folder).filter((name) => name.includes("restoring"))).toEqual([]);
  });

  it.each([
    ["is no database at all", (bytes: Buffer) => bytes.fill(0x55)],
    ["has pages that make no sense", (bytes: Buffer) => bytes.fill(0x55, 4_096)],
  ])("sets a database aside that %s", async (_, damage) => {
    const { path, url, directory, folder } = await changed();
    execute(path, "PRAGMA journal_mode = DELETE");
    const damaged = damage(readFileSync(path));
    writeFileSync(path, damaged);

    const report = await restoreBackup({ directory, name: "first", url });

    expect(ask(path, COUNT)).toEqual([{ n: 100 }]);
    const aside = readdirSync(folder).find((name) => name.startsWith("app.db.damaged-")) ?? "";
    expect(readFileSync(join(folder, aside)).equals(damaged)).toBe(true);
    expect(report.replaced).toMatchObject({ state: "damaged", aside: join(folder, aside) });
    expect(describeReplaced(report.replaced, path, false)).toContain(join(folder, aside));
  });

  it("removes what a killed restore has left, and nothing of one that runs", async () => {
    const { path, url, directory, folder } = await changed();
    writeFileSync(`${path}.restoring-${2 ** 22 - 1}-x`, "left");
    writeFileSync(`${path}.restoring-${process.pid}-x`, "of this process");

    await restoreBackup({ directory, name: "first", url });

    expect(readdirSync(folder).filter((name) => name.includes("restoring"))).toEqual([
      `app.db.restoring-${process.pid}-x`,
    ]);
  });

  it("gives the log another identity, and says that anything may have changed", async () => {
    const { path, url, directory } = makePlace();
    const Task = entity("tasks", { id: t.int().primaryKey(), n: t.int() });
    {
      await using db = await open({ url, entities: [Task] });
      await db.repository(Task).create({ n: 1 });
      const cached = db.cached("n", (q) => q.selectFrom("tasks").selectAll().execute());
      await cached();
    }
    execute(path, "INSERT INTO springhouse_log_shapes VALUES (0, '', '[\"old\"]', NULL)");
    const name = (await createBackup({ url, directory })).name;
    const [before] = ask(path, "SELECT max(seq) AS n FROM springhouse_log") as { n: number }[];

    await restoreBackup({ directory, name, url });

    const identity = "SELECT columns ->> 0 AS id FROM springhouse_log_shapes WHERE id = 0";
    expect(ask(path, identity)).not.toEqual([{ id: "old" }]);
    const added = `SELECT kind, typeof(nonce) AS nonce FROM springhouse_log
      WHERE seq > ${before?.n} ORDER BY seq`;
    expect(ask(path, added)).toEqual([
      { kind: 0, nonce: "null" },
      { kind: 0, nonce: "null" },
      { kind: 0, nonce: "integer" },
    ]);
  });
});

describe("a result that was kept before a restore", () => {
  const Task = entity("tasks", { id: t.int().primaryKey(), title: t.text() });

  it("is never served after it, not even when the file has come to the same place", async () => {
    const { folder, path, url, directory } = makePlace();
    const session = async (title: string | undefined): Promise<readonly string[]> => {
      const tiers = [sqliteTier({ path: join(folder, "results.db") })];
      await using db = await open({ url, entities: [Task], cache: { tiers } });
      const titles = db.cached(
        "titles",
        async (q) => {
          const rows = await q.selectFrom("tasks").select("title").orderBy("id").execute();
          return rows.map((row) => row.title);
        },
        { version: 1 },
      );
      await titles();
      if (title !== undefined) await db.repository(Task).create({ title });
      return await titles();
    };
    await session("first");
    const { name } = await createBackup({ url, directory });
    expect(await session("lost")).toEqual(["first", "lost"]);

    await restoreBackup({ directory, name, url });

    expect(await session(undefined)).toEqual(["first"]);
    expect(await session("other")).toEqual(["first", "other"]);
    using plain = new DatabaseSync(path, { readOnly: true });
    expect(plain.prepare("PRAGMA integrity_check").get()).toEqual({ integrity_check: "ok" });
  });
});
