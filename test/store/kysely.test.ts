import { createRequire } from "node:module";
import type { Kysely, LogEvent, RawBuilder } from "kysely";
import * as imported from "kysely";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createCatalog } from "../../src/schema/catalog.ts";
import { t } from "../../src/schema/column.ts";
import { createStatements, physicalSchema } from "../../src/schema/ddl.ts";
import { entity } from "../../src/schema/entity.ts";
import type { TablesOf } from "../../src/schema/types.ts";
import { kyselyFor } from "../../src/store/kysely.ts";
import { kyselyModule } from "../../src/store/kysely-runtime.ts";
import { sql } from "../../src/store/sql.ts";
import type { Session, Store } from "../../src/store/store.ts";
import { openDirectStore } from "../support/direct-store.ts";

const Note = entity("notes", {
  id: t.int().primaryKey(),
  title: t.text(),
  isDone: t.boolean().default(false),
  tags: t.json<unknown>().nullable(),
  createdAt: t.timestamp().defaultNow(),
  size: t.bigint().default(0n),
  body: t.blob().nullable(),
});
const catalog = createCatalog([Note]);
type Tables = TablesOf<[typeof Note]>;

let store: Store;
let query: Kysely<Tables>;

beforeEach(async () => {
  store = openDirectStore(":memory:");
  const statements = createStatements(physicalSchema(catalog, "sqlite"));
  await store.write(statements.map((text) => ({ sql: text, parameters: [] })));
  query = kyselyFor<Tables>(store, catalog);
});

afterEach(() => store.close());

describe("values", () => {
  test("all kinds come back as they went in", async () => {
    const moment = new Date("2025-11-20T10:00:00.123Z");
    const note = {
      id: 1,
      title: "a",
      is_done: true,
      tags: { list: [1, "x", null] },
      created_at: moment,
      size: 2n ** 62n,
      body: new Uint8Array([1, 2]),
    };

    await query.insertInto("notes").values(note).execute();
    const row = await query.selectFrom("notes").selectAll().executeTakeFirstOrThrow();

    expect(row).toEqual(note);
  });

  test.each(["a text", 7, true, [1], { a: 1 }])("JSON column keeps %j", async (value) => {
    await query.insertInto("notes").values({ title: "a", tags: value }).execute();
    await query.insertInto("notes").values({ title: "b" }).execute();
    await query.updateTable("notes").set({ tags: value }).where("title", "=", "b").execute();

    const rows = await query.selectFrom("notes").select("tags").execute();

    expect(rows).toEqual([{ tags: value }, { tags: value }]);
  });

  test("several rows, some with expressions, are encoded alike", async () => {
    await query
      .insertInto("notes")
      .values([
        { title: "a", tags: "x", created_at: new Date(5) },
        { title: sql<string>`upper('b')`, tags: ["y"], created_at: new Date(6) },
      ])
      .execute();

    const rows = await query
      .selectFrom("notes")
      .select(["title", "tags", "created_at"])
      .orderBy("id")
      .execute();

    expect(rows).toEqual([
      { title: "a", tags: "x", created_at: new Date(5) },
      { title: "B", tags: ["y"], created_at: new Date(6) },
    ]);
  });

  test("an upsert encodes what it sets", async () => {
    await query.insertInto("notes").values({ id: 1, title: "a" }).execute();

    await query
      .insertInto("notes")
      .values({ id: 1, title: "a" })
      .onConflict((conflict) => conflict.column("id").doUpdateSet({ tags: "x", is_done: true }))
      .execute();
    const row = await query.selectFrom("notes").select(["tags", "is_done"]).executeTakeFirst();

    expect(row).toEqual({ tags: "x", is_done: true });
  });

  test("decoding follows the origin of a column through aliases, not its name", async () => {
    await query
      .insertInto("notes")
      .values({ title: "a", created_at: new Date(9) })
      .execute();

    const row = await query
      .selectFrom("notes as n")
      .select(["n.created_at as title", "n.is_done as id"])
      .select((eb) => eb.fn.max("n.created_at").as("latest"))
      .groupBy("n.id")
      .executeTakeFirst();

    expect(row).toEqual({ title: new Date(9), id: false, latest: 9 });
  });

  test("parameters are encoded by their type", async () => {
    await query
      .insertInto("notes")
      .values({ title: "a", created_at: new Date(9) })
      .execute();

    const found = await query
      .selectFrom("notes")
      .select("id")
      .where("created_at", "<=", new Date(9))
      .where("is_done", "=", false)
      .execute();

    expect(found).toEqual([{ id: 1 }]);
  });

  test("a value that its column cannot store is refused and nothing is written", async () => {
    const insert = query.insertInto("notes").values({ title: 5 as unknown as string });

    await expect(insert.execute()).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    expect(await query.selectFrom("notes").selectAll().execute()).toEqual([]);
  });

  test("returning gives decoded rows, and the counts are right", async () => {
    const inserted = await query
      .insertInto("notes")
      .values([{ title: "a" }, { title: "b" }])
      .returning(["id", "is_done"])
      .execute();
    const updated = await query.updateTable("notes").set({ is_done: true }).executeTakeFirst();
    const deleted = await query.deleteFrom("notes").where("id", "=", 1).executeTakeFirst();

    expect(inserted).toEqual([
      { id: 1, is_done: false },
      { id: 2, is_done: false },
    ]);
    expect(updated.numUpdatedRows).toBe(2n);
    expect(deleted.numDeletedRows).toBe(1n);
  });
});

