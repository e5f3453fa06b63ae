/**
 * Sources with keys of other kinds than a number: a text beside the hidden rowid, a default that
 * stands in for NULL, a unique index over some rows, no reference to itself.
 */

import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { withRollups } from "../../src/capture/rollup.ts";
import { type Catalog, createCatalog } from "../../src/schema/catalog.ts";
import { t } from "../../src/schema/column.ts";
import { createStatements, physicalSchema } from "../../src/schema/ddl.ts";
import { entity } from "../../src/schema/entity.ts";
import { count, countDistinct, sum } from "../../src/schema/measure.ts";
import { rollup } from "../../src/schema/rollup.ts";

const Item = entity(
  "items",
  {
    key: t.text().primaryKey(),
    code: t.int().unique().default(3),
    grp: t.text(),
    n: t.int().nullable(),
    live: t.boolean().default(false),
  },
  { indexes: [{ on: ["grp"], unique: true, where: "live = 1" }] },
);
const Pair = entity(
  "pairs",
  { a: t.int(), b: t.text(), grp: t.text(), n: t.int().nullable(), live: t.boolean() },
  { primaryKey: ["a", "b"] },
);
const measures = (source: typeof Item | typeof Pair) => ({
  rows: count(),
  n: sum(source.n),
  different: countDistinct(source.n),
});
const catalog = createCatalog(
  [Item, Pair],
  [
    rollup("items_by", Item, { by: { grp: Item.grp }, measures: measures(Item) }),
    rollup("live_items", Item, { by: {}, measures: measures(Item), where: "live" }),
    rollup("pairs_by", Pair, { by: { grp: Pair.grp, live: Pair.live }, measures: measures(Pair) }),
  ],
);

function openAll(all: Catalog): DatabaseSync {
  const database = new DatabaseSync(":memory:");
  for (const sql of createStatements(withRollups(physicalSchema(all, "sqlite"), all))) {
    database.exec(sql);
  }
  return database;
}

function open(isRecursive: boolean): DatabaseSync {
  const database = openAll(catalog);
  database.exec(`PRAGMA recursive_triggers = ${isRecursive ? "ON" : "OFF"}`);
  return database;
}

const number = fc.integer({ min: 1, max: 4 }).map(String);
const orNull = fc.oneof(number, number, fc.constant("NULL"));
const text = fc.constantFrom("'a'", "'b'", "'A'");
const flag = fc.constantFrom("0", "1");
const or = fc.constantFrom("", " OR IGNORE", " OR REPLACE", " OR REPLACE", " OR FAIL");
const item = fc.tuple(number, text, orNull, text, orNull, flag);
const statement = fc.oneof(
  fc.tuple(or, item).map(([conflict, [rowid, key, code, grp, n, live]]) => {
    const values = [rowid, key, code, grp, n, live].join(", ");
    return `INSERT${conflict} INTO items (rowid, key, code, grp, n, live) VALUES (${values})`;
  }),
  fc.tuple(or, item).map(([conflict, [, key, code, grp, n, live]]) => {
    return `INSERT${conflict} INTO items VALUES (${[key, code, grp, n, live].join(", ")})`;
  }),
  fc
    .tuple(
      or,
      fc.constantFrom("rowid = rowid + 1", "_rowid_ = 2", "oid = 1", "code = 2", "live = 1 - live"),
      fc.constantFrom("key = 'b'", "grp = 'a', n = n + 1", "n = NULL", "live = 1"),
      fc.constantFrom("TRUE", "key = 'a'", "n = 2"),
    )
    .map(([conflict, one, two, where]) => {
      return `UPDATE${conflict} items SET ${one}, ${two.replace("live = 1", "n = 7")} WHERE ${where}`;
    }),
  fc.tuple(or, number, text, text, orNull, flag).map(([conflict, ...values]) => {
    return `INSERT${conflict} INTO pairs VALUES (${values.join(", ")})`;
  }),
  fc.tuple(or, number, text).map(([conflict, a, grp]) => {
    return `UPDATE${conflict} pairs SET a = ${a}, grp = ${grp}, live = 1 - live WHERE b <> 'A'`;
  }),
  fc.tuple(item, orNull).map(([[, key, code, grp, n], next]) => {
    const values = [key, code, grp, n, "0"].join(", ");
    return `INSERT INTO items VALUES (${values}) ON CONFLICT (key) DO UPDATE SET n = ${next}`;
  }),
  fc.constantFrom("DELETE FROM items WHERE n = 1", "DELETE FROM pairs", "DELETE FROM items"),
);

