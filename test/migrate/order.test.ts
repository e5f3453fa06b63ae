import { expect, test } from "vitest";
import { defineMigration } from "../../src/migrate/files.ts";
import { createMigrator } from "../../src/migrate/run.ts";
import { define, FILES, Scene } from "./support.ts";

test("a migration that was changed after it was applied stops everything", async () => {
  await using scene = await Scene.create(FILES);
  const migrator = await scene.migrator();
  await migrator.up({ to: 2 });
  await scene.write("0001_weeks.sql", `${FILES["0001_weeks.sql"]} -- late thought`);

  await expect(migrator.up()).rejects.toMatchObject({
    code: "MIGRATION_CHANGED",
    message: expect.stringContaining("0001_weeks was changed after it had been applied"),
  });
  await expect(migrator.down({ to: 0 })).rejects.toMatchObject({ code: "MIGRATION_CHANGED" });
  expect((await migrator.status()).migrations[0]).toMatchObject({ state: "changed" });
});

test("the same file with other line ends has not changed", async () => {
  await using scene = await Scene.create(FILES);
  const migrator = await scene.migrator();
  await migrator.up();
  const text = FILES["0001_weeks.sql"].replaceAll("\n", "  \r\n");
  await scene.write("0001_weeks.sql", `\uFEFF${text}\r\n`);

  expect(await migrator.up()).toMatchObject({ migrations: [] });
  expect((await migrator.down({ to: 0 })).migrations).toHaveLength(3);
});

test("old code refuses to run on a newer database", async () => {
  await using scene = await Scene.create(FILES);
  await (await scene.migrator()).up();
  const old = createMigrator({
    store: await scene.store(),
    migrations: [defineMigration(define(1))],
  });

  await expect(old.up()).rejects.toMatchObject({ code: expect.stringMatching(/CHANGED|NEWER/) });
  const none = createMigrator({ store: await scene.store() });
  await expect(none.up()).rejects.toMatchObject({
    code: "SCHEMA_NEWER",
    message: expect.stringContaining("0001_weeks, which this code does not have"),
  });
  await expect(none.down()).rejects.toMatchObject({ code: "SCHEMA_NEWER" });
});

test("a migration below the newest applied one is refused, unless that is asked for", async () => {
  await using scene = await Scene.create(FILES);
  const migrator = await scene.migrator();
  await migrator.up();
  await scene.write("00025_late.sql", "CREATE TABLE later (a);");
  await scene.write("0005_next.sql", "CREATE TABLE next (a);");
  await migrator.up({ only: 25, outOfOrder: true });

  await expect(migrator.up()).rejects.toMatchObject({
    code: "MIGRATION_OUT_OF_ORDER",
    message: expect.stringContaining("0025_late comes after 0005_next, which has not been applied"),
    fields: { version: 25, missing: ["0005_next"] },
  });
  expect((await migrator.status()).migrations.find(({ version }) => version === 5)).toMatchObject({
    state: "skipped",
  });
  expect((await migrator.up({ outOfOrder: true })).migrations).toMatchObject([{ version: 5 }]);
});

test("a single migration needs its predecessors, and names the missing ones", async () => {
  await using scene = await Scene.create(FILES);
  const migrator = await scene.migrator();

  await expect(migrator.up({ only: 3 })).rejects.toMatchObject({
    code: "MIGRATION_OUT_OF_ORDER",
    message: expect.stringContaining("0003_score comes after 0001_weeks, 0002_tasks"),
  });
  expect((await migrator.up({ only: 1 })).migrations).toMatchObject([{ version: 1 }]);
  expect((await migrator.up({ only: 1 })).migrations).toEqual([]);
});

