import fc from "fast-check";
import { expect, test } from "vitest";
import { diff, undeclaredIn } from "../../src/migrate/diff.ts";
import {
  type Constraint,
  describeAction,
  describeOperation,
  describeOperations,
  type Operation,
} from "../../src/migrate/operation.ts";
import { planSchema } from "../../src/migrate/plan.ts";
import { searchTable } from "../../src/schema/ddl-search.ts";
import type { PhysicalSchema } from "../../src/schema/physical.ts";
import { Scratch, schemas } from "./schemas.ts";

test("a schema that was just created compares equal to its declaration", async () => {
  await fc.assert(
    fc.asyncProperty(schemas, async (schema) => {
      using scratch = new Scratch().create(schema);

      const operations = diff(await scratch.schema(), schema, { undeclared: "drop" });

      expect(operations.map(describeOperation)).toEqual([]);
    }),
    { numRuns: 200 },
  );
});

test("the plan between any two schemas leads there, and its inverse leads back", async () => {
  await fc.assert(
    fc.asyncProperty(schemas, schemas, async (from, to) => {
      using scratch = new Scratch().create(from);
      const plan = planSchema(await scratch.schema(), to, { undeclared: "drop" });

      const there = await scratch.run(plan.steps).schema();
      const back = await scratch.run(plan.inverse).schema();

      expect(describeOperations(diff(there, to, { undeclared: "drop" }))).toEqual([]);
      expect(describeOperations(diff(back, from, { undeclared: "drop" }))).toEqual([]);
    }),
    { numRuns: 200 },
  );
});

test("nothing that only looks different is a difference", async () => {
  using scratch = new Scratch();
  scratch.database.exec(`
    create table Tasks (
      B text default ('x'), id integer primary key, a int default null check((A>0)), unique(id)
    );
    create index BY_A on tasks (A) where ((a > 0));
    create view V as select a from TASKS;
  `);
  const desired: PhysicalSchema = {
    dialect: "sqlite",
    tables: [
      {
        name: "tasks",
        columns: [
          { name: "id", type: "INTEGER", notNull: true },
          { name: "a", type: "INT", notNull: false },
          { name: "b", type: "TEXT", notNull: false, default: "'x'" },
        ],
        primaryKey: ["id"],
        uniques: [],
        checks: [{ name: "ck", expression: '"a" > 0' }],
        foreignKeys: [],
        strict: false,
      },
    ],
    indexes: [
      {
        name: "by_a",
        table: "tasks",
        columns: [{ name: "a", descending: false }],
        unique: false,
        where: "a > 0",
      },
    ],
    objects: [
      { kind: "view", name: "v", sql: 'CREATE VIEW IF NOT EXISTS "v" AS SELECT "a" FROM tasks;' },
    ],
  };

  expect(diff(await scratch.schema(), desired)).toEqual([]);
});

test("what nobody declared is left alone, except for our own triggers and search tables", async () => {
  using scratch = new Scratch();
  scratch.database.exec(`
    CREATE TABLE tasks (id INTEGER NOT NULL, PRIMARY KEY (id)) STRICT;
    CREATE TABLE other (id INTEGER PRIMARY KEY);
    CREATE TABLE springhouse_log (id INTEGER PRIMARY KEY);
    CREATE INDEX by_id ON tasks (id);
    CREATE INDEX other_id ON other (id);
    CREATE VIEW theirs AS SELECT 1;
    CREATE TRIGGER theirs_too AFTER INSERT ON tasks BEGIN SELECT 1; END;
    CREATE TRIGGER springhouse_audit_tasks_insert AFTER INSERT ON tasks BEGIN SELECT 1; END;
    CREATE TRIGGER springhouse_audit_other_insert AFTER INSERT ON other BEGIN SELECT 1; END;
    CREATE TABLE notes (id INTEGER NOT NULL, PRIMARY KEY (id)) STRICT;
    ${searchTable("tasks", ["a", "b c"]).sql};
    ${searchTable("other", ["a"]).sql};
    CREATE VIRTUAL TABLE notes_search USING fts5 (a);
  `);
  const current = await scratch.schema();
  const tables = current.tables.filter(({ name }) => ["tasks", "notes"].includes(name));
  const desired = { ...current, tables, indexes: [], objects: [] };

  expect(describeOperations(diff(current, desired))).toEqual([
    "index by_id on tasks is not declared",
    "trigger springhouse_audit_tasks_insert is not declared",
    "virtual table tasks_search is not declared",
  ]);
  expect(undeclaredIn(current, desired)).toEqual([
    "table other is not declared; it is left alone",
    "view theirs is not declared; it is left alone",
    "trigger theirs_too is not declared; it is left alone",
    "virtual table other_search is not declared; it is left alone",
    "virtual table notes_search is not declared; it is left alone",
  ]);
});

test("every difference has words for what is and for what to do", () => {
  const column = { name: "n", type: "", notNull: true, default: "1" };
  const key = {
    columns: ["a"],
    table: "weeks",
    references: ["id"],
    onDelete: "cascade",
    onUpdate: "no action",
  } as const;
  const rule = (constraint: Constraint): Operation => ({
    kind: "add constraint",
    table: "t",
    constraint,
  });
  const operations: readonly Operation[] = [
    { kind: "rename column", table: "t", column: "a", to: "b" },
    {
      kind: "change column",
      table: "t",
      from: { ...column, type: "TEXT", notNull: false },
      to: column,
    },
    rule({ type: "strict" }),
    rule({ type: "primary key", columns: ["a", "b"] }),
    rule({ type: "unique", columns: ["a"] }),
    rule({ type: "foreign key", key }),
  ];

  expect(operations.map(describeOperation)).toEqual([
    "column t.a is renamed to b",
    "column t.n is TEXT DEFAULT 1, declared of any type NOT NULL DEFAULT 1",
    "table t lacks the mark STRICT",
    "table t lacks PRIMARY KEY (a, b)",
    "table t lacks UNIQUE (a)",
    "table t lacks FOREIGN KEY (a) REFERENCES weeks (id) ON DELETE CASCADE ON UPDATE NO ACTION",
  ]);
  expect(operations.slice(0, 3).map(describeAction)).toEqual([
    "column t.a renamed to b",
    "change column t.n from TEXT DEFAULT 1 to of any type NOT NULL DEFAULT 1",
    "add the mark STRICT to t",
  ]);
});
