import { type Kysely, sql } from "kysely";
import { describe, expect, it, onTestFinished } from "vitest";
import { entity, open, t } from "../../src/index.ts";
import { temporaryPath } from "../sqlite/support.ts";
import { openPlainly } from "./support.ts";

/** Names of two columns, which JavaScript has in one lower case and SQLite has not. */
const PAIRS = [
  ["Änderung", "änderung"],
  ["\u212A", "k"],
] as const;

const Thing = entity("things", { id: t.int().primaryKey() });

async function openThings(others: string, column: string) {
  const path = temporaryPath();
  const plain = openPlainly(path);
  plain.exec(`PRAGMA journal_mode = WAL;
    CREATE TABLE things (id INTEGER PRIMARY KEY, "${others}" INT, "${column}" INT);
    CREATE TABLE "Ärzte" (id INTEGER PRIMARY KEY, b INT);
    CREATE TABLE "ärzte" (id INTEGER PRIMARY KEY, b INT);
    INSERT INTO things VALUES (1, 1, 2);
    INSERT INTO "Ärzte" VALUES (1, 1); INSERT INTO "ärzte" VALUES (1, 1)`);
  const db = await open({
    url: `sqlite:///${path}`,
    entities: [Thing],
    schema: "ignore",
    cache: { freshness: "strict" },
  });
  onTestFinished(() => db.close());
  const query = db.query as unknown as Kysely<Record<string, Record<string, number>>>;
  return { db, plain, query };
}

describe.each(PAIRS)("a table with the columns %s and %s", (first, second) => {
  it("has no stale result of a condition on the one or on the other", async () => {
    const { db, plain, query } = await openThings(first, second);
    const queries = [first, second].map((name) =>
      query.selectFrom("things").select("id").where(name, "=", 5),
    );
    const both = () => Promise.all(queries.map((one) => one.execute()));
    const cached = db.cached("both", both);
    await cached();

    plain.exec("INSERT INTO things VALUES (2, 7, 5)");
    expect(await cached()).toEqual([[], [{ id: 2 }]]);
    plain.exec("INSERT INTO things VALUES (3, 5, 7)");
    expect(await cached()).toEqual([[{ id: 3 }], [{ id: 2 }]]);
  });

  it("has no stale result of what is selected", async () => {
    const { db, plain, query } = await openThings(first, second);
    const value = db.cached("value", () => query.selectFrom("things").select(second).execute());
    await value();

    plain.exec(`UPDATE things SET "${second}" = 9`);

    expect(await value()).toEqual([{ [second]: 9 }]);
  });
});

describe("two tables whose names JavaScript has in one lower case", () => {
  it.each([
    ["Ärzte", "ärzte"],
    ["ärzte", "Ärzte"],
  ])("are told apart: %s from %s, in plain SQL too", async (table, other) => {
    const { db, plain, query } = await openThings("a", "b");
    const built = db.cached("built", () => query.selectFrom(table).select("b").execute());
    const told = db.cached("told", async () => {
      return (await sql`SELECT b FROM ${sql.table(table)}`.execute(query)).rows;
    });
    await Promise.all([built(), told()]);

    plain.exec(`UPDATE "${other}" SET b = 7`);
    expect([built.peek(), told.peek()]).toEqual([[{ b: 1 }], [{ b: 1 }]]);
    plain.exec(`UPDATE "${table}" SET b = 9`);
    expect(await Promise.all([built(), told()])).toEqual([[{ b: 9 }], [{ b: 9 }]]);
  });
});