test("a version that nobody knows is refused with the known ones", async () => {
  await using scene = await Scene.create(FILES);
  const migrator = await scene.migrator();

  const calls = [
    () => migrator.up({ to: 9 }),
    () => migrator.up({ only: 9 }),
    () => migrator.down({ to: 9 }),
  ];
  for (const call of calls) {
    await expect(call()).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
      message: expect.stringContaining("0001_weeks, 0002_tasks, 0003_score"),
    });
  }
  await expect(migrator.up({ to: 1, only: 1 })).rejects.toThrow("give `to` or `only`, not both");
  await expect(migrator.down({ steps: 0 })).rejects.toThrow("steps must be a whole number from 1");
  await expect(migrator.down({ steps: 1, to: 1 })).rejects.toThrow("not both");
});

test("an older schema_version table is the baseline", async () => {
  await using scene = await Scene.create({
    ...FILES,
    "0004_next.sql": "CREATE TABLE next (a);",
  });
  await scene.run(
    "CREATE TABLE schema_version (version INTEGER)",
    "INSERT INTO schema_version VALUES (1), (3), (2)",
    "CREATE TABLE tasks (id INTEGER PRIMARY KEY, score INTEGER)",
  );
  const migrator = await scene.migrator();

  const before = await migrator.status();
  const { migrations } = await migrator.up();

  expect(before.migrations[0]).not.toHaveProperty("appliedAt");
  expect((await migrator.status()).migrations[0]).toMatchObject({ appliedAt: expect.any(Date) });
  expect([before.version, before.pending]).toEqual([3, [{ version: 4, name: "next" }]]);
  expect(migrations).toMatchObject([{ version: 4 }]);
  expect(await scene.rows("SELECT version, state FROM schema_migrations")).toEqual([
    [1, "baseline"],
    [2, "baseline"],
    [3, "baseline"],
    [4, "applied"],
  ]);
  expect(await scene.rows("SELECT count(*) FROM schema_version")).toEqual([[3]]);
  await expect(migrator.down({ to: 2 })).rejects.toMatchObject({ code: "MIGRATION_IRREVERSIBLE" });
});

test("a baseline without files is a version of its own", async () => {
  await using scene = await Scene.create({ "0012_next.sql": "CREATE TABLE next (a);" });
  await scene.run(
    "CREATE TABLE schema_version (version TEXT)",
    "INSERT INTO schema_version VALUES ('11')",
  );
  const migrator = await scene.migrator();

  await migrator.up();

  expect((await migrator.status()).migrations).toMatchObject([
    { version: 11, name: "schema_version", state: "baseline" },
    { version: 12, state: "applied" },
  ]);
  expect(await migrator.up()).toMatchObject({ migrations: [] });
});

test("an empty schema_version table means version 0", async () => {
  await using scene = await Scene.create({ "0001_a.sql": "CREATE TABLE a (id);" });
  await scene.run("CREATE TABLE schema_version (version INTEGER)");

  expect((await (await scene.migrator()).up()).migrations).toMatchObject([{ version: 1 }]);
});

test("a migration marked baseline is recorded where tables stand, and run where none do", async () => {
  const files = {
    "0001_baseline.sql": "-- springhouse: baseline\nCREATE TABLE tasks (id INTEGER PRIMARY KEY);",
    "0002_next.sql": "ALTER TABLE tasks ADD COLUMN score INTEGER;",
  };
  await using old = await Scene.create(files);
  await using fresh = await Scene.create(files);
  await old.run("CREATE TABLE tasks (id INTEGER PRIMARY KEY)", "INSERT INTO tasks VALUES (7)");

  const onOld = await (await old.migrator()).up();
  const onFresh = await (await fresh.migrator()).up();

  expect(onOld.migrations.map(({ version }) => version)).toEqual([2]);
  expect(onFresh.migrations.map(({ version }) => version)).toEqual([1, 2]);
  expect(await old.rows("SELECT id, score FROM tasks")).toEqual([[7, null]]);
});

test("a schema_migrations table of another tool is not touched", async () => {
  await using scene = await Scene.create(FILES);
  await scene.run("CREATE TABLE schema_migrations (version VARCHAR, dirty INTEGER)");

  await expect((await scene.migrator()).up()).rejects.toMatchObject({
    code: "MIGRATION_INVALID",
    message: expect.stringContaining("made by another tool"),
  });
});
