import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { readingOfSql } from "../../src/footprint/explain.ts";
import { probeOf } from "./support/probe.ts";
import { show } from "./support/show.ts";

function open(): DatabaseSync {
  const connection = new DatabaseSync(":memory:");
  connection.exec(`
    CREATE TABLE weeks (id INTEGER PRIMARY KEY, label TEXT UNIQUE);
    CREATE TABLE tasks (id INTEGER PRIMARY KEY, label TEXT, score INTEGER);
    CREATE INDEX tasks_by_label ON tasks (label, score);
    CREATE TABLE "Words" (word TEXT PRIMARY KEY, label TEXT) WITHOUT ROWID;
    CREATE VIEW scores AS SELECT label, sum(score) AS total FROM tasks GROUP BY label;
    CREATE VIEW hidden AS SELECT weeks.id FROM weeks NATURAL JOIN "Words";
    CREATE VIEW lottery AS SELECT random() AS number;
    CREATE VIRTUAL TABLE notes USING fts5(text);
    CREATE TEMP TABLE scratch (id);
    ATTACH ':memory:' AS other;
    CREATE TABLE other.weeks_of_other (id);
  `);
  return connection;
}

const probe = probeOf(open());

function tablesOf(sql: string): string[] {
  return show(readingOfSql(sql, probe)).sort();
}

describe("the tables of raw SQL", () => {
  it.each([
    ["a table", "SELECT id FROM weeks", ["weeks(*)"]],
    ["a count", "SELECT count(*) FROM tasks", ["tasks(*)"]],
    ["an index that covers", "SELECT label, score FROM tasks WHERE label = ?", ["tasks(*)"]],
    ["a table without row numbers", "select * from words", ["words(*)"]],
    ["a subquery", "SELECT id IN (SELECT score FROM tasks) FROM weeks", ["tasks(*)", "weeks(*)"]],
    ["NATURAL", "SELECT 1 FROM weeks NATURAL JOIN tasks", ["tasks(*)", "weeks(*)"]],
    ["USING", "SELECT weeks.id FROM weeks JOIN words USING (label)", ["weeks(*)", "words(*)"]],
    ["a view", "SELECT total FROM scores", ["tasks(*)"]],
    ["a view with NATURAL", "SELECT * FROM hidden", ["weeks(*)", "words(*)"]],
    ["a view twice", "SELECT * FROM scores a JOIN scores b USING (label)", ["tasks(*)"]],
    ["no table", "VALUES (1), (2)", []],
    ["comments in front", "-- why\n/* how */ SELECT id FROM weeks", ["weeks(*)"]],
    [
      "a compound",
      "SELECT 1 UNION SELECT id FROM weeks EXCEPT SELECT score FROM tasks ORDER BY 1",
      ["tasks(*)", "weeks(*)"],
    ],
    [
      "a recursion",
      `WITH RECURSIVE r(n) AS (SELECT 1 UNION SELECT t.id FROM r JOIN tasks t ON t.score = r.n)
       SELECT * FROM r, weeks WHERE weeks.id = r.n`,
      ["tasks(*)", "weeks(*)"],
    ],
    [
      "an automatic index",
      "SELECT * FROM weeks a, tasks b WHERE a.label || '' = b.score || ''",
      ["tasks(*)", "weeks(*)"],
    ],
    [
      "a materialised table",
      "WITH m AS MATERIALIZED (SELECT * FROM tasks) SELECT * FROM m a, m b",
      ["tasks(*)"],
    ],
    [
      "a sorter and a window",
      "SELECT rank() OVER (PARTITION BY label ORDER BY score) FROM tasks ORDER BY 1 DESC",
      ["tasks(*)"],
    ],
    [
      "functions of JSON as tables",
      "SELECT value FROM weeks, json_each(weeks.label)",
      ["weeks(*)"],
    ],
    [
      "two of them",
      "SELECT a.value FROM json_each(?) a JOIN json_tree(?) b ON a.value = b.value",
      [],
    ],
  ])("are found for %s", (_what, sql, expected) => {
    expect(tablesOf(sql)).toEqual(expected);
  });
});

describe("raw SQL whose result must not be kept", () => {
  it.each([
    ["writes", "INSERT INTO weeks VALUES (1, 'a')", /writes/],
    ["writes and returns", "DELETE FROM weeks RETURNING id", /writes/],
    ["asks for a pragma", "PRAGMA user_version", /no query/],
    ["explains", "EXPLAIN SELECT 1", /no query/],
    ["begins a transaction", "BEGIN", /no query/],
    ["reads a virtual table", "SELECT * FROM notes", /virtual table: notes/],
    ["hides a virtual table", "SELECT 1 FROM notes NATURAL JOIN json_each(?)", /virtual table/],
    ["reads the shadow of one", "SELECT * FROM notes_data", /not followed/],
    ["reads a pragma as a table", "SELECT * FROM pragma_table_info('weeks')", /pragma_table_info/],
    [
      "hides a pragma",
      "SELECT 1 FROM pragma_table_list NATURAL JOIN json_each(?)",
      /virtual table/,
    ],
    ["reads the schema", "SELECT name FROM sqlite_schema", /not followed/],
    ["reads a temporary table", "SELECT * FROM scratch", /temporary or attached/],
    ["reads an attached database", "SELECT * FROM weeks_of_other", /temporary or attached/],
    ["draws lots", "SELECT random()", /random/],
    ["draws lots in a view", "SELECT number FROM lottery", /random/],
    ["reads the clock", "SELECT date('now')", /clock/],
    ["reads the clock in a word", "SELECT CURRENT_TIMESTAMP", /current_timestamp/],
    ["asks for what was written", "SELECT changes()", /changes/],
  ])("is SQL that %s", (_what, sql, reason) => {
    const [line] = tablesOf(sql);

    expect(line).toMatch(/^refused: /);
    expect(line).toMatch(reason);
  });

  it("calls a function of the program's own", () => {
    const connection = open();
    connection.function("weather", () => 1);

    const reading = readingOfSql("SELECT weather() FROM weeks", probeOf(connection));

    expect(show(reading)).toEqual([
      "refused: The function weather() is not known to depend on its arguments alone.",
    ]);
  });
});
