import { expect, test } from "vitest";
import { planSchema } from "../../src/migrate/plan.ts";
import { integer, Scratch, schema, table } from "./schemas.ts";

const weeks = table("weeks", [integer("n")]);
const tasks = table("tasks", [integer("week_id")], {
  foreignKeys: [
    {
      columns: ["week_id"],
      table: "weeks",
      references: ["id"],
      onDelete: "cascade",
      onUpdate: "no action",
    },
  ],
});

test("a column with a constant default is added in place, with its check and its reference", async () => {
  using scratch = new Scratch().create(schema([weeks, table("tasks", [])]));
  const desired = schema([
    weeks,
    {
      ...tasks,
      columns: [...tasks.columns, integer("score", { notNull: true, default: "-1" })],
      checks: [{ name: "ck_score", expression: "score >= -1" }],
    },
  ]);

  const { steps, foreignKeys } = planSchema(await scratch.schema(), desired);

  expect(steps.flatMap(({ sql }) => sql)).toEqual([
    'ALTER TABLE "tasks" ADD COLUMN "week_id" INTEGER REFERENCES "weeks" ("id") ' +
      "ON DELETE CASCADE ON UPDATE NO ACTION",
    'ALTER TABLE "tasks" ADD COLUMN "score" INTEGER NOT NULL DEFAULT (-1) ' +
      'CONSTRAINT "ck_score" CHECK (score >= -1)',
  ]);
  expect(steps[0]).toMatchObject({ rewritesTable: false, destructive: false });
  expect(foreignKeys).toBe("off");
});

test("names that differ in letters beyond ASCII are two columns, as SQLite has them", async () => {
  using scratch = new Scratch().create(schema([table("sizes", [integer("größe")])]));
  const desired = schema([table("sizes", [integer("größe"), integer("GRÖßE"), integer("GRÖSSE")])]);

  const { steps } = planSchema(await scratch.schema(), desired);
  scratch.run(steps);

  expect(steps.flatMap(({ sql }) => sql)).toEqual([
    'ALTER TABLE "sizes" ADD COLUMN "GRÖßE" INTEGER',
    'ALTER TABLE "sizes" ADD COLUMN "GRÖSSE" INTEGER',
  ]);
  expect(planSchema(await scratch.schema(), desired).steps).toEqual([]);
});

test("a rebuild loses no row of a table that refers to the rebuilt one", async () => {
  using scratch = new Scratch().create(schema([weeks, tasks]));
  scratch.database.exec("INSERT INTO weeks VALUES (1, 5), (2, 6)");
  scratch.database.exec("INSERT INTO tasks VALUES (1, 1), (2, 1), (3, 2)");
  const desired = schema([{ ...weeks, checks: [{ name: "ck_n", expression: "n > 0" }] }, tasks]);

  const plan = planSchema(await scratch.schema(), desired);
  scratch.run(plan.steps);

  expect(plan).toMatchObject({ foreignKeys: "off", steps: [{ rewritesTable: true }] });
  expect(scratch.rows("SELECT id, n FROM weeks")).toEqual([
    [1, 5],
    [2, 6],
  ]);
  expect(scratch.rows("SELECT count(*) FROM tasks")).toEqual([[3]]);
  expect(scratch.rows("PRAGMA foreign_key_check")).toEqual([]);
  expect(() => scratch.database.exec("INSERT INTO weeks VALUES (3, 0)")).toThrow("ck_n");
});

test("a rebuild keeps triggers, views, indexes and the rowids that a search table knows", async () => {
  using scratch = new Scratch();
  scratch.database.exec(`
    CREATE TABLE notes (id TEXT PRIMARY KEY, body TEXT);
    CREATE INDEX by_lower ON notes (lower(body));
    CREATE INDEX by_body ON notes (body DESC);
    CREATE TABLE log (body TEXT);
    CREATE VIEW bodies AS SELECT body FROM notes;
    CREATE VIEW long_bodies AS SELECT body FROM bodies WHERE length(body) > 3;
    CREATE TRIGGER notes_log AFTER INSERT ON notes BEGIN
      INSERT INTO log VALUES (NEW.body); END;
    CREATE TRIGGER log_look AFTER INSERT ON log BEGIN SELECT count(*) FROM long_bodies; END;
    CREATE VIRTUAL TABLE notes_search USING fts5 (body, content='notes');
    INSERT INTO notes (rowid, id, body) VALUES (7, 'a', 'spring'), (9, 'b', 'house');
    INSERT INTO notes_search (notes_search) VALUES ('rebuild');
  `);
  const current = await scratch.schema();
  const notes = { name: "notes", type: "TEXT", notNull: true };
  const desired = schema(
    [
      {
        ...table("notes", []),
        columns: [
          { ...notes, name: "id" },
          { ...notes, name: "body" },
        ],
        strict: true,
      },
    ],
    { indexes: current.indexes, objects: current.objects },
  );
  const before = scratch.rows("SELECT name FROM sqlite_schema WHERE type <> 'table' ORDER BY 1");

  const plan = planSchema(current, desired);
  scratch.run(plan.steps);
  scratch.database.exec("INSERT INTO notes VALUES ('c', 'water')");

  expect(scratch.rows("SELECT name FROM sqlite_schema WHERE type <> 'table' ORDER BY 1")).toEqual(
    before,
  );
  expect(
    scratch.rows(
      "SELECT n.id FROM notes_search s JOIN notes n ON n.rowid = s.rowid WHERE s.body = 'house'",
    ),
  ).toEqual([["b"]]);
  expect(scratch.rows("SELECT body FROM log")).toEqual([["spring"], ["house"], ["water"]]);
  expect(scratch.rows("SELECT body FROM long_bodies ORDER BY 1")).toEqual([
    ["house"],
    ["spring"],
    ["water"],
  ]);
});

