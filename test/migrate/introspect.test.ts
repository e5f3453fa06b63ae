import { expect, test } from "vitest";
import { introspect } from "../../src/migrate/introspect.ts";
import type { Session } from "../../src/store/store.ts";
import { Scratch } from "./schemas.ts";

test("a table made by hand is read with everything that counts", async () => {
  using scratch = new Scratch();
  scratch.database.exec(`
    CREATE TABLE weeks (id INTEGER PRIMARY KEY, label varchar(100) UNIQUE, "start" TEXT);
    CREATE TABLE tasks (
      id INTEGER PRIMARY KEY AUTOINCREMENT, -- the key, with a comma
      week_id INT NOT NULL REFERENCES weeks ON DELETE CASCADE,
      title TEXT NOT NULL DEFAULT 'a, b' COLLATE NOCASE CONSTRAINT short CHECK (length(title) < 10),
      state TEXT DEFAULT (lower('OPEN')),
      upper_title TEXT AS (upper(title)),
      CONSTRAINT one_per_week UNIQUE (week_id, "title"),
      CHECK (state IN ('open', 'done (really)')),
      FOREIGN KEY (week_id, title) REFERENCES weeks (id, label) DEFERRABLE INITIALLY DEFERRED
    );
  `);

  const { tables, features } = await scratch.schema();

  expect(tables[0]?.uniques).toEqual([{ columns: ["label"] }]);
  expect(tables[1]).toEqual({
    name: "tasks",
    columns: [
      { name: "id", type: "INTEGER", notNull: false },
      { name: "week_id", type: "INT", notNull: true },
      { name: "title", type: "TEXT", notNull: true, default: "'a, b'" },
      { name: "state", type: "TEXT", notNull: false, default: "lower('OPEN')" },
    ],
    primaryKey: ["id"],
    uniques: [{ name: "one_per_week", columns: ["week_id", "title"] }],
    checks: [
      { name: "short", expression: "length(title) < 10" },
      { expression: "state IN ('open', 'done (really)')" },
    ],
    foreignKeys: [
      {
        columns: ["week_id"],
        table: "weeks",
        references: ["id"],
        onDelete: "cascade",
        onUpdate: "no action",
      },
      {
        columns: ["week_id", "title"],
        table: "weeks",
        references: ["id", "label"],
        onDelete: "no action",
        onUpdate: "no action",
      },
    ],
    strict: false,
  });
  expect(features.get("tasks")).toEqual([
    "AUTOINCREMENT on id",
    "COLLATE NOCASE on title",
    "a generated value on upper_title",
    "DEFERRABLE on a constraint",
  ]);
});

test("indexes are read with order, uniqueness and condition; others are kept as text", async () => {
  using scratch = new Scratch();
  const expression = "CREATE INDEX by_lower ON t (lower(a))";
  const nocase = "CREATE INDEX by_nocase ON t (a COLLATE NOCASE)";
  scratch.database.exec(`
    CREATE TABLE t (a TEXT, b TEXT, PRIMARY KEY (b, a)) WITHOUT ROWID, STRICT;
    CREATE UNIQUE INDEX by_both ON t (a DESC, b) WHERE a > '(' AND b IS NOT NULL;
    ${expression}; ${nocase};
  `);

  const { tables, indexes, objects, features } = await scratch.schema();

  expect(tables[0]).toMatchObject({ primaryKey: ["b", "a"], strict: true });
  expect(features.get("t")).toEqual(["WITHOUT ROWID"]);
  expect(indexes).toEqual([
    {
      name: "by_both",
      table: "t",
      columns: [
        { name: "a", descending: true },
        { name: "b", descending: false },
      ],
      unique: true,
      where: "a > '(' AND b IS NOT NULL",
    },
  ]);
  expect(objects).toEqual([
    { kind: "index", name: "by_lower", table: "t", sql: expression },
    { kind: "index", name: "by_nocase", table: "t", sql: nocase },
  ]);
});

test("another database is refused, not misread", async () => {
  await expect(introspect({ dialect: "postgres" } as Session)).rejects.toMatchObject({
    code: "INVALID_ARGUMENT",
  });
});

test("views, triggers and virtual tables are objects; shadow tables and bookkeeping are nothing", async () => {
  using scratch = new Scratch();
  scratch.database.exec(`
    CREATE TABLE t (a TEXT);
    CREATE VIEW v AS SELECT a FROM t;
    CREATE TRIGGER tr AFTER INSERT ON t BEGIN SELECT 1; END;
    CREATE VIRTUAL TABLE t_search USING fts5 (a, content='t');
    CREATE TABLE schema_migrations (version INTEGER);
    CREATE TABLE springhouse_meta (key TEXT);
    CREATE INDEX meta_key ON springhouse_meta (key);
    CREATE TRIGGER meta_trigger AFTER INSERT ON springhouse_meta BEGIN SELECT 1; END;
    ANALYZE;
  `);

  const { tables, indexes, objects } = await scratch.schema();

  expect(tables.map(({ name }) => name)).toEqual(["t"]);
  expect(indexes).toEqual([]);
  expect(objects.map(({ kind, name, table }) => [kind, name, table])).toEqual([
    ["view", "v", undefined],
    ["trigger", "tr", "t"],
    ["virtual table", "t_search", undefined],
  ]);
});
