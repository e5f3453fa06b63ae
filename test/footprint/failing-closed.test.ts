import { type RootOperationNode, sql } from "kysely";
import { jsonArrayFrom } from "kysely/helpers/sqlite";
import { describe, expect, it } from "vitest";
import { footprintOfNode } from "../../src/footprint/kysely.ts";
import { show } from "./support/show.ts";
import { atomsOf, db, schema } from "./support/weeks.ts";

const tasks = db.selectFrom("tasks").select("id");

describe("text in a template", () => {
  it("widens every table in scope when it names something", () => {
    const query = db
      .selectFrom(["tasks as t", "weeks as w"])
      .select(sql<string>`upper(title)`.as("u"))
      .where("t.id", "=", 1);

    expect(atomsOf(query)).toEqual(["tasks(*) where id = 1", "weeks(*)"]);
  });

  it("widens nothing when the builder's own nodes are its only names", () => {
    const query = tasks.where(sql<boolean>`length(${sql.ref("title")}) > ${3}`).where("id", "=", 1);

    expect(atomsOf(query)).toEqual(["tasks(id, title) where id = 1"]);
  });

  it("takes its neighbours' predicates when it would be grouped with them", () => {
    const loose = sql<boolean>`${sql.ref("title")} = 'x' or ${sql.ref("parent")} = 2`;

    expect(atomsOf(tasks.where("id", "=", 1).where(loose))).toEqual(["tasks(id, parent, title)"]);
    const bracketed = sql<boolean>`(${loose})`;
    expect(atomsOf(tasks.where("id", "=", 1).where(bracketed))).toEqual([
      "tasks(id, parent, title) where id = 1",
    ]);
  });

  it("is seen through when it wraps a reference, a table or a value", () => {
    const query = db
      .selectFrom(sql<{ id: number }>`${sql.table("tasks")}`.as("t"))
      .select("t.id")
      .where(sql.ref("t.id"), "=", sql<number>`${5}`);

    expect(atomsOf(query)).toEqual(["tasks(id) where id = 5"]);
  });

  it("may nest the rows of a select as JSON, as Kysely's helper does", () => {
    const query = db
      .selectFrom("weeks as w")
      .select((eb) =>
        jsonArrayFrom(
          eb.selectFrom("tasks as t").select("t.title").whereRef("t.week_id", "=", "w.id"),
        ).as("tasks"),
      )
      .where("w.id", "=", 7);

    expect(atomsOf(query)).toEqual([
      "weeks(id) where id = 7",
      "tasks(title, week_id) where week_id = 7",
    ]);
  });

  it("may not add a table to the select that it nests", () => {
    const nested = sql`(select count(*) from ${db.selectFrom("weeks").select("id")} as w, tasks)`;

    expect(atomsOf(tasks.where("id", "=", 1).select(nested.as("n")))).toEqual([
      "opaque: A template that reads a table is not understood.",
    ]);
  });

  it.each([
    ["a subquery", sql<boolean>`id in (select week_id from tasks)`],
    ["a table after IN", sql<boolean>`id in weeks`],
    ["a name that is in no table", sql<boolean>`elsewhere = 1`],
    ["a bracket too many", sql<boolean>`id = 1) or (1`],
    ["a comment", sql<boolean>`id = 1 -- or not`],
    ["another clause", sql<boolean>`id = 1 group by id`],
    ["a statement's end", sql<boolean>`id = 1; select 2`],
    ["a parameter of its own", sql<boolean>`id = ?1`],
    ["an open string", sql<boolean>`id = 'a`],
  ])("ends the reading with %s", (_what, condition) => {
    expect(atomsOf(tasks.where(condition))[0]).toMatch(/^opaque: /);
  });
});