test("a key that becomes the rowid takes its values from the old rowids and fills the search again", async () => {
  using scratch = new Scratch();
  scratch.database.exec(`
    CREATE TABLE notes (number INTEGER, body TEXT NOT NULL) STRICT;
    CREATE VIRTUAL TABLE notes_search USING fts5 (body, content='notes');
    INSERT INTO notes VALUES (70, 'spring'), (90, 'house');
    INSERT INTO notes_search (notes_search) VALUES ('rebuild');
  `);
  const body = { name: "body", type: "TEXT", notNull: true };
  const search = {
    kind: "virtual table" as const,
    name: "notes_search",
    table: "notes",
    sql: "CREATE VIRTUAL TABLE notes_search USING fts5 (body, content='notes')",
    fill: "INSERT INTO notes_search (notes_search) VALUES ('rebuild')",
  };
  const number = integer("number", { notNull: true });
  const keyed = { ...table("notes", []), columns: [number, body], primaryKey: ["number"] };
  const current = await scratch.schema();

  const plan = planSchema(current, schema([keyed], { objects: [search] }));
  scratch.run(plan.steps);
  const added = planSchema(
    { ...current, objects: [] },
    schema([{ ...table("notes", [body]), columns: [integer("id"), body] }]),
  );

  expect(scratch.rows("SELECT rowid FROM notes_search WHERE notes_search MATCH 'house'")).toEqual([
    [90],
  ]);
  expect(added.steps[0]?.sql[1]).toContain('("id", "body") SELECT rowid, "body"');
});

test("a column that becomes NOT NULL takes its default where rows have none, and the plan says so", async () => {
  using scratch = new Scratch().create(schema([weeks]));
  scratch.database.exec("INSERT INTO weeks VALUES (1, NULL), (2, 6)");
  const desired = schema([table("weeks", [integer("n", { notNull: true, default: "3" })])]);

  const plan = planSchema(await scratch.schema(), desired);
  scratch.run(plan.steps);

  expect(plan.hints).toEqual([
    "weeks.n becomes NOT NULL: rows that have NULL there get the default 3",
  ]);
  expect(scratch.rows("SELECT n FROM weeks")).toEqual([[3], [6]]);
});

test("what cannot be filled and what gets lost is said beforehand", async () => {
  using scratch = new Scratch();
  scratch.database.exec(
    "CREATE TABLE weeks (id INTEGER PRIMARY KEY AUTOINCREMENT, n INTEGER COLLATE NOCASE)",
  );
  const columns = [integer("n", { notNull: true }), integer("m", { notNull: true })];

  const { hints } = planSchema(await scratch.schema(), schema([table("weeks", columns)]));

  expect(hints).toEqual([
    expect.stringContaining("weeks.n becomes NOT NULL (INTEGER NOT NULL): it fails when"),
    expect.stringContaining("weeks.m is NOT NULL without a default"),
    "rebuilding weeks loses AUTOINCREMENT on id",
    "rebuilding weeks loses COLLATE NOCASE on n",
  ]);
});

test("what rows may not meet is said beforehand, and nothing of a new column", async () => {
  using scratch = new Scratch().create(schema([weeks]));
  const unique = { columns: [{ name: "n", descending: false }], unique: true };
  const desired = schema(
    [
      table("weeks", [integer("n", { type: "BLOB" }), integer("m"), integer("parent")], {
        uniques: [{ columns: ["n", "id"] }],
        checks: [{ expression: "n > 0" }, { expression: "m > 0" }],
        foreignKeys: tasks.foreignKeys.map((key) => ({ ...key, columns: ["n"] })),
      }),
    ],
    { indexes: [{ name: "by_n", table: "weeks", ...unique }] },
  );

  const { hints } = planSchema(await scratch.schema(), desired);

  expect(hints).toEqual([
    expect.stringContaining("weeks.n changes from INTEGER to BLOB: it fails when a value"),
    "weeks gets UNIQUE (n, id): it fails when rows are equal there",
    "weeks gets CHECK (n > 0): it fails when a row does not meet it",
    "weeks.n must refer to weeks: it fails when a row refers to nothing",
    "by_n makes weeks (n) unique: it fails when rows are equal there",
  ]);
});