const COLUMNS = "count(*) AS rows, sum(n) AS n, count(DISTINCT n) AS different";
const RECOUNTS = {
  "SELECT * FROM items_by": `SELECT grp, ${COLUMNS} FROM items GROUP BY grp ORDER BY grp`,
  "SELECT * FROM live_items": `SELECT * FROM
    (SELECT 1 AS id, ${COLUMNS} FROM items WHERE live) WHERE rows > 0`,
  "SELECT * FROM pairs_by": `SELECT grp, live, ${COLUMNS} FROM pairs
    GROUP BY grp, live ORDER BY grp, live`,
};

describe.each([false, true])("rollups with recursive_triggers %s", (isRecursive) => {
  it("see rows replaced by any key that they have", () => {
    let replaced = 0;
    fc.assert(
      fc.property(fc.array(statement, { minLength: 30, maxLength: 60 }), (statements) => {
        using db = open(isRecursive);
        for (const sql of statements) {
          try {
            db.exec(sql);
            if (sql.includes("REPLACE")) replaced++;
          } catch (error) {
            expect(String(error)).toMatch(/constraint failed/);
          }
          for (const [kept, recount] of Object.entries(RECOUNTS)) {
            const order = kept.includes("live_items") ? "" : " ORDER BY 1, 2";
            expect([sql, ...db.prepare(`${kept}${order}`).all()]).toEqual([
              sql,
              ...db.prepare(recount).all(),
            ]);
          }
        }
      }),
      { numRuns: Number(process.env["ROLLUP_RUNS"] ?? 12), seed: 9 },
    );
    expect(replaced).toBeGreaterThan(100);
  });
});

describe("a row that is replaced", () => {
  const Node = entity("nodes", {
    id: t.int().primaryKey(),
    parentId: t.int().nullable().references("nodes.id", { onDelete: "cascade" }),
    nextId: t.int().nullable().references("nodes.id", { onDelete: "set null" }),
    code: t.int().nullable().unique(),
    n: t.int(),
  });
  const nodes = createCatalog(
    [Node],
    [rollup("by_n", Node, { by: { n: Node.n }, measures: { rows: count() } })],
  );
  const rowsOf = (db: DatabaseSync): unknown =>
    db.prepare("SELECT n, rows FROM by_n ORDER BY n").all().map(Object.values);

  it("is counted when it takes the row along that replaces it", () => {
    using db = openAll(nodes);
    db.exec("INSERT INTO nodes VALUES (1, NULL, NULL, 4, 10), (2, 1, NULL, NULL, 20)");

    db.exec("UPDATE OR REPLACE nodes SET code = 4 WHERE id = 2");

    expect(db.prepare("SELECT count(*) AS rows FROM nodes").get()).toEqual({ rows: 0 });
    expect(rowsOf(db)).toEqual([]);
  });

  it("is counted when it changes the row that replaces it", () => {
    using db = openAll(nodes);
    db.exec("INSERT INTO nodes VALUES (1, NULL, NULL, 4, 10), (2, NULL, 1, NULL, 20)");

    db.exec("UPDATE OR REPLACE nodes SET code = 4, n = 30 WHERE id = 2");

    expect(rowsOf(db)).toEqual([[30, 1]]);
  });

  it.each(["rowid", "oid", "_ROWID_"])("is counted when its %s is taken", (name) => {
    using db = openAll(catalog);
    db.exec("INSERT INTO items VALUES ('a', 1, 'x', 1, 0), ('b', 2, 'y', 2, 0)");

    db.exec(`UPDATE OR REPLACE items SET ${name} = 1 WHERE key = 'b'`);

    expect(db.prepare("SELECT grp, rows FROM items_by").all().map(Object.values)).toEqual([
      ["y", 1],
    ]);
  });
});
