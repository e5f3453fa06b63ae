import { sql } from "kysely";
import { describe, expect, it } from "vitest";
import { atomsOf, db } from "./support/weeks.ts";

describe("the columns of a select", () => {
  it("are those it names, wherever they stand", () => {
    const query = db
      .selectFrom("tasks")
      .select("title")
      .where("week_id", ">", 3)
      .groupBy("tag")
      .orderBy("score");

    expect(atomsOf(query)).toEqual(["tasks(score, tag, title, week_id) where week_id > 3"]);
  });

  it("are none when rows are only counted", () => {
    const query = db.selectFrom("tasks").select((eb) => eb.fn.countAll().as("n"));

    expect(atomsOf(query)).toEqual(["tasks()"]);
  });

  it("are all the table has for a star", () => {
    expect(atomsOf(db.selectFrom("weeks").selectAll())).toEqual(["weeks(id, label)"]);
    const joined = db.selectFrom(["weeks as w", "tasks"]).selectAll("w");
    expect(atomsOf(joined)).toEqual(["weeks(id, label)", "tasks()"]);
  });

  it("are every logged update when the row number is read", () => {
    const query = db.selectFrom("tasks").select(sql.ref("rowid").as("r"));

    expect(atomsOf(query)).toEqual(["tasks(*)"]);
  });

  it("count in each table that has a name that could mean several", () => {
    const query = db.selectFrom(["weeks", "tasks"]).select("id").where("id", "=", 1);

    expect(atomsOf(query)).toEqual(["weeks(id)", "tasks(id)"]);
  });

  it("include those of windows, filters, cases and paths into JSON", () => {
    const query = db.selectFrom("tasks").select((eb) => [
      eb.fn
        .sum("score")
        .over((over) => over.partitionBy("week_id").orderBy("title"))
        .as("a"),
      eb.fn.countAll().filterWhere("tag", "=", "x").as("b"),
      eb.case().when("parent", "is", null).then(1).end().as("c"),
      eb
        .ref("data", "->>$")
        .key("a" as never)
        .as("d"),
    ]);

    expect(atomsOf(query)).toEqual(["tasks(data, parent, score, tag, title, week_id)"]);
  });

  it("may stand in upper case", () => {
    const query = db.selectFrom("TASKS as T" as "tasks as t").select("T.TITLE" as "t.title");

    expect(atomsOf(query)).toEqual(["tasks(title)"]);
  });

  it("are those of the source that SQLite means, where JavaScript would fold more letters", () => {
    const query = db
      .selectFrom(["weeks as \u212A" as "weeks as w", "tasks as k"])
      .select(["\u212A.id" as "w.id", "k.title"]);

    expect(atomsOf(query)).toEqual(["weeks(id)", "tasks(title)"]);
  });
});

describe("the predicate of an atom", () => {
  const tasks = db.selectFrom("tasks").select("id");

  it("keeps comparisons with values, converted as SQLite converts them", () => {
    expect(atomsOf(tasks.where("week_id", "=", 7))).toEqual([
      "tasks(id, week_id) where week_id = 7",
    ]);
    expect(atomsOf(tasks.where("week_id", "=", "7" as never))).toEqual([
      "tasks(id, week_id) where week_id = 7",
    ]);
    expect(atomsOf(tasks.where("title", "=", 7n as never))).toEqual([
      "tasks(id, title) where title = '7'",
    ]);
    // Bound as a real, it would be '7.0'.
    expect(atomsOf(tasks.where("title", "=", 7 as never))).toEqual(["tasks(id, title)"]);
    expect(atomsOf(tasks.where("parent", "is", null))).toEqual([
      "tasks(id, parent) where parent is null",
    ]);
    expect(atomsOf(tasks.where((eb) => eb(eb.val(3), "<", eb.ref("score"))))).toEqual([
      "tasks(id, score) where score > 3",
    ]);
  });

  it("keeps lists, ranges, alternatives and negations over one row", () => {
    expect(atomsOf(tasks.where("id", "in", [1, 2]))).toEqual(["tasks(id) where id in (1, 2)"]);
    expect(atomsOf(tasks.where("id", "not in", [1]))).toEqual(["tasks(id) where not id in (1)"]);
    expect(atomsOf(tasks.where((eb) => eb.between("id", 1, 5)))).toEqual([
      "tasks(id) where id >= 1 and id <= 5",
    ]);
    const either = tasks.where((eb) =>
      eb.or([eb("id", "=", 1), eb.not(eb.and([eb("id", ">", 5), eb("parent", "<>", 3)]))]),
    );
    expect(atomsOf(either)).toEqual([
      "tasks(id, parent) where id = 1 or not (id > 5 and parent <> 3)",
    ]);
  });

  it("leaves out what only SQLite can judge", () => {
    const other = [
      tasks.where("title", "like", "a%"),
      tasks.where((eb) => eb(eb.fn("length", ["title"]), "=", 3)),
      tasks.where((eb) => eb(eb.cast("title", "integer"), "=", 3)),
      tasks.where(sql<boolean>`${sql.ref("title")} collate nocase = ${"a"}`),
      tasks.where("title", "=", (eb) => eb.ref("title")),
      tasks.where("title", "=", 0.1 as never),
      tasks.where("title", "=", { toString: () => "a" } as never),
    ];

    for (const query of other) expect(atomsOf(query)).toEqual(["tasks(id, title)"]);
  });

  it("leaves out a test for truth, which is no equality", () => {
    expect(atomsOf(tasks.where("parent", "is", true as never))).toEqual(["tasks(id, parent)"]);
  });

  it("takes from an alternative over two rows what each row must meet", () => {
    const query = db
      .selectFrom(["weeks as w", "tasks as t"])
      .select("w.id")
      .where((eb) =>
        eb.or([
          eb.and([eb("w.id", "=", 1), eb("t.id", "=", 2)]),
          eb.and([eb("w.id", "=", 3), eb("t.title", "like", "x")]),
        ]),
      );

    expect(atomsOf(query)).toEqual([
      "weeks(id) where (id = 1 and opaque) or (id = 3 and opaque)",
      "tasks(id, title)",
    ]);
  });

  it("comes from WHERE and not from HAVING or FILTER", () => {
    const query = tasks
      .select((eb) => eb.fn.countAll().filterWhere("parent", "=", 2).as("n"))
      .where("score", "<", 9)
      .groupBy("id")
      .having("id", "=", 1);

    expect(atomsOf(query)).toEqual(["tasks(id, parent, score) where score < 9"]);
  });
});

