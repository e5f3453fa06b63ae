import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { backfill } from "../../src/migrate/batched.ts";
import { DatabaseCopy } from "../../src/migrate/copy.ts";
import { defineMigration } from "../../src/migrate/files.ts";
import { createMigrator } from "../../src/migrate/run.ts";
import type { Session, Store } from "../../src/store/store.ts";
import { openDirectStore } from "../support/direct-store.ts";
import { Scene } from "./support.ts";

const SETUP = `CREATE TABLE weeks (id INTEGER PRIMARY KEY, label TEXT);
  INSERT INTO weeks VALUES (1, 'a'), (2, NULL);
  CREATE TABLE files (id INTEGER PRIMARY KEY, body BLOB, size REAL);
  INSERT INTO files VALUES (1, x'00ff', 1.5);`;

const openCopy = async (path: string): Promise<Store> => openDirectStore(path);

/** Copies left behind; each test makes them in a folder that nobody else uses. */
async function copies(): Promise<readonly string[]> {
  return (await readdir(tmpdir())).filter((name) => name.startsWith("springhouse-copy-"));
}

beforeEach(async () => {
  vi.stubEnv("TMPDIR", await mkdtemp(join(tmpdir(), "springhouse-dry-run-")));
});

afterEach(async () => {
  await rm(tmpdir(), { recursive: true });
  vi.unstubAllEnvs();
});

test("a dry run reports what would happen and changes nothing", async () => {
  await using scene = await Scene.create({ "0001_setup.sql": SETUP });
  const migrator = await scene.migrator({ openCopy });
  await migrator.up();
  await scene.write(
    "0002_score.sql",
    "ALTER TABLE weeks ADD COLUMN score INTEGER DEFAULT 3;\n-- down\nALTER TABLE weeks DROP COLUMN score;",
  );
  const before = await scene.rows("SELECT type, name, sql FROM sqlite_schema");

  const run = await migrator.up({ dryRun: true });

  expect(run.dryRun).toEqual({
    changes: ["add column weeks.score INTEGER DEFAULT 3"],
    migrations: [{ version: 2, name: "score", ms: expect.any(Number), rows: 0, reversible: true }],
    foreignKeyViolations: [],
    integrityProblems: [],
    copyMs: expect.any(Number),
  });
  expect(run).toMatchObject({ version: 1, migrations: [{ version: 2 }] });
  expect(await scene.rows("SELECT type, name, sql FROM sqlite_schema")).toEqual(before);
  expect(await copies()).toEqual([]);
});

test("what down does not bring back is named", async () => {
  await using scene = await Scene.create({ "0001_setup.sql": SETUP });
  const migrator = await scene.migrator({ openCopy });
  await migrator.up();
  await scene.write("0002_none.sql", "CREATE TABLE none (a);");
  await scene.write("0003_schema.sql", "CREATE TABLE some (a);\n-- down\nSELECT 1;");
  await scene.write(
    "0004_rows.sql",
    "UPDATE weeks SET label = 'x';\n-- down\nUPDATE weeks SET label = 'y';",
  );
  await scene.write("0005_fails.sql", "CREATE TABLE e (a);\n-- down\nDROP TABLE f;");

  const { dryRun } = await migrator.up({ dryRun: true });

  expect(dryRun?.migrations.map(({ reversible, reason }) => [reversible, reason])).toEqual([
    [false, "0002_none has no way back"],
    [false, "down does not restore the schema: drop table some"],
    [false, "down does not restore the rows of weeks"],
    [false, expect.stringContaining("no such table: f")],
  ]);
});

test("a migration that fails on the copy fails the dry run, and the copy goes", async () => {
  await using scene = await Scene.create({ "0001_bad.sql": "CREATE TABLE a (b);\nDROP TABLE c;" });
  await scene.run("CREATE TABLE here (a)");

  await expect((await scene.migrator()).up({ dryRun: true })).rejects.toMatchObject({
    code: "MIGRATION_FAILED",
    message: expect.stringContaining("0001_bad.sql:2"),
  });
  expect(await copies()).toEqual([]);
});

