import { describe, expect, it } from "vitest";
import { atomsOf, db } from "./support/weeks.ts";

describe("the conditions of a join", () => {
  it("prune both sides of an inner join", () => {
    const query = db
      .selectFrom("weeks as w")
      .innerJoin("tasks as t", (join) =>
        join
          .onRef("t.score", "=", "w.id" as never)
          .on("t.title", "=", "x")
          .on("w.label", "=", "y"),
      )
      .select("t.id")
      .where("w.id", "<", 9);

    expect(atomsOf(query)).toEqual([
      "weeks(id, label) where label = 'y' and id < 9",
      "tasks(id, score, title) where title = 'x'",
    ]);
  });

  it("of a LEFT JOIN prune the missing side by ON and the kept side by WHERE", () => {
    const query = db
      .selectFrom("weeks as w")
      .leftJoin("tasks as t", (join) =>
        join
          .onRef("t.score", "=", "w.id" as never)
          .on("t.title", "=", "x")
          .on("w.label", "=", "y"),
      )
      .select("t.id")
      .where("w.id", "<", 9)
      .where("t.parent", "is", null);

    expect(atomsOf(query)).toEqual([
      "weeks(id, label) where id < 9",
      "tasks(id, parent, score, title) where title = 'x'",
    ]);
  });

  it("of a RIGHT JOIN are mirrored", () => {
    const query = db
      .selectFrom("weeks as w")
      .rightJoin("tasks as t", (join) =>
        join
          .onRef("t.score", "=", "w.id" as never)
          .on("t.title", "=", "x")
          .on("w.label", "=", "y"),
      )
      .select("t.id")
      .where("w.id", "<", 9)
      .where("t.parent", "is", null);

    expect(atomsOf(query)).toEqual([
      "weeks(id, label) where label = 'y'",
      "tasks(id, parent, score, title) where parent is null",
    ]);
  });

  it("prune nothing of a FULL JOIN", () => {
    const query = db
      .selectFrom("weeks as w")
      .fullJoin("tasks as t", (join) =>
        join
          .onRef("t.score", "=", "w.id" as never)
          .on("t.title", "=", "x")
          .on("w.label", "=", "y"),
      )
      .select("t.id")
      .where("w.id", "<", 9);

    expect(atomsOf(query)).toEqual(["weeks(id, label)", "tasks(id, score, title)"]);
  });

  it("no longer prune what a later join may replace by NULLs", () => {
    const query = db
      .selectFrom("weeks as w")
      .innerJoin("old_weeks as o", (join) => join.on("o.label", "=", "x"))
      .rightJoin("tasks as t", (join) => join.on("t.title", "=", "y"))
      .select("t.id")
      .where("w.label", "=", "z");

    expect(atomsOf(query)).toEqual([
      "weeks(label)",
      "old_weeks(label) where label = 'x'",
      "tasks(id, title)",
    ]);
  });
});

describe("a constant", () => {
  it("is carried by equality across inner joins, from table to table", () => {
    const query = db
      .selectFrom("weeks as w")
      .innerJoin("tasks as t", "t.week_id", "w.id")
      .innerJoin("tasks as u", "u.parent", "t.week_id")
      .select("u.title")
      .where("w.id", "=", 7);

    expect(atomsOf(query)).toEqual([
      "weeks(id) where id = 7",
      "tasks(week_id) where week_id = 7",
      "tasks(parent, title) where parent = 7",
    ]);
  });

  it("is carried as a list, too", () => {
    const query = db
      .selectFrom(["weeks as w", "tasks as t"])
      .select("t.title")
      .whereRef("w.id", "=", "t.week_id")
      .where("t.week_id", "in", [1, 2]);

    expect(atomsOf(query)).toEqual([
      "weeks(id) where id in (1, 2)",
      "tasks(title, week_id) where week_id in (1, 2)",
    ]);
  });

  it("is carried through a LEFT JOIN to the side that may be missing, and never back", () => {
    const query = db
      .selectFrom("weeks as w")
      .leftJoin("tasks as t", "t.week_id", "w.id")
      .select("t.title");

    expect(atomsOf(query.where("w.id", "=", 7))).toEqual([
      "weeks(id) where id = 7",
      "tasks(title, week_id) where week_id = 7",
    ]);
    expect(atomsOf(query.where("t.week_id", "=", 7))).toEqual([
      "weeks(id)",
      "tasks(title, week_id)",
    ]);
    const constantInOn = db
      .selectFrom("weeks as w")
      .leftJoin("tasks as t", (join) =>
        join.onRef("t.week_id", "=", "w.id").on("t.week_id", "=", 7),
      )
      .select("w.label");
    expect(atomsOf(constantInOn)).toEqual(["weeks(id, label)", "tasks(week_id) where week_id = 7"]);
  });

  it("is not carried between columns that compare differently", () => {
    const collated = db
      .selectFrom(["weeks as w", "tasks as t"])
      .select("t.id")
      .whereRef("w.label", "=", "t.tag")
      .where("t.tag", "=", "x");
    const typed = db
      .selectFrom(["weeks as w", "tasks as t"])
      .select("t.id")
      .whereRef("w.id", "=", "t.score")
      .where("w.id", "=", 1);

    expect(atomsOf(collated)).toEqual(["weeks(label)", "tasks(id, tag) where tag = 'x'"]);
    expect(atomsOf(typed)).toEqual(["weeks(id) where id = 1", "tasks(id, score)"]);
  });

  it("is carried into a subquery that runs for rows that have passed WHERE", () => {
    const query = db
      .selectFrom("weeks as w")
      .select((eb) => [
        eb
          .selectFrom("tasks as t")
          .select((of) => of.fn.countAll().as("n"))
          .whereRef("t.week_id", "=", "w.id")
          .as("n"),
      ])
      .where("w.id", "=", 7);

    expect(atomsOf(query)).toEqual(["weeks(id) where id = 7", "tasks(week_id) where week_id = 7"]);
  });

  it("is not carried into a subquery of ON, which runs before", () => {
    const query = db
      .selectFrom("weeks as w")
      .leftJoin("old_weeks as o", (join) =>
        join.on((eb) =>
          eb.exists(eb.selectFrom("tasks as t").select("t.id").whereRef("t.week_id", "=", "w.id")),
        ),
      )
      .select("o.label")
      .where("w.id", "=", 7);

    expect(atomsOf(query)).toEqual([
      "weeks(id) where id = 7",
      "old_weeks(label)",
      "tasks(id, week_id)",
    ]);
  });
});