describe("the atoms of a query", () => {
  it("are one for each occurrence of a table", () => {
    const query = db
      .selectFrom("tasks as a")
      .innerJoin("tasks as b", "b.parent", "a.id")
      .select("b.title")
      .where("a.week_id", "=", 1);

    expect(atomsOf(query)).toEqual([
      "tasks(id, week_id) where week_id = 1",
      "tasks(parent, title)",
    ]);
  });

  it("come from every arm of a compound", () => {
    const query = db
      .selectFrom("weeks")
      .select(["id", "label"])
      .where("id", "=", 1)
      .union(db.selectFrom("old_weeks").select(["id", "label"]).where("label", "=", "x"))
      .except(db.selectFrom("tasks").select(["id", "title as label"]))
      .orderBy("label");

    expect(atomsOf(query)).toEqual([
      "weeks(id, label) where id = 1",
      "old_weeks(id, label) where label = 'x'",
      "tasks(id, title)",
    ]);
  });

  it("come from subqueries, each with its own conditions and the columns it borrows", () => {
    const query = db
      .selectFrom("weeks as w")
      .select("w.label")
      .where((eb) =>
        eb.not(
          eb.exists(
            eb
              .selectFrom("tasks as t")
              .select("t.id")
              .whereRef("t.week_id", "=", "w.id")
              .where("t.score", ">", 2),
          ),
        ),
      )
      .where("w.id", "not in", db.selectFrom("old_weeks").select("id").where("label", "=", "a"));

    expect(atomsOf(query)).toEqual([
      "weeks(id, label)",
      "tasks(id, score, week_id) where score > 2",
      "old_weeks(id, label) where label = 'a'",
    ]);
  });

  it("come from derived tables and common tables, once", () => {
    const query = db
      .with("recent", (qb) => qb.selectFrom("tasks").selectAll().where("week_id", "=", 4))
      .selectFrom("recent as r")
      .innerJoin("recent as s", "r.id", "s.parent")
      .innerJoin(
        (eb) => eb.selectFrom("weeks").select("id as wid").as("d"),
        (join) => join.onTrue(),
      )
      .select(["r.title", "wid"]);

    expect(atomsOf(query)).toEqual([
      "tasks(data, id, parent, score, tag, title, week_id) where week_id = 4",
      "weeks(id)",
    ]);
  });

  it("come from both halves of a recursion", () => {
    const query = db
      .withRecursive("tree(id, depth)", (qb) =>
        qb
          .selectFrom("tasks")
          .select(["id", sql<number>`0`.as("depth")])
          .where("parent", "is", null)
          .unionAll(
            qb
              .selectFrom("tree")
              .innerJoin("tasks as t", "t.parent", "tree.id")
              .select(["t.id", sql<number>`tree.depth + 1`.as("depth")])
              .where("t.score", ">", 1),
          ),
      )
      .selectFrom("tree")
      .selectAll();

    expect(atomsOf(query)).toEqual([
      "tasks(id, parent) where parent is null",
      "tasks(*) where score > 1",
    ]);
  });

  it("include the table that a common table of the same name may read", () => {
    const query = db
      .with("weeks", (qb) => qb.selectFrom("weeks").select("id"))
      .selectFrom("weeks")
      .select("id");

    expect(atomsOf(query)).toEqual(["weeks(*)"]);
  });
});