test("data steps run on the copy, those that were left unfinished too", async () => {
  await using scene = await Scene.create();
  await scene.run(...SETUP.split(";").slice(0, -1));
  const data = backfill({ table: "weeks", set: { label: "'filled'" } });
  const migrations = [
    defineMigration({ version: 1, name: "fill", up: "", down: "", data }),
    defineMigration({ version: 2, name: "again", up: "", data }),
  ];
  const controller = new AbortController();
  const migrator = await scene.migrator({
    openCopy,
    migrations,
    onProgress: () => controller.abort(),
  });
  const stopped = migrator.up({ signal: controller.signal });
  await expect(stopped).rejects.toMatchObject({ code: "ABORTED" });

  const { dryRun } = await migrator.up({ dryRun: true });

  expect(dryRun?.migrations).toMatchObject([{ version: 2, rows: 2, reversible: false }]);
  expect((await migrator.status()).pending).toHaveLength(1);
});

test("rows that refer to nothing already are reported", async () => {
  await using scene = await Scene.create({ "0001_a.sql": "CREATE TABLE a (b);" });
  await scene.run("CREATE TABLE u (id INTEGER PRIMARY KEY, t REFERENCES t)");
  await scene.run("CREATE TABLE t (id INTEGER PRIMARY KEY)", "DROP TABLE t");
  const store = await scene.store();
  await store.transaction(
    (tx) => tx.write([{ sql: "INSERT INTO u VALUES (1, 5), (2, 6)", parameters: [] }]),
    { foreignKeys: "off" },
  );

  const { dryRun } = await (await scene.migrator()).up({ dryRun: true });

  expect(dryRun?.foreignKeyViolations).toEqual(["u → t: 2 rows refer to nothing"]);
});

test("a copy is private, whole, and removed when it is no longer needed", async () => {
  await using scene = await Scene.create();
  await scene.run(...SETUP.split(";").slice(0, -1));

  {
    await using copy = await DatabaseCopy.of(await scene.store());
    await using store = openDirectStore(copy.path);
    const { rows } = await store.read({ sql: "SELECT count(*) FROM weeks", parameters: [] });
    expect(rows).toEqual([[2]]);
    expect((await stat(copy.path)).mode & 0o777).toBe(0o600);
  }

  expect(await copies()).toEqual([]);
});

test("a copy that cannot be made says which and why, under the code of the reason", async () => {
  await using scene = await Scene.create();
  const path = join(scene.folder, "text.db");
  await writeFile(path, "This is a text of more than sixteen bytes.");
  const read = async (): Promise<unknown> => ({ rows: [[0, "main", path]] });

  const copying = DatabaseCopy.of({ read } as unknown as Session);

  await expect(copying).rejects.toMatchObject({
    code: "NOT_A_DATABASE",
    message: expect.stringMatching(/^The copy .*copy\.db cannot be made: file is not a database/),
  });
  expect(await copies()).toEqual([]);
});

test("a database in memory cannot be rehearsed, and says why", async () => {
  await using store = openDirectStore(":memory:");
  const migrations = [defineMigration({ version: 1, name: "a", up: "CREATE TABLE a (b)" })];

  const dryRun = createMigrator({ store, migrations }).up({ dryRun: true });

  await expect(dryRun).rejects.toThrow("lives in memory only");
});

test("a rename is reported as one, whatever is rebuilt or made beside it", async () => {
  await using scene = await Scene.create({
    "0001_tasks.sql": "CREATE TABLE tasks (id INTEGER PRIMARY KEY, name TEXT);",
  });
  const migrator = await scene.migrator();
  await migrator.up();
  await scene.write(
    "0002_rename.sql",
    `ALTER TABLE tasks RENAME TO todos;
     ALTER TABLE "todos" RENAME COLUMN name TO title;
     CREATE TABLE other_new (a INTEGER);
     ALTER TABLE other_new RENAME TO other;`,
  );

  const { dryRun } = await migrator.up({ dryRun: true });

  expect(dryRun?.changes).toEqual([
    "table tasks renamed to todos",
    "column todos.name renamed to title",
    "create table other",
  ]);
});
