import { expect, test, vi } from "vitest";
import { systemClock } from "../../src/core/clock.ts";
import { BatchedStep, backfill } from "../../src/migrate/batched.ts";
import { defineMigration } from "../../src/migrate/files.ts";
import { decodeCursor, encodeCursor, keyOf } from "../../src/migrate/keyset.ts";
import { CREATE_BOOKKEEPING } from "../../src/migrate/ledger.ts";
import { Lease } from "../../src/migrate/lock.ts";
import type { DataStep, Migration } from "../../src/migrate/migration.ts";
import type { MigrationProgress, MigratorOptions } from "../../src/migrate/migrator.ts";
import type { ResultSet, SqlValue, Statement, Store } from "../../src/store/store.ts";
import { Scene } from "./support.ts";

const numbered = (
  rows: number,
  columns = "id INTEGER PRIMARY KEY, n INTEGER, done INTEGER",
): string[] => [
  `CREATE TABLE t (${columns})`,
  `INSERT INTO t (id, n) WITH RECURSIVE c(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM c WHERE i < ${rows})
   SELECT i, i % 7 FROM c`,
];
const withData = (data: (step: DataStep) => Promise<void>, up = ""): Migration =>
  defineMigration({ version: 1, name: "fill", up, data });
const increment = backfill({ table: "t", set: { done: "coalesce(done, 0) + 1" } });

async function scene(statements: readonly string[]): Promise<Scene> {
  const made = await Scene.create();
  await made.run(...statements);
  return made;
}

test("a backfill changes every row once, in batches that report their progress", async () => {
  await using stage = await scene(numbered(2_500));
  const events: MigrationProgress[] = [];
  const options = { migrations: [withData(increment)], batchSize: 400 };
  const migrator = await stage.migrator({ ...options, onProgress: (event) => events.push(event) });

  const run = await migrator.up();

  expect(run.migrations).toMatchObject([{ version: 1, rows: 2_500 }]);
  expect(await stage.rows("SELECT done, count(*) FROM t GROUP BY done")).toEqual([[1, 2_500]]);
  const batches = events.filter(({ phase }) => phase === "data");
  expect(batches.length).toBeGreaterThanOrEqual(2_500 / 400);
  expect(batches.at(-1)).toMatchObject({
    step: "backfill t",
    rows: 2_500,
    rowsTotal: 2_500,
    etaMs: 0,
  });
  expect(batches[0]?.rows).toBe(100);
  expect(batches[0]?.rowsPerSecond).toBeGreaterThan(0);
  expect(batches[0]?.etaMs).toBeGreaterThan(0);
  expect(await stage.rows("SELECT state FROM schema_migrations")).toEqual([["applied"]]);
  expect(await stage.rows("SELECT count(*) FROM springhouse_migration_steps")).toEqual([[0]]);
});

test("only rows that meet the condition are changed, however few they are", async () => {
  await using stage = await scene(numbered(1_000));
  const data = backfill({
    table: "t",
    set: { done: "n", n: "NULL" },
    where: "n = 3 AND done IS NULL",
  });

  const run = await (await stage.migrator({ migrations: [withData(data)] })).up();

  const rows = await stage.rows("SELECT count(*), count(done), sum(n IS NULL) FROM t");
  expect(rows).toEqual([[1_000, run.migrations[0]?.rows, run.migrations[0]?.rows]]);
  expect(run.migrations[0]?.rows).toBe(143);
});

test.each([
  ["a composite key", "id INTEGER NOT NULL, n INTEGER NOT NULL, done INTEGER, PRIMARY KEY (n, id)"],
  ["a text key", "id TEXT PRIMARY KEY NOT NULL, n INTEGER, done INTEGER"],
  ["no key", "id INTEGER, n INTEGER, done INTEGER"],
  [
    "no rowid",
    "id INTEGER, n INTEGER, done INTEGER, PRIMARY KEY (n, id)) WITHOUT ROWID, STRICT --",
  ],
])("tables with %s are walked whole", async (_, columns) => {
  await using stage = await scene(numbered(730, columns).map((sql) => sql.replace("--)", "")));

  await (await stage.migrator({ migrations: [withData(increment)], batchSize: 100 })).up();

  expect(await stage.rows("SELECT done, count(*) FROM t GROUP BY done")).toEqual([[1, 730]]);
});

