import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Kysely } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createCatalog } from "../../src/schema/catalog.ts";
import { t } from "../../src/schema/column.ts";
import { createStatements, physicalSchema } from "../../src/schema/ddl.ts";
import { entity } from "../../src/schema/entity.ts";
import type { TablesOf } from "../../src/schema/types.ts";
import { kyselyFor } from "../../src/store/kysely.ts";
import { sql } from "../../src/store/sql.ts";
import { openSqliteStore, type SqliteStore } from "../../src/store/sqlite/store.ts";

const Note = entity("notes", {
  id: t.int().primaryKey(),
  title: t.text().unique(),
  tags: t.json<unknown>().nullable(),
});
const catalog = createCatalog([Note]);
type Tables = TablesOf<[typeof Note]>;

describe("Kysely over the SQLite store", () => {
  let folder: string;
  let store: SqliteStore;
  let query: Kysely<Tables>;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "springhouse-kysely-"));
    store = await openSqliteStore({ url: `sqlite:${join(folder, "test.db")}` });
    const statements = createStatements(physicalSchema(catalog, "sqlite"));
    await store.write(statements.map((text) => ({ sql: text, parameters: [] })));
    query = kyselyFor<Tables>(store, catalog);
  });

  beforeEach(async () => {
    await query.deleteFrom("notes").execute();
  });

  afterAll(async () => {
    await store.close();
    await rm(folder, { recursive: true });
  });

  const titles = async (): Promise<string[]> =>
    (await query.selectFrom("notes").select("title").orderBy("id").execute()).map((r) => r.title);

  test("rows are decoded by their origin, read inline, by a thread and by the writer", async () => {
    const inserted = await query
      .insertInto("notes")
      .values({ id: 1, title: "a", tags: ["x"] })
      .returningAll()
      .executeTakeFirst();
    const byKey = await query.selectFrom("notes").selectAll().where("id", "=", 1).execute();
    const listed = await query.selectFrom("notes as n").select("n.tags as t").execute();

    expect(inserted).toEqual({ id: 1, title: "a", tags: ["x"] });
    expect(byKey).toEqual([inserted]);
    expect(listed).toEqual([{ t: ["x"] }]);
  });

  test("the end of the queries is that of the database, and cannot be had before", async () => {
    await query.selectFrom("notes").select("id").execute();

    await expect(query.destroy()).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    await expect(query.withSchema("main").destroy()).rejects.toThrow("close the database");

    expect(await titles()).toEqual([]);
  });

  test("transactions commit, roll back and nest by savepoints", async () => {
    const transaction = await query.startTransaction().execute();
    await transaction.insertInto("notes").values({ title: "a" }).execute();
    const inner = await transaction.savepoint("one").execute();
    await inner.insertInto("notes").values({ title: "b" }).execute();
    await inner.rollbackToSavepoint("one").execute();
    await inner.insertInto("notes").values({ title: "c" }).execute();
    await inner.releaseSavepoint("one").execute();
    expect(await titles()).toEqual([]);
    await transaction.commit().execute();
    const failing = query.transaction().execute(async (other) => {
      await other.insertInto("notes").values({ title: "d" }).execute();
      await other.insertInto("notes").values({ title: "a" }).execute();
    });

    await expect(failing).rejects.toMatchObject({ code: "CONSTRAINT" });
    expect(await titles()).toEqual(["a", "c"]);
  });

  test("a violated constraint inside leaves the transaction usable", async () => {
    await query.transaction().execute(async (transaction) => {
      await transaction.insertInto("notes").values({ title: "a" }).execute();
      const twice = transaction.insertInto("notes").values({ title: "a" }).execute();
      await expect(twice).rejects.toMatchObject({ code: "CONSTRAINT" });
      await transaction.insertInto("notes").values({ title: "b" }).execute();
    });

    expect(await titles()).toEqual(["a", "b"]);
  });

  test.each(["begin", "commit", "rollback", "savepoint s", "release s"])(
    "%s written by hand is refused",
    async (command) => {
      await expect(sql.raw(command).execute(query)).rejects.toMatchObject({
        code: "STATEMENT_REFUSED",
      });
    },
  );

  test.each(["not", ""])(
    "the function of a transaction is inside of it (%s logged)",
    async (logged) => {
      const refused = { code: "TRANSACTION_REENTRY" };
      const log = logged === "" ? { log: () => undefined } : {};
      const kysely = kyselyFor<Tables>(store, catalog, log);
      const insert = (title: string): Promise<unknown> =>
        kysely.insertInto("notes").values({ title }).execute();

      const both = Promise.all([
        kysely.transaction().execute(async (transaction) => {
          await expect(insert("b")).rejects.toMatchObject(refused);
          await transaction.insertInto("notes").values({ title: "a" }).execute();
          await expect(store.transaction(async () => 1)).rejects.toMatchObject(refused);
          await expect(kysely.transaction().execute(async () => 1)).rejects.toMatchObject(refused);
          expect(await titles()).toEqual([]);
        }),
        insert("outside"),
      ]);
      await both;
      await insert("after");

      expect(await titles()).toEqual(["a", "outside", "after"]);
    },
  );

  test("inside of another, it would wait for itself on the outer one", async () => {
    const refused = { code: "TRANSACTION_REENTRY" };
    const put = (title: string) => ({
      sql: "INSERT INTO notes (title) VALUES (?)",
      parameters: [title],
    });

    await store.transaction(async (outer) => {
      const inside = kyselyFor<Tables>(outer, catalog);
      await inside.transaction().execute(async (inner) => {
        await inner.insertInto("notes").values({ title: "a" }).execute();
        await expect(outer.write([put("b")])).rejects.toMatchObject(refused);
        await expect(store.write([put("b")])).rejects.toMatchObject(refused);
      });
      await outer.write([put("c")]);
      await expect(store.write([put("d")])).rejects.toMatchObject(refused);
    });

    expect(await titles()).toEqual(["a", "c"]);
  });

  test("a transaction that is not ended is rolled back at its deadline", async () => {
    const url = `sqlite:${join(folder, "short.db")}`;
    await using short = await openSqliteStore({ url, transactionDeadlineMs: 20 });
    await short.write([{ sql: "CREATE TABLE notes (title TEXT)", parameters: [] }]);
    const brief = kyselyFor<{ notes: { title: string } }>(short, createCatalog([]));

    const transaction = await brief.startTransaction().execute();
    await transaction.insertInto("notes").values({ title: "a" }).execute();
    // The next write gets its turn when the deadline has ended the transaction.
    await brief.insertInto("notes").values({ title: "b" }).execute();

    await expect(transaction.commit().execute()).rejects.toMatchObject({
      code: "TRANSACTION_TIMEOUT",
    });
    await transaction.rollback().execute();
    expect(await brief.selectFrom("notes").select("title").execute()).toEqual([{ title: "b" }]);
  });

  test("a stream gives thousands of rows in order and can be left", async () => {
    await store.writeMany(
      "INSERT INTO notes (title) VALUES (?)",
      Array.from({ length: 3_000 }, (_, index) => [`n${index}`]),
    );

    const all: string[] = [];
    const stream = query.selectFrom("notes").select("title").orderBy("id").stream(700);
    for await (const { title } of stream) all.push(title);
    for await (const _ of query.selectFrom("notes").select("title").stream(10)) break;

    expect(all).toHaveLength(3_000);
    expect(all.at(-1)).toBe("n2999");
  });
});
