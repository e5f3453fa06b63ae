import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { describe, expect, it } from "vitest";
import { createBackup } from "../../src/backup/create.ts";
import { listBackups } from "../../src/backup/list.ts";
import { restoreBackup } from "../../src/backup/restore.ts";
import { openSqliteStore } from "../../src/store/sqlite/store.ts";
import { FakeClock } from "../../src/testing/fake-clock.ts";
import { ask, execute, failureOf, fillDatabase, KEY, makePlace } from "./support.ts";

const NOW_MS = Date.UTC(2026, 10, 26, 2, 0, 0);
const WRITER = `
  const { workerData, parentPort } = require("node:worker_threads");
  const { DatabaseSync } = require("node:sqlite");
  const database = new DatabaseSync(workerData);
  database.exec("PRAGMA busy_timeout = 5000");
  let n = 0;
  const write = () => {
    database.exec(\`BEGIN IMMEDIATE; INSERT INTO first VALUES (\${++n}, randomblob(500));
      INSERT INTO second VALUES (\${n}, randomblob(500)); COMMIT\`);
    if (n === 1) parentPort.postMessage("writing");
    setImmediate(write);
  };
  write();`;

describe("a backup", () => {
  it("is named by its time, and proved before it has a name", async () => {
    const { path, url, directory } = makePlace();
    fillDatabase(path);

    const backup = await createBackup({ url, directory, clock: new FakeClock(NOW_MS) });

    expect(backup.name).toBe("backup_20261126_020000");
    expect(backup.createdAt?.toISOString()).toBe("2026-11-26T02:00:00.000Z");
    expect(backup.verification).toMatchObject({ ok: true, proof: { rows: 502, tables: 2 } });
    expect(backup.manifest?.content.tables.map(({ name, rows }) => [name, rows])).toEqual([
      ["tasks", 500],
      ["weeks", 2],
    ]);
  });

  it("of the same second gets a name of its own", async () => {
    const { path, url, directory } = makePlace();
    fillDatabase(path, 1);
    const clock = new FakeClock(NOW_MS);

    const made = await Promise.all([1, 2].map(() => createBackup({ url, directory, clock })));

    expect(made.map(({ name }) => name).sort()).toEqual([
      "backup_20261126_020000",
      "backup_20261126_020000_2",
    ]);
  });

  it("ends while another connection never stops writing, and is of one moment", async () => {
    const { path, url, directory, folder } = makePlace();
    execute(
      path,
      `PRAGMA journal_mode = WAL; CREATE TABLE first (n INTEGER, b BLOB);
       CREATE TABLE second (n INTEGER, b BLOB)`,
    );
    const writer = new Worker(WRITER, { eval: true, workerData: path });
    await once(writer, "message");

    const { name, manifest } = await createBackup({ url, directory });
    await writer.terminate();
    const target = join(folder, "restored.db");
    await restoreBackup({ directory, name, url: `sqlite:///${target}` });

    const [counted] = ask(
      target,
      "SELECT (SELECT count(*) FROM first) AS a, (SELECT max(n) FROM second) AS b",
    ) as { a: number; b: number }[];
    const counts = manifest?.content.tables.map(({ rows }) => rows);
    expect(counted?.a).toBe(counted?.b);
    expect(counts).toEqual([counted?.a, counted?.a]);
  });

  it("can be read by its owner alone", async () => {
    const { path, url, directory } = makePlace();
    fillDatabase(path, 1);

    const backup = await createBackup({ url, directory, pinned: true });

    const modes = [directory, backup.path].map((folder) => statSync(folder).mode & 0o777);
    expect(modes).toEqual([0o700, 0o700]);
    const files = readdirSync(backup.path).sort();
    expect(files).toEqual(["database.zst", "manifest.json", "pinned.json", "verified.json"]);
    expect(files.map((file) => statSync(join(backup.path, file)).mode & 0o777)).toEqual(
      files.map(() => 0o600),
    );
  });

  it("holds the log of changes as it was at the same moment", async () => {
    const { path, url, directory } = makePlace();
    execute(
      path,
      `CREATE TABLE springhouse_log (seq INTEGER PRIMARY KEY, nonce, shape, kind);
       CREATE TABLE springhouse_log_shapes (id INTEGER PRIMARY KEY, table_name, columns, identity);
       INSERT INTO springhouse_log VALUES (7, 9223372036854775807, 0, 0)`,
    );

    const { manifest } = await createBackup({ url, directory });

    expect(manifest?.database.log).toEqual({ sequence: 7, mark: "9223372036854775807" });
  });

  it("says which migration the database was at", async () => {
    const { path, url, directory } = makePlace();
    execute(
      path,
      "CREATE TABLE schema_migrations (version); INSERT INTO schema_migrations VALUES (3)",
    );

    expect((await createBackup({ url, directory })).manifest?.database.migration).toBe(3);
  });

  it("is made of a database that this process has open", async () => {
    const { path, url, directory } = makePlace();
    fillDatabase(path, 10);
    await using store = await openSqliteStore({ url });
    await store.write([{ sql: "DELETE FROM tasks WHERE id > 4", parameters: [] }]);

    const { manifest } = await createBackup({ url, directory });

    expect(manifest?.content.tables[0]).toMatchObject({ name: "tasks", rows: 4 });
    await store.write([{ sql: "DELETE FROM tasks", parameters: [] }]);
  });

  it("keeps rows that refer to nothing, and says how many there are", async () => {
    const { path, url, directory } = makePlace();
    fillDatabase(path, 10);
    execute(path, "PRAGMA foreign_keys = OFF; DELETE FROM weeks WHERE id = 2");

    const { verification } = await createBackup({ url, directory });

    expect(verification).toMatchObject({ ok: true, proof: { foreignKeyViolations: 5 } });
  });
});

