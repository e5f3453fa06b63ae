import { expect, test, vi } from "vitest";
import { defineMigration } from "../../src/migrate/files.ts";
import type { MigrationDefinition } from "../../src/migrate/migration.ts";
import { createMigrator } from "../../src/migrate/run.ts";
import { openDirectStore } from "../support/direct-store.ts";
import { counting, Scene } from "./support.ts";

const FILES = {
  "0001_weeks.sql": "CREATE TABLE weeks (id INTEGER PRIMARY KEY);\n-- down\nDROP TABLE weeks;",
  "0002_tasks.sql": "CREATE TABLE tasks (id INTEGER PRIMARY KEY);\n-- down\nDROP TABLE tasks;",
  "0003_score.sql":
    "ALTER TABLE tasks ADD COLUMN score INTEGER;\n-- down\nALTER TABLE tasks DROP COLUMN score;",
};
const define = (
  version: number,
  facts: Partial<MigrationDefinition> = {},
): MigrationDefinition => ({
  version,
  name: `m${version}`,
  up: `CREATE TABLE t${version} (id INTEGER PRIMARY KEY)`,
  down: `DROP TABLE t${version}`,
  ...facts,
});

test("up applies what is pending, in order, and reports names and times", async () => {
  await using scene = await Scene.create(FILES);
  const onProgress = vi.fn();
  const migrator = await scene.migrator({ onProgress });

  const first = await migrator.up({ to: 2 });
  const second = await migrator.up();

  expect(first).toMatchObject({ direction: "up", version: 2 });
  expect(first.migrations.map(({ name }) => name)).toEqual(["weeks", "tasks"]);
  expect(second).toMatchObject({
    version: 3,
    migrations: [{ version: 3, name: "score", rows: 0 }],
  });
  expect(first.ms).toBeGreaterThan(0);
  expect(first.migrations.every(({ ms }) => ms > 0)).toBe(true);
  expect(await scene.objects()).toEqual(["tasks", "weeks"]);
  expect(onProgress.mock.calls.map(([event]) => event)).toEqual([
    { version: 1, name: "weeks", phase: "schema", migrationsDone: 1, migrationsTotal: 2 },
    { version: 2, name: "tasks", phase: "schema", migrationsDone: 2, migrationsTotal: 2 },
    { version: 3, name: "score", phase: "schema", migrationsDone: 1, migrationsTotal: 1 },
  ]);
});

test("up on a database that is up to date costs exactly one query", async () => {
  await using scene = await Scene.create(FILES);
  await (await scene.migrator()).up();
  const { store, calls } = counting(await scene.store());

  const { migrations } = await (await scene.migrator({ store })).up();

  expect(migrations).toEqual([]);
  expect(calls).toEqual([expect.stringMatching(/^read SELECT .* FROM schema_migrations/)]);
});

test("the ledger keeps version, name, checksum, moment and time", async () => {
  await using scene = await Scene.create(FILES);
  const before = Date.now();
  await (await scene.migrator()).up({ to: 1 });

  const [row] = await scene.rows(
    "SELECT version, name, length(checksum), state, applied_at, ms FROM schema_migrations",
  );

  expect(row?.slice(0, 4)).toEqual([1, "weeks", 64, "applied"]);
  expect(row?.[4]).toBeGreaterThanOrEqual(before);
  expect(row?.[5]).toBeGreaterThan(0);
});

test("down reverts the newest migrations, one, several, or down to a version", async () => {
  await using scene = await Scene.create({
    ...FILES,
    "0004_last.sql": "CREATE TABLE last (a);\n-- down\nDROP TABLE last;",
  });
  const migrator = await scene.migrator();
  await migrator.up();

  const one = await migrator.down();
  const two = await migrator.down({ steps: 2 });
  const all = await migrator.down({ to: 0 });
  const none = await migrator.down();

  expect(one).toMatchObject({ direction: "down", version: 3, migrations: [{ version: 4 }] });
  expect(two.migrations.map(({ version }) => version)).toEqual([3, 2]);
  expect([all.version, all.migrations.length, none.migrations]).toEqual([0, 1, []]);
  expect(await scene.objects()).toEqual([]);
});

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

test("migrations in code run in the same transaction as the ledger and see their parameters", async () => {
  await using scene = await Scene.create();
  const run = defineMigration(
    define(1, {
      up: async (tx) => {
        await tx.execute("CREATE TABLE t1 (a, b); CREATE TABLE t2 (a)");
        await tx.execute("INSERT INTO t1 VALUES (?, ?)", [1, "x"]);
        const { rows } = await tx.execute("SELECT a, b FROM t1");
        await tx.session.write([{ sql: "INSERT INTO t2 VALUES (?)", parameters: [rows.length] }]);
        expect((await tx.execute("")).rows).toEqual([]);
      },
    }),
  );
  const fail = defineMigration(
    define(2, {
      up: async (tx) => {
        await tx.execute("DELETE FROM t1");
        throw new Error("changed my mind");
      },
    }),
  );
  const migrator = await scene.migrator({ migrations: [run, fail] });

  await expect(migrator.up()).rejects.toMatchObject({
    code: "MIGRATION_FAILED",
    message: expect.stringContaining(
      'migration 2 "m2": migration 0002_m2 failed: changed my mind.',
    ),
  });

  expect(await scene.rows("SELECT t1.a, t1.b, t2.a FROM t1, t2")).toEqual([[1, "x", 1]]);
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

  const failure = (await scene.migrator({ migrations: [slow], timeoutMs: 50 })).up();

  await expect(failure).rejects.toMatchObject({
    code: "MIGRATION_FAILED",
    cause: { code: "TRANSACTION_TIMEOUT" },
  });
  resolve();
  expect(await scene.objects()).toEqual([]);
});

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
  const old = await scene.migrator({
    directory: `${scene.folder}/none`,
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
  await expect(migrator.down({ steps: 0 })).rejects.toThrow("steps must be a whole number from 1");
  await expect(migrator.down({ steps: 1, to: 1 })).rejects.toThrow("not both");
});

