import { type Kysely, sql } from "kysely";
import { type Migration, type MigrationProvider, Migrator } from "kysely/migration";
import { describe, expect, test } from "vitest";
import { openApp, openStock, type Tables } from "./support.ts";

const WIDE = 2n ** 60n + 1n;

/** What an application does, and everything that it gets to see of it. */
async function script(db: Kysely<Tables>): Promise<readonly unknown[]> {
  const body = new Uint8Array([1, 2, 0]);
  const seen: unknown[] = [];
  const see = async (given: Promise<unknown>): Promise<void> => void seen.push(await given);
  await see(db.insertInto("tasks").values({ week: 7, name: "a", size: 1.5, body }).execute());
  await see(db.insertInto("tasks").values({ id: 40, week: 8, name: null, size: 3 }).execute());
  await see(
    db
      .insertInto("tasks")
      .values([
        { week: 8, name: sql<string>`${7}`, size: 2 ** 40 },
        { week: 8, name: "ä\u{1F600}", size: -0 },
      ])
      .executeTakeFirst(),
  );
  await see(
    db.insertInto("tasks").values({ week: 9, size: 1 }).returning(["id", "size"]).execute(),
  );
  await see(db.updateTable("tasks").set({ size: 5 }).where("week", "=", 8).execute());
  await see(db.selectFrom("tasks").selectAll().orderBy("id").execute());
  await see(db.selectFrom("tasks").select("id").where("name", "=", sql<string>`${7}`).execute());
  await see(db.selectFrom("tasks").select("id").where("id", "=", 40).execute());
  await see(db.deleteFrom("tasks").where("id", "=", 40).executeTakeFirst());
  await see(sql`INSERT INTO tasks (week, size) VALUES (${1}, ${2})`.execute(db));
  await see(
    sql`SELECT typeof(${1}) AS a, ${5} / ${2} AS b, ${null} AS c, 1 AS d, 2 AS d, ${"x"} || ${1} AS e,
      typeof(size) AS f, json_object('n', ${1}) AS g FROM tasks ORDER BY id`.execute(db),
  );
  return seen;
}

describe("queries", () => {
  test("give what they give with Kysely's own dialect, row ids and numbers of rows included", async () => {
    const { db } = await openApp();

    const ours = await script(db);

    expect(ours).toEqual(await script(openStock()));
    expect(ours[0]).toMatchObject([{ insertId: 1n, numInsertedOrUpdatedRows: 1n }]);
  });

  test.each([WIDE, -(2n ** 63n)])(
    "give integers beyond 2^53 as bigints, whatever way they are read: %d",
    async (wide) => {
      const { db } = await openApp();
      await db.insertInto("tasks").values({ id: 1, week: 7, size: wide }).execute();

      const byKey = await db.selectFrom("tasks").select("size").where("id", "=", 1).execute();
      const listed = await db.selectFrom("tasks").select(["size", "week"]).execute();
      const updated = await db.updateTable("tasks").set({ week: 8 }).returning("size").execute();

      expect([byKey, listed, updated]).toEqual([
        [{ size: wide }],
        [{ size: wide, week: 7 }],
        [{ size: wide }],
      ]);
    },
  );

  test("refuse values that SQLite has no type for", async () => {
    const { db } = await openApp();

    for (const value of [true, new Date(0), { a: 1 }, undefined]) {
      const read = sql`SELECT ${value}`.execute(db);
      await expect(read).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    }
  });

  test("tell no row id when nothing was inserted", async () => {
    const { db } = await openApp();
    await db.insertInto("tasks").values({ id: 1, week: 7, size: 0 }).execute();

    const again = db.insertInto("tasks").values({ id: 1, week: 7, size: 0 });
    const ignored = await again.onConflict((conflict) => conflict.doNothing()).executeTakeFirst();

    expect(ignored).toMatchObject({ insertId: undefined, numInsertedOrUpdatedRows: 0n });
  });

  test("stream from one snapshot and can be left", async () => {
    const { db } = await openApp();
    const rows = Array.from({ length: 2_000 }, (_, at) => ({ week: at, size: 0 }));
    await db.insertInto("tasks").values(rows).execute();

    const weeks: number[] = [];
    for await (const { week } of db.selectFrom("tasks").select("week").stream(100)) {
      if (week === 0) await db.deleteFrom("tasks").execute();
      weeks.push(week);
    }

    expect(weeks).toHaveLength(2_000);
    for await (const _ of db.selectFrom("tasks").select("week").stream()) break;
    expect(await db.selectFrom("tasks").selectAll().execute()).toEqual([]);
  });
});