describe("transactions", () => {
  const titles = async (): Promise<string[]> =>
    (await query.selectFrom("notes").select("title").orderBy("id").execute()).map((r) => r.title);

  test("a transaction commits when its function resolves", async () => {
    const result = await query.transaction().execute(async (transaction) => {
      await transaction.insertInto("notes").values({ title: "a" }).execute();
      return transaction.selectFrom("notes").select("title").execute();
    });

    expect(result).toEqual([{ title: "a" }]);
    expect(await titles()).toEqual(["a"]);
  });

  test("a transaction rolls back when its function rejects, with the same error", async () => {
    const failure = new Error("no");

    const run = query.transaction().execute(async (transaction) => {
      await transaction.insertInto("notes").values({ title: "a" }).execute();
      throw failure;
    });

    await expect(run).rejects.toBe(failure);
    expect(await titles()).toEqual([]);
  });

  test("a controlled transaction rolls back to a savepoint and can go there again", async () => {
    const first = await query.startTransaction().execute();
    await first.insertInto("notes").values({ title: "a" }).execute();
    const second = await first.savepoint("after_a").execute();
    await second.insertInto("notes").values({ title: "b" }).execute();
    await second.rollbackToSavepoint("after_a").execute();
    await second.insertInto("notes").values({ title: "c" }).execute();
    await second.rollbackToSavepoint("after_a").execute();
    await second.insertInto("notes").values({ title: "d" }).execute();
    await second.releaseSavepoint("after_a").execute();
    await first.commit().execute();

    expect(await titles()).toEqual(["a", "d"]);
  });

  test("savepoints inside savepoints are released and rolled back together", async () => {
    const outer = await query.startTransaction().execute();
    const one = await outer.savepoint("one").execute();
    await one.insertInto("notes").values({ title: "a" }).execute();
    const two = await one.savepoint("two").execute();
    await two.insertInto("notes").values({ title: "b" }).execute();
    await one.releaseSavepoint("one").execute();
    const three = await outer.savepoint("three").execute();
    const four = await three.savepoint("four").execute();
    await four.insertInto("notes").values({ title: "c" }).execute();
    await three.rollbackToSavepoint("three").execute();
    await outer.commit().execute();

    expect(await titles()).toEqual(["a", "b"]);
  });

  test("an unknown savepoint is refused", async () => {
    const transaction = await query.startTransaction().execute();
    const known = await transaction.savepoint("known").execute();
    const release = known.releaseSavepoint("unknown" as "known").execute();

    await expect(release).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    await transaction.rollback().execute();
    expect(await titles()).toEqual([]);
  });

  test("a rollback undoes what open savepoints hold", async () => {
    const transaction = await query.startTransaction().execute();
    const inner = await transaction.savepoint("inner").execute();
    await inner.insertInto("notes").values({ title: "a" }).execute();
    await inner.rollback().execute();

    expect(await titles()).toEqual([]);
  });

  test("inside a transaction of the store, a Kysely transaction is a savepoint", async () => {
    await store.transaction(async (outer) => {
      const inside = kyselyFor<Tables>(outer, catalog);
      await inside.insertInto("notes").values({ title: "a" }).execute();
      const failing = inside.transaction().execute(async (transaction) => {
        await transaction.insertInto("notes").values({ title: "b" }).execute();
        throw new Error("no");
      });
      await expect(failing).rejects.toThrow("no");
    });

    expect(await titles()).toEqual(["a"]);
  });

  test("a read-only transaction is refused, because it could not be held to it", async () => {
    const run = query
      .transaction()
      .setAccessMode("read only")
      .execute(async () => 1);

    await expect(run).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  });

  test("the logger sees statements, begin, commit, rollback and savepoints", async () => {
    const seen: string[] = [];
    const log = (event: LogEvent): void => void seen.push(`${event.level}: ${event.query.sql}`);
    const logged = kyselyFor<Tables>(store, catalog, { log });

    await logged
      .transaction()
      .execute((tx) => tx.insertInto("notes").values({ title: "a" }).execute());
    const controlled = await logged.startTransaction().execute();
    const inner = await controlled.savepoint("s").execute();
    await inner.rollbackToSavepoint("s").execute();
    await inner.releaseSavepoint("s").execute();
    await controlled.rollback().execute();
    const failing = logged
      .selectFrom("missing" as "notes")
      .select("id")
      .execute();
    await expect(failing).rejects.toMatchObject({ code: "SQL" });

    expect(seen).toEqual([
      "query: begin",
      'query: insert into "notes" ("title") values (?)',
      "query: commit",
      "query: begin",
      'query: savepoint "s"',
      'query: rollback to "s"',
      'query: release "s"',
      "query: rollback",
      'error: select "id" from "missing"',
    ]);
  });
});

