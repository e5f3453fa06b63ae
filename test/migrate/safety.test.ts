import { expect, test } from "vitest";
import { defineMigration } from "../../src/migrate/files.ts";
import { define, FILES, Scene } from "./support.ts";

test("a migration that fails leaves the database as it was before it", async () => {
  await using scene = await Scene.create({
    "0001_good.sql": "CREATE TABLE good (a);",
    "0002_bad.sql":
      "CREATE TABLE half (a);\nINSERT INTO half VALUES (1);\n\nINSERT INTO missing VALUES (1);",
    "0003_never.sql": "CREATE TABLE never (a);",
  });
  const migrator = await scene.migrator();

  const failure = migrator.up();

  await expect(failure).rejects.toMatchObject({
    code: "MIGRATION_FAILED",
    message: expect.stringMatching(
      /0002_bad\.sql:4: migration 0002_bad failed at "INSERT INTO missing VALUES \(1\)": no such table: (main\.)?missing\. The database is as it was before this migration/,
    ),
    fields: { version: 2, name: "bad", line: 4, reason: expect.stringContaining("missing") },
  });
  expect(await scene.objects()).toEqual(["good"]);
  expect((await migrator.status()).version).toBe(1);
  expect(await scene.rows("SELECT * FROM springhouse_meta WHERE key = 'migrator'")).toEqual([]);
});

test("a corrected migration runs after a failure", async () => {
  await using scene = await Scene.create({ "0001_a.sql": "CREATE TABLE" });
  const migrator = await scene.migrator();
  await expect(migrator.up()).rejects.toMatchObject({ code: "MIGRATION_FAILED" });
  await scene.write("0001_a.sql", "CREATE TABLE a (id);");

  await migrator.up();

  expect(await scene.objects()).toEqual(["a"]);
});

test("a migration that takes longer than the timeout is taken back", async () => {
  await using scene = await Scene.create();
  await scene.open();
  const { promise, resolve } = Promise.withResolvers<void>();
  const slow = defineMigration(
    define(1, {
      up: async (tx) => {
        await tx.execute("CREATE TABLE slow (a)");
        await promise;
      },
    }),
  );

  const failure = (await scene.migrator({ migrations: [slow], timeoutMs: 1_000 })).up();

  await expect(failure).rejects.toMatchObject({
    code: "MIGRATION_FAILED",
    message: expect.stringContaining("it took longer than timeoutMs, 1.00 s; raise it"),
  });
  resolve();
  expect(await scene.objects()).toEqual([]);
});

test("a migration without a way back stops down before anything is done", async () => {
  await using scene = await Scene.create({
    ...FILES,
    "0004_final.sql": "-- springhouse: irreversible\nCREATE TABLE final (a);",
    "0005_more.sql": "CREATE TABLE more (a);\n-- down\nDROP TABLE more;",
  });
  const migrator = await scene.migrator();
  await migrator.up();

  await expect(migrator.down({ to: 2 })).rejects.toMatchObject({
    code: "MIGRATION_IRREVERSIBLE",
    message: expect.stringContaining("0004_final has no way back"),
  });
  expect((await migrator.status()).version).toBe(5);
});

test("a down that fails changes nothing", async () => {
  await using scene = await Scene.create({
    "0001_a.sql": "CREATE TABLE a (id);\n-- down\nDROP TABLE a;\nDROP TABLE b;",
  });
  const migrator = await scene.migrator();
  await migrator.up();

  await expect(migrator.down()).rejects.toMatchObject({
    code: "MIGRATION_FAILED",
    fields: { line: 4 },
  });
  expect(await scene.objects()).toEqual(["a"]);
  expect((await migrator.status()).version).toBe(1);
});