test.each([
  ["INTEGER", "TEXT"],
  ["INTEGER", "REAL"],
  ["REAL", "TEXT"],
  ["TEXT", "ANY"],
])("%s becomes %s without a word, for every value fits", async (from, to) => {
  using scratch = new Scratch().create(schema([table("t", [integer("n", { type: from })])]));

  const plan = planSchema(
    await scratch.schema(),
    schema([table("t", [integer("n", { type: to })])]),
  );

  expect(plan.hints).toEqual([]);
});

test("a column that goes while another comes is not taken for a rename, only hinted at", async () => {
  using scratch = new Scratch().create(schema([weeks]));
  const desired = schema([table("weeks", [integer("number")])]);

  const plan = planSchema(await scratch.schema(), desired);

  expect(plan.operations.map(({ kind }) => kind)).toEqual(["add column", "drop column"]);
  expect(plan.hints).toEqual([expect.stringContaining("if weeks.n was renamed to number")]);
  expect(plan.steps).toMatchObject([{ destructive: true, irreversible: true }]);
});

test("declared renames keep the content of tables and columns, and lead back", async () => {
  const indexes = [
    {
      name: "by_n",
      table: "weeks",
      columns: [{ name: "n", descending: false }],
      unique: false,
      where: "n > 0",
    },
  ];
  const checked = { ...weeks, checks: [{ expression: "n <> 'n'" }] };
  using scratch = new Scratch().create(schema([checked, tasks], { indexes }));
  scratch.database.exec("CREATE TRIGGER tr AFTER UPDATE ON weeks BEGIN SELECT NEW.n; END");
  scratch.database.exec("INSERT INTO weeks VALUES (1, 5)");
  const [key] = tasks.foreignKeys;
  const desired = schema(
    [
      table("sprints", [integer("number")], { checks: [{ expression: "number <> 'n'" }] }),
      { ...tasks, foreignKeys: key === undefined ? [] : [{ ...key, table: "sprints" }] },
    ],
    {
      indexes: [
        {
          name: "by_n",
          table: "sprints",
          columns: [{ name: "number", descending: false }],
          unique: false,
          where: "number > 0",
        },
      ],
    },
  );

  const plan = planSchema(await scratch.schema(), desired, {
    renames: [
      { table: "weeks", to: "sprints" },
      { table: "sprints", column: "n", to: "number" },
    ],
  });
  scratch.run(plan.steps);
  const there = scratch.rows("SELECT id, number FROM sprints");
  scratch.run(plan.inverse);

  expect(plan.steps.map(({ summary }) => summary)).toEqual([
    "rename table weeks to sprints",
    "rename column sprints.n to number",
  ]);
  expect(plan).toMatchObject({ foreignKeys: "on", hints: [], undeclared: [expect.any(String)] });
  expect(there).toEqual([[1, 5]]);
  expect(scratch.rows("SELECT id, n FROM weeks")).toEqual([[1, 5]]);
});

test("a rename of what is not there, or to what is, is refused", async () => {
  using scratch = new Scratch().create(schema([weeks, tasks]));
  const current = await scratch.schema();
  const rename = (table: string, to: string, column?: string) => (): unknown =>
    planSchema(current, schema([weeks, tasks]), {
      renames: [{ table, to, ...(column !== undefined && { column }) }],
    });

  expect(rename("nothing", "x")).toThrow('there is no table named "nothing"');
  expect(rename("weeks", "tasks")).toThrow('there is already a table named "tasks"');
  expect(rename("weeks", "x", "y")).toThrow('there is no column of weeks named "y"');
  expect(rename("weeks", "id", "n")).toThrow('there is already a column of weeks named "id"');
  expect(rename("nothing", "x", "y")).toThrow(
    expect.objectContaining({ code: "INVALID_ARGUMENT" }),
  );
});

test("rows and times are estimated for steps that touch rows only", async () => {
  using scratch = new Scratch().create(schema([weeks, tasks]));
  const indexes = [
    {
      name: "by_week",
      table: "tasks",
      columns: [{ name: "week_id", descending: false }],
      unique: false,
    },
  ];
  const wider = { ...tasks, columns: [...tasks.columns, integer("score")] };
  const rows = new Map([
    ["weeks", 10],
    ["tasks", 1_000_000],
  ]);

  const { steps } = planSchema(
    await scratch.schema(),
    schema([{ ...weeks, strict: false }, wider], { indexes }),
    { rows },
  );

  expect(steps.map(({ rows: count, estimatedMs }) => [count, estimatedMs])).toEqual([
    [10, 1],
    [undefined, undefined],
    [1_000_000, 1_000],
  ]);
});

test("plans are made for SQLite only", async () => {
  using scratch = new Scratch();
  const current = await scratch.schema();

  expect(() => planSchema(current, { ...schema([]), dialect: "postgres" })).toThrow("SQLite only");
});