test("rows whose key is NULL are not passed over", async () => {
  await using stage = await scene([
    "CREATE TABLE t (id TEXT PRIMARY KEY, done INTEGER)",
    "INSERT INTO t (id) VALUES (NULL), ('a'), (NULL)",
  ]);

  await (await stage.migrator({ migrations: [withData(increment)] })).up();

  expect(await stage.rows("SELECT count(done) FROM t")).toEqual([[3]]);
});

test("an empty table is done at once", async () => {
  await using stage = await scene(["CREATE TABLE t (id INTEGER PRIMARY KEY, done INTEGER)"]);

  const run = await (await stage.migrator({ migrations: [withData(increment)] })).up();

  expect(run.migrations).toMatchObject([{ rows: 0 }]);
});

test("eachBatch hands out rows, and what it writes belongs to the batch", async () => {
  await using stage = await scene([...numbered(500), "CREATE TABLE copy (id INTEGER, n INTEGER)"]);
  const sizes: number[] = [];
  const data = async (step: DataStep): Promise<void> => {
    const handed = await step.eachBatch(
      { table: "t", columns: ["n", "id"], where: "n > 3" },
      async (rows, tx) => {
        sizes.push(rows.length);
        for (const { id, n } of rows) {
          await tx.execute("INSERT INTO copy VALUES (?, ?)", [id ?? null, Number(n) * 2]);
        }
      },
    );
    expect(handed).toBe(sizes.reduce((sum, size) => sum + size, 0));
  };

  await (await stage.migrator({ migrations: [withData(data)], batchSize: 150 })).up();

  expect(await stage.rows("SELECT count(*), min(n), max(n) FROM copy")).toEqual([[213, 8, 12]]);
  expect(sizes.length).toBeGreaterThanOrEqual(4);
});

test("several steps of one migration run one after the other", async () => {
  await using stage = await scene(numbered(300));
  const data = async (step: DataStep): Promise<void> => {
    await step.backfill({ table: "t", set: { done: "1" } });
    await step.backfill({ table: "t", set: { done: "done + 1" } });
  };

  await (await stage.migrator({ migrations: [withData(data)] })).up();

  expect(await stage.rows("SELECT DISTINCT done FROM t")).toEqual([[2]]);
});

test("an aborted data step goes on where it stopped, and no row is worked on twice", async () => {
  await using stage = await scene(numbered(3_000));
  const data = async (step: DataStep): Promise<void> => {
    await increment(step);
    await increment(step);
  };
  let batches = 0;
  let controller = new AbortController();
  const onProgress = (): void => {
    if (++batches % 5 === 0) controller.abort();
  };
  const migrator = await stage.migrator({
    migrations: [withData(data)],
    batchSize: 200,
    onProgress,
  });

  let aborted = 0;
  for (;;) {
    controller = new AbortController();
    const error = await migrator.up({ signal: controller.signal }).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    if (error === undefined) break;
    const message = expect.stringContaining("0001_fill was stopped. Finished batches are kept");
    expect(error).toMatchObject({ code: "ABORTED", message });
    expect(await migrator.status()).toMatchObject({
      upToDate: false,
      migrations: [{ state: "data" }],
    });
    aborted++;
  }

  expect(aborted).toBeGreaterThan(3);
  expect(await stage.rows("SELECT DISTINCT done FROM t")).toEqual([[2]]);
  expect((await migrator.status()).upToDate).toBe(true);
});