describe("what is not understood", () => {
  it("is a table that cannot be read by its name", () => {
    expect(atomsOf(db.selectFrom("missing").select("id"))).toEqual([
      "opaque: missing is no table that can be read by its name.",
    ]);
    expect(atomsOf(db.selectFrom("other.tasks" as "tasks").selectAll())[0]).toMatch(/^opaque: /);
  });

  it("is a column that is nowhere, and a table after IN", () => {
    expect(atomsOf(tasks.where("nothing" as "id", "=", 1))[0]).toMatch(/^opaque: /);
    expect(atomsOf(tasks.where("id", "in", (eb) => eb.ref("title") as never))[0]).toMatch(
      /^opaque: IN/,
    );
  });

  it("is a lateral join, a modifier for locks, and a whole query of text", () => {
    const lateral = tasks.innerJoinLateral(db.selectFrom("weeks").selectAll().as("w"), (join) =>
      join.onTrue(),
    );

    expect(atomsOf(lateral)[0]).toMatch(/^opaque: A join/);
    expect(atomsOf(tasks.forUpdate())[0]).toMatch(/^opaque: A modifier/);
    expect(atomsOf({ compile: () => sql`select 1`.compile(db) })[0]).toMatch(/^opaque: A RawNode/);
  });

  it("is a node or a property that came with a newer builder", () => {
    const { query } = tasks.compile();

    const property = { ...query, qualify: { kind: "QualifyNode" } } as object as RootOperationNode;
    expect(show(footprintOfNode(property, schema))).toEqual([
      'opaque: "qualify" of a SelectQueryNode is not understood.',
    ]);
    const kind = { ...query, where: { kind: "WhereNode", where: { kind: "NewNode" } } };
    expect(show(footprintOfNode(kind as never, schema))).toEqual([
      "opaque: A node of kind NewNode is not understood.",
    ]);
  });
});

describe("a result that must not be kept", () => {
  it("comes from a statement that writes", () => {
    const writes = [
      db.insertInto("weeks").values({ id: 1, label: "a" }),
      db.updateTable("weeks").set({ label: "a" }),
      db.deleteFrom("weeks"),
      db
        .with("gone", (qb) => qb.deleteFrom("weeks").returning("id"))
        .selectFrom("gone")
        .selectAll(),
    ];

    for (const query of writes) expect(atomsOf(query)).toEqual(["refused: The statement writes."]);
  });

  it.each([
    ["random", sql`random()`],
    ["last_insert_rowid", sql`last_insert_rowid()`],
    ["current_timestamp", sql`current_timestamp`],
    ["my_function", sql`my_function(1)`],
    ["date", sql`date('now')`],
    ["date", sql`date(${sql.ref("title")}, 'localtime')`],
    ["strftime", sql`strftime('%Y', 'unixepoch')`],
    ["timediff", sql`timediff(1, 2)`],
  ])("comes from %s", (name, fragment) => {
    const [line] = atomsOf(tasks.select(fragment.as("x")));

    expect(line).toMatch(/^refused: /);
    expect(line).toContain(name);
  });

  it("does not come from a time that is given as a number", () => {
    const query = tasks.select((eb) => [
      eb.fn("date", ["score", sql.lit("unixepoch")]).as("a"),
      sql`strftime('%Y', ${sql.ref("score")}, 'unixepoch', '+1 day')`.as("b"),
    ]);
    const zoned = tasks.select(sql`date(${1}, 'unixepoch', 'localtime')`.as("a"));

    expect(atomsOf(query)).toEqual(["tasks(id, score)"]);
    expect(atomsOf(zoned)[0]).toMatch(/^refused: /);
    const bound = tasks.select((eb) => eb.fn("date", ["score", eb.val("unixepoch")]).as("a"));
    expect(atomsOf(bound)[0]).toMatch(/^refused: /);
  });
});

describe("a table function", () => {
  it("reads nothing but its arguments", () => {
    const query = db
      .selectFrom("tasks as t")
      .innerJoin(sql<{ value: string }>`json_each(${sql.ref("t.data")})`.as("j"), (join) =>
        join.onTrue(),
      )
      .select(["t.id", "j.value"])
      .where("t.week_id", "=", 1);

    expect(atomsOf(query)).toEqual(["tasks(data, id, week_id) where week_id = 1"]);
  });

  it("is not understood when it is another", () => {
    const query = db
      .selectFrom(sql<{ name: string }>`pragma_table_info('t')`.as("p"))
      .select("name");

    expect(atomsOf(query)).toEqual(["opaque: A table in a template is not understood."]);
  });
});