describe("transactions", () => {
  const weeks = async (db: Kysely<Tables>): Promise<number[]> =>
    (await db.selectFrom("tasks").select("week").orderBy("week").execute()).map((row) => row.week);
  const add = (db: Kysely<Tables>, week: number): Promise<unknown> =>
    db.insertInto("tasks").values({ week, size: 0 }).execute();

  test("commit, and leave no trace when they fail", async () => {
    const { db } = await openApp();

    await db.transaction().execute(async (inside) => {
      await add(inside, 1);
      expect(await weeks(inside)).toEqual([1]);
      expect(await weeks(db)).toEqual([]);
    });
    const failing = db.transaction().execute(async (inside) => {
      await add(inside, 2);
      throw new Error("no");
    });

    await expect(failing).rejects.toThrow("no");
    expect(await weeks(db)).toEqual([1]);
  });

  test("are led by hand, with savepoints", async () => {
    const { db } = await openApp();

    const outer = await db.startTransaction().execute();
    await add(outer, 1);
    const inner = await outer.savepoint("here").execute();
    await add(inner, 2);
    await inner.rollbackToSavepoint("here").execute();
    await add(inner, 3);
    await inner.releaseSavepoint("here").execute();
    await outer.commit().execute();

    expect(await weeks(db)).toEqual([1, 3]);
  });

  test("refuse to wait for themselves", async () => {
    const { db } = await openApp();

    const within = db.transaction().execute(() => add(db, 1));

    await expect(within).rejects.toMatchObject({ code: "TRANSACTION_REENTRY" });
    expect(await weeks(db)).toEqual([]);
  });
});

describe("migrations by Kysely's Migrator", () => {
  const provided = (migrations: Readonly<Record<string, Migration>>): MigrationProvider => ({
    getMigrations: async () => migrations,
  });

  test("go up and down, also with transactions of their own", async () => {
    const { db, plain } = await openApp();
    const migrator = new Migrator({
      db,
      provider: provided({
        "1_notes": {
          up: (at) => at.schema.createTable("notes").addColumn("text", "text").execute(),
          down: (at) => at.schema.dropTable("notes").execute(),
        },
        "2_rows": {
          up: (at) =>
            at.transaction().execute(async (inside) => {
              await sql`INSERT INTO notes VALUES ('a')`.execute(inside);
            }),
          down: async (at) => void (await sql`DELETE FROM notes`.execute(at)),
        },
      }),
    });

    const up = await migrator.migrateToLatest();
    const rows = plain.prepare("SELECT text FROM notes").all();
    await migrator.migrateDown();
    const down = await migrator.migrateDown();

    expect(up).toMatchObject({ results: [{ status: "Success" }, { status: "Success" }] });
    expect(rows).toEqual([{ text: "a" }]);
    expect(down.error).toBeUndefined();
    expect(plain.prepare("SELECT * FROM sqlite_schema WHERE name = 'notes'").all()).toEqual([]);
  });

  test("run once, although two ask for them at the same time", async () => {
    const { db } = await openApp();
    let runs = 0;
    const provider = provided({
      "1_slow": {
        async up(at) {
          runs++;
          await at.schema.createTable("notes").addColumn("text", "text").execute();
        },
      },
    });
    const migrate = () => new Migrator({ db, provider }).migrateToLatest();

    const both = await Promise.all([migrate(), migrate()]);

    expect(both.map(({ error }) => error)).toEqual([undefined, undefined]);
    expect(runs).toBe(1);
  });
});

describe("the database", () => {
  test("shows its tables, and not the log of changes", async () => {
    const { db, springhouse, plain } = await openApp();
    await springhouse.cached("all", () => db.selectFrom("tasks").selectAll().execute())();

    const tables = await db.introspection.getTables();

    expect(tables.map(({ name }) => name)).toEqual(["tasks"]);
    expect(tables[0]?.columns.map(({ name }) => name)).toContain("week");
    const logs = plain.prepare("SELECT name FROM sqlite_schema WHERE name = 'springhouse_log'");
    expect(logs.all()).toHaveLength(1);
  });

  test("is left as it is as long as nothing is cached", async () => {
    const { db, plain } = await openApp();

    await db.insertInto("tasks").values({ week: 1, size: 0 }).execute();

    const objects = plain.prepare("SELECT name FROM sqlite_schema").all();
    expect(objects).toEqual([{ name: "tasks" }]);
  });

  test("is closed by destroy()", async () => {
    const { db, springhouse } = await openApp();
    const all = springhouse.cached("all", () => db.selectFrom("tasks").selectAll().execute());
    await all();

    await db.destroy();

    await expect(all()).rejects.toMatchObject({ code: "CLOSED" });
    expect(all.peek()).toBeUndefined();
    expect(() => all.explain()).toThrow("was closed");
    await expect(db.selectFrom("tasks").execute()).rejects.toThrow("destroyed");
    await springhouse.close();
  });
});
