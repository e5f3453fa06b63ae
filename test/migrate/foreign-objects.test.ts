/** What nobody declares and a plan must not break: views, triggers and indexes of somebody else. */

import { expect, test } from "vitest";
import { planSchema } from "../../src/migrate/plan.ts";
import type { PhysicalColumn } from "../../src/schema/physical.ts";
import { integer, Scratch, schema, table } from "./schemas.ts";

const text = (name: string, facts: Partial<PhysicalColumn> = {}): PhysicalColumn =>
  integer(name, { type: "TEXT", ...facts });
const tasks = table("tasks", [text("title"), integer("n")]);
const weeks = table("weeks", [text("title")]);
const rebuilt = { checks: [{ name: "ck", expression: "id > 0" }] };

test("a column of the same name in a view of another table is not renamed with it", async () => {
  using scratch = new Scratch().create(schema([tasks, weeks]));
  scratch.database.exec("CREATE VIEW v AS SELECT title FROM weeks");
  scratch.database.exec("INSERT INTO weeks VALUES (1, 'first')");
  const renamed = table("tasks", [text("name"), integer("n")]);
  const desired = schema([renamed, { ...weeks, ...rebuilt }]);

  const plan = planSchema(await scratch.schema(), desired, {
    renames: [{ table: "tasks", column: "title", to: "name" }],
  });
  scratch.run(plan.steps);
  const there = scratch.rows("SELECT title FROM v");
  scratch.run(plan.inverse);

  expect([there, scratch.rows("SELECT title FROM v")]).toEqual([[["first"]], [["first"]]]);
});

test("an index over an expression survives a rebuild and follows a rename", async () => {
  using scratch = new Scratch().create(schema([tasks]));
  scratch.database.exec("CREATE INDEX by_title ON tasks (lower(title))");
  const desired = schema([{ ...table("tasks", [text("name"), integer("n")]), ...rebuilt }]);

  const plan = planSchema(await scratch.schema(), desired, {
    renames: [{ table: "tasks", column: "title", to: "name" }],
  });
  const index = (): unknown => scratch.rows("SELECT sql FROM sqlite_schema WHERE name='by_title'");
  scratch.run(plan.steps);
  const there = index();
  scratch.run(plan.inverse);

  expect(there).toEqual([['CREATE INDEX by_title ON tasks (lower("name"))']]);
  expect(index()).toEqual([['CREATE INDEX by_title ON tasks (lower("title"))']]);
});

test("an index over an expression goes with its column and comes back with it", async () => {
  using scratch = new Scratch().create(schema([tasks]));
  scratch.database.exec("CREATE INDEX by_n ON tasks (n + 1)");
  const current = await scratch.schema();

  const plan = planSchema(current, schema([table("tasks", [text("title")])]));
  scratch.run(plan.steps);
  scratch.run(plan.inverse);

  expect(plan.steps.map(({ summary }) => summary)).toEqual([
    "drop index by_n",
    "alter table tasks: drop column tasks.n",
  ]);
  expect((await scratch.schema()).objects).toEqual(current.objects);
});

test("a declared index takes the place of one over an expression", async () => {
  using scratch = new Scratch().create(schema([tasks]));
  scratch.database.exec("CREATE INDEX by_title ON tasks (title COLLATE NOCASE)");
  const current = await scratch.schema();
  const columns = [{ name: "title", descending: false }];
  const indexes = [{ name: "by_title", table: "tasks", columns, unique: false }];

  const plan = planSchema(current, schema([tasks], { indexes }));
  scratch.run(plan.steps);
  const there = await scratch.schema();
  scratch.run(plan.inverse);

  expect(there).toMatchObject({ indexes, objects: [] });
  expect((await scratch.schema()).objects).toEqual(current.objects);
});

test("a table gets its name in other letters, with what refers to it", async () => {
  using scratch = new Scratch().create(schema([tasks]));
  scratch.database.exec("CREATE VIEW v AS SELECT title FROM tasks");
  scratch.database.exec("INSERT INTO tasks VALUES (1, 'first', 1)");
  const desired = schema([{ ...tasks, name: "Tasks" }]);

  const plan = planSchema(await scratch.schema(), desired, {
    renames: [{ table: "tasks", to: "Tasks" }],
  });
  scratch.run(plan.steps);
  const there = (await scratch.schema()).tables.map(({ name }) => name);
  scratch.run(plan.inverse);

  expect(there).toEqual(["Tasks"]);
  expect((await scratch.schema()).tables.map(({ name }) => name)).toEqual(["tasks"]);
  expect(scratch.rows("SELECT title FROM v")).toEqual([["first"]]);
});

test("a table without rowid is rebuilt under a new name", async () => {
  using scratch = new Scratch();
  scratch.database.exec("CREATE TABLE old (id TEXT PRIMARY KEY, n INTEGER) WITHOUT ROWID");
  scratch.database.exec("INSERT INTO old VALUES ('a', 5)");
  const named = { ...table("new", []), columns: [text("id", { notNull: true }), integer("n")] };

  const plan = planSchema(await scratch.schema(), schema([named]), {
    renames: [{ table: "old", to: "new" }],
  });
  scratch.run(plan.steps);

  expect(plan.hints).toContain("rebuilding new loses WITHOUT ROWID");
  expect(scratch.rows("SELECT id, n FROM new")).toEqual([["a", 5]]);
});

test("what uses a column that goes is named, for SQLite does not notice before it is used", async () => {
  using scratch = new Scratch().create(schema([tasks]));
  scratch.database.exec("CREATE VIEW v AS SELECT n FROM tasks");
  scratch.database.exec("CREATE VIEW other AS SELECT title FROM tasks");
  scratch.database.exec("CREATE TRIGGER tr AFTER INSERT ON tasks BEGIN SELECT NEW.n; END");

  const { hints } = planSchema(await scratch.schema(), schema([table("tasks", [text("title")])]));

  expect(hints).toEqual([
    expect.stringContaining("view v mentions n: if that is tasks.n, which goes, it fails"),
    expect.stringContaining("trigger tr mentions n"),
  ]);
});

test("a column that was computed keeps its values when it is declared as a plain one", async () => {
  using scratch = new Scratch();
  scratch.database.exec(
    "CREATE TABLE Tasks (id INTEGER PRIMARY KEY, title, low AS (lower(title)))",
  );
  scratch.database.exec("INSERT INTO tasks VALUES (1, 'First')");
  const current = await scratch.schema();
  const desired = schema([table("tasks", [text("title"), text("low")])]);

  const plan = planSchema(current, desired);
  scratch.run(plan.steps);

  expect(plan.hints).toContain("rebuilding Tasks loses a generated value on low");
  expect(scratch.rows("SELECT id, title, low FROM tasks")).toEqual([[1, "First", "first"]]);
  expect(planSchema(await scratch.schema(), desired).steps).toEqual([]);
});