test("misspelt options are refused", async () => {
  await using scene = await Scene.create();
  const store = await scene.store();
  const migrator = await scene.migrator();

  expect(() => createMigrator({ store, timeoutMS: 1 } as never)).toThrow(
    'Did you mean "timeoutMs"',
  );
  expect(() => createMigrator({ store, batchSize: 0 })).toThrow("batchSize must be a whole number");
  expect(() => createMigrator({ store, timeoutMs: 1.5 })).toThrow("timeoutMs");
  expect(() => createMigrator({ store, latencyBudgetMs: Number.NaN })).toThrow("latencyBudgetMs");
  await expect(migrator.up({ dryrun: true } as never)).rejects.toThrow('Did you mean "dryRun"');
  await expect(migrator.down({ stpes: 1 } as never)).rejects.toThrow('Did you mean "steps"');
  await expect(migrator.new("a", { fromm: 1 } as never)).rejects.toThrow('Did you mean "from"');
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

test("statements with triggers run whole", async () => {
  await using scene = await Scene.create({
    "0001_triggers.sql": `
      CREATE TABLE t (a, "end"); CREATE TABLE log (text);
      CREATE TRIGGER t_insert AFTER INSERT ON t BEGIN
        INSERT INTO log VALUES (CASE WHEN NEW.a THEN 'a; b' ELSE 'end;' END);
        UPDATE t SET "end" = 1; -- done; really
      END;
      INSERT INTO t VALUES (1, 0);
      -- down
      DROP TABLE t; DROP TABLE log;`,
  });

  await (await scene.migrator()).up();

  expect(await scene.rows('SELECT a, "end", text FROM t, log')).toEqual([[1, 1, "a; b"]]);
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

test("status knows applied, pending and baseline migrations", async () => {
  await using scene = await Scene.create(FILES);
  const migrator = await scene.migrator();
  await migrator.up({ to: 1 });

  const status = await migrator.status();

  expect(status).toMatchObject({
    version: 1,
    upToDate: false,
    pending: [
      { version: 2, name: "tasks" },
      { version: 3, name: "score" },
    ],
    migrations: [
      { version: 1, state: "applied", appliedAt: expect.any(Date), source: expect.any(String) },
      { version: 2, state: "pending" },
      { version: 3, state: "pending" },
    ],
  });
  await migrator.up();
  expect((await migrator.status()).upToDate).toBe(true);
});

test("plan shows the statements of pending migrations and what they cost", async () => {
  await using scene = await Scene.create({
    ...FILES,
    "0004_clean.sql": "-- springhouse: irreversible\nDELETE FROM tasks;\nDROP TABLE weeks;",
    "0005_code.ts": "export async function up() {}\nexport async function data() {}",
  });
  const migrator = await scene.migrator();
  await migrator.up({ to: 3 });
  await scene.run("INSERT INTO tasks (id) VALUES (1), (2)");

  const { pending, difference } = await migrator.plan();

  expect(difference).toBeUndefined();
  expect(pending).toMatchObject([
    {
      version: 4,
      destructive: true,
      irreversible: true,
      steps: [
        { sql: ["DELETE FROM tasks"], rows: 2, estimatedMs: 1, irreversible: false },
        { sql: ["DROP TABLE weeks"], table: "weeks", rows: 0, irreversible: true },
      ],
    },
    { version: 5, steps: [], destructive: true, data: true },
  ]);
  expect((await migrator.plan({ to: 4 })).pending).toHaveLength(1);
});

test("statistics are fresh after a migration", async () => {
  await using scene = await Scene.create({
    "0001_a.sql": "CREATE TABLE a (b); CREATE INDEX a_b ON a (b); INSERT INTO a VALUES (1), (2);",
  });

  await (await scene.migrator()).up();

  expect(await scene.rows("SELECT idx, stat FROM sqlite_stat1 WHERE tbl = 'a'")).toEqual([
    ["a_b", "2 1"],
  ]);
});

test("a database in memory can be migrated too", async () => {
  await using store = openDirectStore(":memory:");
  const migrator = createMigrator({ store, migrations: [defineMigration(define(1))] });

  expect((await migrator.up()).version).toBe(1);
  expect((await migrator.down()).version).toBe(0);
});
