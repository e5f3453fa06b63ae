import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { indexesOf, type PlanLine, parsePlan, planText } from "../../src/advisor/plan.ts";

const SCHEMA = `CREATE TABLE t (id INTEGER PRIMARY KEY, a, b, c); CREATE TABLE u (x, y);
  CREATE INDEX ta ON t (a, b); CREATE TABLE w (k PRIMARY KEY, v) WITHOUT ROWID`;

function planOf(sql: string): ReturnType<typeof parsePlan> {
  using database = new DatabaseSync(":memory:");
  database.exec(SCHEMA);
  return parsePlan(database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all() as unknown as PlanLine[]);
}

describe("a plan of this SQLite", () => {
  it.each([
    ["SELECT * FROM t", { access: "scan", by: "nothing", name: "t" }],
    ["SELECT a FROM t", { access: "scan", by: "index", index: "ta", isCovering: true }],
    ["SELECT max(c) FROM t", { access: "scan", by: "nothing", name: "t" }],
    ["SELECT * FROM t AS z WHERE z.a = ?", { access: "search", name: "z", equalities: 1 }],
    ["SELECT * FROM t WHERE a = ? AND b > ?", { index: "ta", equalities: 1, hasRange: true }],
    ["SELECT * FROM t WHERE a IN (?, ?) AND b = 3", { index: "ta", equalities: 2 }],
    ["SELECT * FROM t WHERE (a, b) > (?, ?)", { index: "ta", equalities: 0, hasRange: true }],
    ["SELECT * FROM t WHERE id = ?", { access: "search", by: "rowid", equalities: 1 }],
    ["SELECT * FROM w WHERE k = ?", { access: "search", by: "key", equalities: 1 }],
    ["SELECT * FROM json_each(?)", { access: "scan", by: "virtual" }],
  ])("is understood: %s", (sql, step) => {
    expect(planOf(sql).steps).toMatchObject([step]);
  });

  it("tells indexes that are made for one run from those that stand", () => {
    const plan = planOf("SELECT * FROM t CROSS JOIN u ON u.x = t.c WHERE t.b > 1");

    expect(plan.steps).toMatchObject([
      { name: "t", access: "scan" },
      { name: "u", access: "search", by: "automatic", index: undefined },
    ]);
    expect(indexesOf(plan)).toEqual([]);
    expect(indexesOf(planOf("SELECT * FROM t WHERE a = 1"))).toEqual(["ta"]);
  });

  it("has its sorts, and is shown as a tree", () => {
    const plan = planOf("SELECT c FROM t WHERE a IN (SELECT x FROM u) ORDER BY c");

    expect(plan.sorts).toEqual([{ parent: 0, what: "ORDER BY" }]);
    expect(planText(plan)).toEqual([
      "SEARCH t USING INDEX ta (a=?)",
      "LIST SUBQUERY 1",
      "  SCAN u",
      "USE TEMP B-TREE FOR ORDER BY",
    ]);
  });
});

describe("a plan of an older SQLite", () => {
  it("says TABLE, and the alias behind AS", () => {
    expect(
      parsePlan(["SCAN TABLE tasks", "SEARCH TABLE weeks AS w USING INDEX i (a=?)"]).steps,
    ).toMatchObject([
      { access: "scan", by: "nothing", name: "tasks" },
      { access: "search", by: "index", index: "i", name: "w" },
    ]);
  });
});