test("a table that others refer to cannot be dropped while foreign keys would delete their rows", async () => {
  const rebuild = `CREATE TABLE new_weeks (id INTEGER PRIMARY KEY, label TEXT);
    INSERT INTO new_weeks (id) SELECT id FROM weeks;
    DROP TABLE weeks;
    ALTER TABLE new_weeks RENAME TO weeks;`;
  await using scene = await Scene.create({
    "0001_a.sql": `CREATE TABLE weeks (id INTEGER PRIMARY KEY);
      CREATE TABLE tasks (id INTEGER PRIMARY KEY, week_id REFERENCES weeks ON DELETE CASCADE);
      INSERT INTO weeks VALUES (1); INSERT INTO tasks VALUES (1, 1), (2, 1);`,
    "0002_rebuild.sql": rebuild,
  });
  const migrator = await scene.migrator();

  await expect(migrator.up()).rejects.toMatchObject({
    code: "MIGRATION_FAILED",
    message: expect.stringContaining("tasks refers to weeks, and dropping it with foreign keys on"),
  });
  await scene.write("0002_rebuild.sql", `-- springhouse: foreign-keys off\n${rebuild}`);
  await migrator.up();

  expect(await scene.rows("SELECT count(*) FROM tasks")).toEqual([[2]]);
  expect(await scene.rows("SELECT id, label FROM weeks")).toEqual([[1, null]]);
});

test("with foreign keys off, rows that refer to nothing afterwards stop the migration", async () => {
  await using scene = await Scene.create({
    "0001_a.sql": `CREATE TABLE weeks (id INTEGER PRIMARY KEY);
      CREATE TABLE tasks (id INTEGER PRIMARY KEY, week_id REFERENCES weeks ON DELETE CASCADE);
      INSERT INTO weeks VALUES (1), (2); INSERT INTO tasks VALUES (1, 1), (2, 2);`,
    "0002_lose.sql": "-- springhouse: foreign-keys off\nDELETE FROM weeks WHERE id = 1;",
  });
  const migrator = await scene.migrator();

  await expect(migrator.up()).rejects.toMatchObject({
    code: "MIGRATION_FAILED",
    message: expect.stringContaining("tasks → weeks: 1 row refers to nothing"),
  });
  expect(await scene.rows("SELECT count(*) FROM weeks")).toEqual([[2]]);
  await expect(scene.run("INSERT INTO tasks VALUES (9, 9)")).rejects.toMatchObject({
    code: "CONSTRAINT",
  });
});

test("what may lose data is announced before anything is done, once", async () => {
  await using scene = await Scene.create({
    "0001_a.sql": "CREATE TABLE a (id);",
    "0002_b.sql": "UPDATE a SET id = 1;",
    "0003_c.sql": "DROP TABLE a;\n-- down\nCREATE TABLE a (id);",
  });
  const seen: unknown[] = [];
  const beforeDestructive = async (migrations: unknown): Promise<void> => {
    seen.push(migrations, await scene.objects());
  };
  const migrator = await scene.migrator({ beforeDestructive });

  await migrator.up({ to: 1 });
  await migrator.up();
  await migrator.down();

  expect(seen).toEqual([
    [
      { version: 2, name: "b" },
      { version: 3, name: "c" },
    ],
    ["a"],
    [{ version: 3, name: "c" }],
    [],
  ]);
});

test("a backup that fails stops the run before anything is changed", async () => {
  await using scene = await Scene.create({ "0001_a.sql": "CREATE TABLE a (id); DROP TABLE a;" });
  const beforeDestructive = (): Promise<void> => Promise.reject(new Error("no space for a backup"));
  const migrator = await scene.migrator({ beforeDestructive });

  await expect(migrator.up()).rejects.toThrow("no space for a backup");
  expect((await migrator.status()).version).toBe(0);
  expect(await scene.rows("SELECT * FROM springhouse_meta WHERE key = 'migrator'")).toEqual([]);
});

test("a run that is aborted stops between two migrations", async () => {
  await using scene = await Scene.create(FILES);
  const controller = new AbortController();
  const onProgress = (): void => controller.abort();
  const migrator = await scene.migrator({ onProgress });

  await expect(migrator.up({ signal: controller.signal })).rejects.toMatchObject({
    code: "ABORTED",
  });
  expect((await migrator.status()).version).toBe(1);
  expect((await migrator.up()).migrations).toHaveLength(2);
});
