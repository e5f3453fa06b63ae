import { CamelCasePlugin, Kysely, sql } from "kysely";
import { describe, expect, test } from "vitest";
import { nextTurn } from "../coherence/support.ts";
import { openApp, type Tables } from "./support.ts";

describe("cached functions", () => {
  test("read through the application's own Kysely, and are dropped by what touches them", async () => {
    const { db, springhouse } = await openApp();
    await db
      .insertInto("tasks")
      .values([1, 2].map((week) => ({ week, size: 0 })))
      .execute();
    let runs = 0;
    const ofWeek = springhouse.cached("ofWeek", (week: number) => {
      runs++;
      return db.selectFrom("tasks").selectAll().where("week", "=", week).execute();
    });

    const first = await ofWeek(1);
    expect(await ofWeek(1)).toBe(first);
    await db.insertInto("tasks").values({ week: 2, size: 5 }).execute();
    expect(await ofWeek(1)).toBe(first);
    await db.updateTable("tasks").set({ size: 9 }).where("week", "=", 1).execute();

    expect(await ofWeek(1)).toMatchObject([{ size: 9 }]);
    expect(runs).toBe(2);
    expect(ofWeek.explain(1).reads).toEqual(["tasks(week, id, name, size, body) where week = 1"]);
  });

  test("are in nobody's way when a table is altered, and are dropped by it", async () => {
    const { db, springhouse } = await openApp();
    await db.insertInto("tasks").values({ week: 1, size: 0 }).execute();
    const all = springhouse.cached("all", () => db.selectFrom("tasks").selectAll().execute());
    expect(await all()).toEqual([{ id: 1, week: 1, name: null, size: 0, body: null }]);

    await db.schema.alterTable("tasks").dropColumn("body").execute();
    expect(await all()).toEqual([{ id: 1, week: 1, name: null, size: 0 }]);
    await db.transaction().execute(async (tx) => {
      await tx.schema.alterTable("tasks").renameColumn("name", "title").execute();
      await tx.schema.alterTable("tasks").dropColumn("title").execute();
    });

    expect(await all()).toEqual([{ id: 1, week: 1, size: 0 }]);
    await db.updateTable("tasks").set({ size: 5 }).execute();
    expect(await all()).toEqual([{ id: 1, week: 1, size: 5 }]);
  });

  test("see what writers do that know nothing of Springhouse", async () => {
    const { db, springhouse, plain } = await openApp({ cache: { freshness: "strict" } });
    const count = springhouse.cached("count", async () => {
      const { n } = await db
        .selectFrom("tasks")
        .select((e) => e.fn.countAll<number>().as("n"))
        .executeTakeFirstOrThrow();
      return n;
    });

    expect(await count()).toBe(0);
    plain.exec("INSERT INTO tasks (week) VALUES (1)");

    expect(await count()).toBe(1);
  });

  test("read on one snapshot, by plugins, sub-queries, streams and SQL alike", async () => {
    const { springhouse, plain } = await openApp({ cache: { freshness: "strict" } });
    const db = new Kysely<Tables>({ dialect: springhouse, plugins: [new CamelCasePlugin()] });
    const all = springhouse.cached("all", async () => {
      const rows = await db.selectFrom("tasks").select("week").execute();
      plain.exec("INSERT INTO tasks (week) VALUES (2)");
      const { rows: again } = await sql`SELECT week FROM tasks`.execute(db);
      const streamed: unknown[] = [];
      for await (const row of db.selectFrom("tasks").select("week").stream()) streamed.push(row);
      return [rows, again, streamed];
    });

    const seen = await all();

    expect(seen).toEqual([[], [], []]);
    expect(all.peek()).toBeUndefined();
  });

  test("cannot write", async () => {
    const { db, springhouse } = await openApp();
    const refused = { code: "CACHED_WRITE" };
    const insert = springhouse.cached("insert", () =>
      db.insertInto("tasks").values({ week: 1, size: 0 }).execute(),
    );
    const smuggled = springhouse.cached("smuggled", () => sql`DELETE FROM tasks`.execute(db));
    const transaction = springhouse.cached("transaction", () =>
      db.transaction().execute(async () => 1),
    );

    await expect(insert()).rejects.toMatchObject(refused);
    await expect(smuggled()).rejects.toMatchObject(refused);
    await expect(transaction()).rejects.toMatchObject(refused);
  });

  test("with a number for a text see rows whose text is that of a real", async () => {
    const { db, springhouse, plain } = await openApp({ cache: { freshness: "strict" } });
    const named = springhouse.cached("named", (name: number) =>
      db
        .selectFrom("tasks")
        .select("id")
        .where("name", "=", name as never)
        .execute(),
    );

    expect(await named(7)).toEqual([]);
    // Numbers are bound as reals, and become texts as such.
    plain.exec("INSERT INTO tasks (id, week, name) VALUES (1, 1, '7.0')");

    expect(await named(7)).toEqual([{ id: 1 }]);
  });

  test("keep no bytes of their callers", async () => {
    const { db, springhouse } = await openApp();
    const buffer = new Uint8Array([1]);
    const withBody = springhouse.cached("withBody", (first: number) => {
      buffer.fill(first);
      const rows = db.selectFrom("tasks").select("id").where("body", "=", buffer).execute();
      buffer.fill(99);
      return rows;
    });

    expect(await withBody(1)).toEqual([]);
    await db
      .insertInto("tasks")
      .values({ id: 5, week: 1, size: 0, body: new Uint8Array([1]) })
      .execute();

    expect(await withBody(1)).toEqual([{ id: 5 }]);
  });
});

test("live queries follow the writes of the application", async () => {
  const { db, springhouse } = await openApp();
  const sizes = springhouse.cached("sizes", async (week: number) => {
    const rows = await db.selectFrom("tasks").select("size").where("week", "=", week).execute();
    return rows.map(({ size }) => size);
  });

  const seen: unknown[] = [];
  for await (const state of springhouse.live(sizes, 1)) {
    seen.push(state);
    if (state.length === 2) break;
    await db
      .insertInto("tasks")
      .values({ week: 1, size: state.length + 1 })
      .execute();
    await nextTurn();
  }

  expect(seen).toEqual([[], [1], [1, 2]]);
});