describe("an encrypted backup", () => {
  it("says nothing about what it holds but names and numbers", async () => {
    const { path, url, directory } = makePlace();
    execute(path, "CREATE TABLE secrets (v); INSERT INTO secrets VALUES ('the launch code')");

    const plain = await createBackup({ url, directory, name: "plain" });
    const secret = await createBackup({ url, directory, name: "secret", key: KEY });

    const digest = (backup: typeof plain): unknown => backup.manifest?.content.tables[0]?.digest;
    const data = readFileSync(join(secret.path, "database.zst.enc"));
    expect(digest(secret)).not.toBe(digest(plain));
    expect(secret.manifest?.data.rawDigest).not.toBe(plain.manifest?.data.rawDigest);
    expect(data.includes("launch")).toBe(false);
    expect(readFileSync(join(secret.path, "manifest.json"), "utf8")).not.toContain(KEY);
  });
});

describe("no backup is made", () => {
  it("of a database that is not there, whose file is not made either", async () => {
    const { path, url, directory } = makePlace();

    const failure = await failureOf(createBackup({ url, directory }));

    expect(failure.code).toBe("UNOPENABLE");
    expect([path, directory].map((file) => existsSync(file))).toEqual([false, false]);
  });

  it("of a database that is damaged, and the message says what is wrong", async () => {
    const { path, url, directory } = makePlace();
    fillDatabase(path, 500);
    execute(path, "PRAGMA journal_mode = DELETE");
    const bytes = readFileSync(path);
    // The last page: leaves of the index.
    bytes.fill(0xff, bytes.length - 2_000, bytes.length - 1_000);
    writeFileSync(path, bytes);

    const failure = await failureOf(createBackup({ url, directory }));

    expect(failure).toMatchObject({ code: "CORRUPT" });
    expect(failure.message).toContain(path);
    expect(readdirSync(directory)).toEqual([]);
  });

  it("of a file that is no database", async () => {
    const { path, url, directory } = makePlace();
    writeFileSync(path, "this is a letter and no database at all ".repeat(30));

    const failure = await failureOf(createBackup({ url, directory }));

    expect(failure).toMatchObject({ code: "NOT_A_DATABASE", fields: { path } });
    expect(failure.message).toContain(`(${path})`);
    expect(await listBackups({ directory })).toEqual([]);
  });

  it("of a table that cannot be read, and the database is named, not the copy", async () => {
    const { path, url, directory } = makePlace();
    fillDatabase(path, 500);
    execute(path, "PRAGMA journal_mode = DELETE");
    writeFileSync(path, readFileSync(path).fill(0x55, 4_096));

    const failure = await failureOf(createBackup({ url, directory }));

    expect(failure).toMatchObject({ code: "CORRUPT", fields: { path } });
    expect(failure.message).toContain(`(${path})`);
    expect(failure.message).not.toContain("snapshot.db");
  });

  it("under a name that is taken, which is left as it is", async () => {
    const { path, url, directory } = makePlace();
    fillDatabase(path, 1);
    const first = await createBackup({ url, directory, name: "nightly" });

    const failure = await failureOf(createBackup({ url, directory, name: "nightly" }));

    expect(failure.code).toBe("BACKUP_EXISTS");
    expect(await listBackups({ directory })).toEqual([first]);
  });

  it.each([
    "../out",
    "a/b",
    "/etc",
    ".hidden",
    "..",
    "",
    "a b",
    "segments",
    "nul",
    "x".repeat(101),
  ])("under the name %j", async (name) => {
    const { url, directory } = makePlace();

    expect((await failureOf(createBackup({ url, directory, name }))).code).toBe("INVALID_ARGUMENT");
  });

  it.each(["segments", "schedule.db", "Schedule.db-wal", "schedule.db-journal"])(
    "under the reserved name %s, and that is said",
    async (name) => {
      const { url, directory } = makePlace();

      const failure = await failureOf(createBackup({ url, directory, name }));

      expect(failure.code).toBe("INVALID_ARGUMENT");
      expect(failure.message).toContain("is reserved");
    },
  );

  it("under a reserved name, nor listed", async () => {
    const { directory } = makePlace();
    mkdirSync(join(directory, "schedule.db"), { recursive: true });
    writeFileSync(join(directory, "schedule.db/manifest.json"), "{}");

    expect(await listBackups({ directory })).toEqual([]);
  });

  it("when it is given up, and nothing stays of it", async () => {
    const { path, url, directory } = makePlace();
    fillDatabase(path, 20_000);
    const giveUp = new AbortController();

    const failure = await failureOf(
      createBackup({ url, directory, signal: giveUp.signal, onProgress: () => giveUp.abort() }),
    );

    expect(failure.code).toBe("ABORTED");
    expect(readdirSync(directory)).toEqual([]);
  });

  it.each([
    [{ key: "short" }, "BACKUP_KEY"],
    [{ kind: "weekly" }, "INVALID_ARGUMENT"],
    [{ pinned: "yes" }, "INVALID_ARGUMENT"],
    [{ directory: "" }, "INVALID_ARGUMENT"],
    [{ nam: "x" }, "INVALID_ARGUMENT"],
    [{ url: "sqlite::memory:" }, "INVALID_ARGUMENT"],
    [{ url: "app.db" }, "INVALID_URL"],
  ])("with %j", async (wrong, code) => {
    const { url, directory } = makePlace();

    const options = { url, directory, ...wrong } as Parameters<typeof createBackup>[0];

    expect((await failureOf(createBackup(options))).code).toBe(code);
  });
});