test("a batch that fails is taken back alone, and the next run repeats only that one", async () => {
  await using stage = await scene(numbered(600));
  const fails = vi.fn();
  const data = async (step: DataStep): Promise<void> => {
    await step.eachBatch({ table: "t", columns: ["id"] }, async (rows, tx) => {
      for (const { id } of rows) {
        await tx.execute("UPDATE t SET done = coalesce(done, 0) + 1 WHERE id = ?", [id ?? null]);
        if (id === 450) fails();
      }
    });
  };
  fails.mockImplementationOnce(() => {
    throw new Error("power cut");
  });
  const migrator = await stage.migrator({ migrations: [withData(data)], batchSize: 100 });

  await expect(migrator.up()).rejects.toMatchObject({
    code: "MIGRATION_FAILED",
    message: expect.stringContaining("power cut. Finished batches are kept"),
  });
  const [[kept] = []] = await stage.rows("SELECT count(done) FROM t");
  expect(kept).toBeGreaterThanOrEqual(100);
  expect(kept).toBeLessThan(450);
  await migrator.up();

  expect(await stage.rows("SELECT DISTINCT done FROM t")).toEqual([[1]]);
});

test("code of a data step that fails outside of a batch is named as well", async () => {
  await using stage = await scene(numbered(10));
  const data = (): Promise<void> => Promise.reject(new Error("no such luck"));
  const migrator = await stage.migrator({ migrations: [withData(data)] });

  await expect(migrator.up()).rejects.toMatchObject({
    code: "MIGRATION_FAILED",
    message: expect.stringContaining("migration 0001_fill failed: no such luck"),
  });
});

test("mistakes in a backfill are told", async () => {
  await using stage = await scene(numbered(10));
  const up = async (options: Parameters<typeof backfill>[0]): Promise<unknown> =>
    (await stage.migrator({ migrations: [withData(backfill(options))] })).up();

  await expect(up({ table: "nowhere", set: { a: "1" } })).rejects.toThrow('no table "nowhere"');
  await expect(up({ table: "t", set: {} })).rejects.toThrow("`set` names no column");
  await expect(up({ table: "t", set: { nothing: "1" } })).rejects.toThrow("nothing");
  await expect(up({ table: "t", set: { ID: "id + 10" } })).rejects.toThrow(
    "`set` changes id, by which rows of t are walked",
  );
});

test("a walk ends although its own work makes new rows", async () => {
  await using stage = await scene(numbered(300));
  const data = (step: DataStep): Promise<unknown> =>
    step.eachBatch({ table: "t", columns: ["id"] }, async (rows, tx) => {
      for (const { id = null } of rows) {
        await tx.execute("INSERT INTO t (id) VALUES (? + 1000)", [id]);
      }
    });
  const migrations = [withData(async (step) => void (await data(step)))];

  const run = await (await stage.migrator({ migrations })).up();

  expect(run.migrations).toMatchObject([{ rows: 300 }]);
  expect(await stage.rows("SELECT count(*) FROM t")).toEqual([[600]]);
});

test.each(["80", "FF"])(
  "a key that is no text is refused, not passed over: x'%s'",
  async (byte) => {
    await using stage = await scene([
      "CREATE TABLE t (id TEXT PRIMARY KEY NOT NULL, done INTEGER)",
      `INSERT INTO t (id) VALUES ('a'), (CAST(x'${byte}' AS TEXT))`,
    ]);

    await expect(
      (await stage.migrator({ migrations: [withData(increment)] })).up(),
    ).rejects.toThrow("is no text in UTF-8");
  },
);

test("a later migration waits for the data steps of the one before", async () => {
  await using stage = await scene(numbered(300));
  const first = withData(increment);
  const second = defineMigration({
    version: 2,
    name: "after",
    up: "CREATE TABLE after AS SELECT count(done) AS filled FROM t",
  });

  await (await stage.migrator({ migrations: [first, second] })).up();

  expect(await stage.rows("SELECT filled FROM after")).toEqual([[300]]);
});

test("down after half a data step takes the migration back whole", async () => {
  await using stage = await scene(numbered(500));
  const controller = new AbortController();
  const migration = { ...withData(increment), down: { kind: "script", statements: [] } } as const;
  const migrator = await stage.migrator({
    migrations: [migration],
    batchSize: 100,
    onProgress: () => controller.abort(),
  });
  await expect(migrator.up({ signal: controller.signal })).rejects.toMatchObject({
    code: "ABORTED",
  });

  await migrator.down();

  expect(await stage.rows("SELECT count(*) FROM springhouse_migration_steps")).toEqual([[0]]);
  expect(await migrator.status()).toMatchObject({ version: 0, pending: [{ version: 1 }] });
});

