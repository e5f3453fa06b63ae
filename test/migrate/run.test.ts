import { expect, test, vi } from "vitest";
import { warningChannel } from "../../src/core/channels.ts";
import { defineMigration } from "../../src/migrate/files.ts";
import { createMigrator } from "../../src/migrate/run.ts";
import type { Statement, Store } from "../../src/store/store.ts";
import { openDirectStore } from "../support/direct-store.ts";
import { counting, define, FILES, Scene } from "./support.ts";

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

test("statistics that cannot be refreshed are a warning, for the migration is done", async () => {
  await using scene = await Scene.create({ "0001_a.sql": "CREATE TABLE a (b);" });
  const store = await scene.store();
  const warnings: unknown[] = [];
  const listen = (warning: unknown): void => {
    warnings.push(warning);
  };
  warningChannel.subscribe(listen);
  const elsewhere: Store = new Proxy(store, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key, target);
      if (key !== "read") return typeof value === "function" ? value.bind(target) : value;
      return async (statement: Statement) =>
        statement.sql === "PRAGMA database_list"
          ? { columns: [], rows: [[0, "main", `${scene.folder}/gone/app.db`]], changes: 0 }
          : target.read(statement);
    },
  });

  const run = await (await scene.migrator({ store: elsewhere })).up();

  warningChannel.unsubscribe(listen);
  expect(run.version).toBe(1);
  expect(warnings).toMatchObject([{ code: "ANALYZE" }]);
});

test("a database in memory can be migrated too", async () => {
  await using store = openDirectStore(":memory:");
  const migrator = createMigrator({ store, migrations: [defineMigration(define(1))] });

  expect((await migrator.up()).version).toBe(1);
  expect((await migrator.down()).version).toBe(0);
});