describe("everything else", () => {
  test("a stream gives all rows, in chunks, and can be left", async () => {
    const values = Array.from({ length: 250 }, (_, index) => ({ title: `n${index}` }));
    await query.insertInto("notes").values(values).execute();

    const all: string[] = [];
    for await (const row of query.selectFrom("notes").select("title").stream(100)) {
      all.push(row.title);
    }
    for await (const _ of query.selectFrom("notes").select("title").stream(100)) break;

    expect(all).toEqual(values.map(({ title }) => title));
  });

  test("a stream of an insert writes and gives what it returns", async () => {
    const insert = query.insertInto("notes").values({ title: "a" }).returning("title");

    const rows: unknown[] = [];
    for await (const row of insert.stream(10)) rows.push(row);

    expect(rows).toEqual([{ title: "a" }]);
  });

  test("raw SQL is read or written as it needs, with tables, references and lists", async () => {
    const insert = sql`insert into ${sql.table("notes")} (${sql.ref("title")}) values (${"a"})`;
    const written = await insert.execute(query);
    const select: RawBuilder<{ id: number; created_at: Date }> = sql`
      select ${sql.id("id")}, ${sql.ref("created_at")} from notes
      where title in (${sql.join(["a", sql.val("b")])}) and 1 = ${sql.lit(1)} ${sql.raw("limit 1")}`;
    const { rows } = await select.execute(query);

    expect(written.numAffectedRows).toBe(1n);
    expect(rows).toEqual([{ id: 1, created_at: expect.any(Date) }]);
  });

  test("a schema is made, introspected and dropped", async () => {
    await query.schema.createTable("extra").addColumn("id", "integer").execute();
    const tables = await query.introspection.getTables();
    await query.schema.dropTable("extra").execute();

    expect(tables.map(({ name }) => name)).toEqual(["extra", "notes"]);
  });

  test("an aborted query is given up", async () => {
    const signal = AbortSignal.abort();

    const run = query.selectFrom("notes").selectAll().execute({ signal });

    await expect(run).rejects.toThrow();
  });

  test("PostgreSQL gets its own words, and its values", async () => {
    const seen: unknown[] = [];
    const session = {
      dialect: "postgres",
      isWrite: () => false,
      read: async (statement: unknown) => {
        seen.push(statement);
        return {
          columns: [{ name: "created_at", table: "notes", column: "created_at" }],
          rows: [["2025-11-20 10:00:00.5+00"]],
          changes: 0,
        };
      },
    } as unknown as Session;

    const rows = await kyselyFor<Tables>(session, catalog)
      .selectFrom("notes")
      .select("created_at")
      .where("is_done", "=", true)
      .execute();

    expect(seen).toEqual([
      { sql: 'select "created_at" from "notes" where "is_done" = $1', parameters: ["true"] },
    ]);
    expect(rows).toEqual([{ created_at: new Date("2025-11-20T10:00:00.500Z") }]);
  });

  test("there is one instance of Kysely, whether it is imported or required", () => {
    const required: unknown = createRequire(import.meta.url)("kysely");

    expect(kyselyModule()).toBe(required);
    expect(kyselyModule().Kysely).toBe(imported.Kysely);
  });
});