/** A store whose updates take as long as a clock says, which only they move. */
async function slowScene(
  stage: Scene,
  msOf: (rows: number) => number,
): Promise<{ readonly options: Partial<MigratorOptions>; readonly sizes: number[] }> {
  let nowMs = 0;
  const sizes: number[] = [];
  const clock = { nowMs: () => 0, monotonicMs: () => nowMs, schedule: vi.fn() };
  const inner = await stage.store();
  const write = async (unit: readonly Statement[]): Promise<readonly ResultSet[]> => {
    const results = await inner.write(unit);
    if (!unit[0]?.sql.startsWith('UPDATE "t"')) return results;
    const rows = results[0]?.changes ?? 0;
    sizes.push(rows);
    nowMs += msOf(rows);
    return results;
  };
  const store: Store = new Proxy(inner, {
    get(target, key) {
      if (key === "write") return write;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  return { options: { store, clock }, sizes };
}

test("batches shrink until one takes the latency budget", async () => {
  await using stage = await scene(numbered(1_000));
  const { options, sizes } = await slowScene(stage, (rows) => rows / 10);
  const migrations = [withData(increment)];

  await (await stage.migrator({ ...options, migrations, latencyBudgetMs: 5 })).up();

  expect(sizes.slice(0, 4)).toEqual([100, 50, 50, 50]);
});

test("batches grow while they are quick, but never beyond batchSize", async () => {
  await using stage = await scene(numbered(1_000));
  const { options, sizes } = await slowScene(stage, () => 0);

  await (
    await stage.migrator({ ...options, migrations: [withData(increment)], batchSize: 300 })
  ).up();

  expect(sizes).toEqual([100, 200, 300, 300, 100]);
});

test("a place in a table survives being written down, whatever its type", () => {
  const cursor: readonly SqlValue[] = [1, 2n ** 60n, "a\"'", 1.5, null, Infinity, -Infinity];

  const back = decodeCursor(encodeCursor([...cursor, new Uint8Array([0, 255])]));

  expect(back.slice(0, 7)).toEqual(cursor);
  expect([...(back[7] as Uint8Array)]).toEqual([0, 255]);
});

test("the key of a table is what orders its rows without gaps", async () => {
  await using stage = await scene([
    "CREATE TABLE a (id INTEGER PRIMARY KEY)",
    "CREATE TABLE b (x TEXT, y TEXT, PRIMARY KEY (y, x)) STRICT",
    "CREATE TABLE c (x TEXT PRIMARY KEY)",
  ]);
  const store = await stage.store();

  const keys = await Promise.all(["a", "b", "c"].map((table) => keyOf(store, table)));

  expect(keys.map(({ sql }) => sql)).toEqual(['"id"', '"y", "x"', '"rowid"']);
});

test("two that work on one step at once share it, and no row is worked on twice", async () => {
  await using stage = await scene(numbered(3_000));
  const store = await stage.store();
  await store.write(CREATE_BOOKKEEPING);
  const options = { batchSize: 200, latencyBudgetMs: 10, onBatch: vi.fn() };
  const context = {
    store,
    clock: systemClock,
    timeoutMs: 5_000,
    declared: undefined,
    signal: undefined,
    isRehearsal: false,
  };
  const steps = [1, 2].map(() => {
    const lease = new Lease(systemClock);
    return new BatchedStep({ ...context, lease }, withData(increment), options);
  });

  await Promise.all(
    steps.map(async (step) => {
      await step.backfill({ table: "t", set: { done: "coalesce(done, 0) + 1" } });
      await step.eachBatch({ table: "t", columns: ["id"] }, async (rows, tx) => {
        for (const { id } of rows) {
          await tx.execute("UPDATE t SET done = done + 1 WHERE id = ?", [id ?? null]);
        }
      });
    }),
  );

  expect(await stage.rows("SELECT DISTINCT done FROM t")).toEqual([[2]]);
  expect(steps.map(({ rows }) => rows > 0)).toEqual([true, true]);
  expect((steps[0]?.rows ?? 0) + (steps[1]?.rows ?? 0)).toBe(6_000);
});
