import type { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { coverageOf } from "../../src/capture/coverage.ts";
import {
  COUNT_BY_SHAPE,
  decodeLogRows,
  SELECT_FIRST_POSITION,
  SELECT_POSITION,
  SELECT_POSITION_AT,
  SELECT_ROWS,
  toPosition,
} from "../../src/capture/log-rows.ts";
import { ADD_TICK } from "../../src/capture/log-tables.ts";
import { SELECT_EXTENT, trimLog } from "../../src/capture/log-trim.ts";
import {
  cover,
  databaseOf,
  lastSequence,
  logAfter,
  logOf,
  rowsOf,
  shapesOf,
  tablesOf,
} from "./log-support.ts";

const TASKS = "CREATE TABLE tasks (id INTEGER PRIMARY KEY, label TEXT UNIQUE)";
const WEEKS = "CREATE TABLE Weeks (id INTEGER PRIMARY KEY)";

/** Tables that covering says have changed. */
function covering(db: DatabaseSync): readonly string[] {
  const before = lastSequence(db);
  cover(db);
  return logAfter(db, before).map(({ kind, table }) => `${kind} ${table}`);
}

describe("the cover of a file", () => {
  it("is made once, and then nothing is left to do", () => {
    using db = databaseOf(TASKS, WEEKS);
    const { tables } = cover(db);

    const again = coverageOf(tablesOf(db), shapesOf(db));

    expect(again.statements).toEqual([]);
    expect(tables.map(({ table, shape }) => [table.name, shape.table])).toEqual([
      ["tasks", "tasks"],
      ["Weeks", "weeks"],
    ]);
    expect(logAfter(db, 0).map(({ kind, table }) => `${kind} ${table}`)).toEqual([
      "table tasks",
      "table weeks",
    ]);
    expect(rowsOf(db, "PRAGMA integrity_check")).toEqual([["ok"]]);
  });

  it("is mended when a trigger was dropped or altered, and says that the table may have changed", () => {
    using db = databaseOf(TASKS, WEEKS);
    cover(db);
    db.exec("DROP TRIGGER springhouse_log_tasks_delete");

    expect(covering(db)).toEqual(["table tasks"]);
    expect(covering(db)).toEqual([]);
    expect(logOf(db, "INSERT INTO tasks VALUES (1, 'a')", "DELETE FROM tasks")).toHaveLength(2);
  });

  it("is made anew under a trigger that is newer, because the newest fires first", () => {
    using db = databaseOf(TASKS, WEEKS);
    cover(db);
    db.exec("CREATE TRIGGER x AFTER INSERT ON tasks BEGIN SELECT RAISE(IGNORE); END");
    const unseen = logOf(db, "INSERT INTO tasks VALUES (1, 'a')");

    const mended = covering(db);

    expect([unseen, mended]).toEqual([[], ["table tasks"]]);
    expect(logOf(db, "INSERT INTO tasks VALUES (2, 'b')")).toEqual(["insert tasks 2,'b'"]);
    expect(covering(db)).toEqual([]);
  });

  it("follows columns, keys and names that change, and gives each its own shape", () => {
    using db = databaseOf(TASKS, WEEKS);
    cover(db);

    db.exec(
      "ALTER TABLE tasks ADD COLUMN c; ALTER TABLE tasks ADD COLUMN d; ALTER TABLE tasks ADD e",
    );
    const widened = covering(db);
    const logged = logOf(
      db,
      "INSERT INTO tasks VALUES (1, 'a', 3, 4, 5)",
      "UPDATE tasks SET e = 6",
    );
    db.exec("CREATE UNIQUE INDEX tasks_c ON tasks (c)");
    const indexed = covering(db);
    db.exec(
      "ALTER TABLE Weeks RENAME TO tasks_x; ALTER TABLE tasks RENAME COLUMN label TO insert_",
    );
    const renamed = covering(db);

    expect([widened, indexed]).toEqual([["table tasks"], ["table tasks"]]);
    expect(logged).toEqual(["insert tasks 1,'a',3,4,5", "update tasks 1,'a',3,4,5,1,'a',3,4,6"]);
    expect(renamed.toSorted()).toEqual(["table tasks", "table tasks_x"]);
    expect(logOf(db, "REPLACE INTO tasks VALUES (2, 'b', 3, 0, 0)")).toEqual([
      "replaced tasks 1,'a',3,4,6",
      "insert tasks 2,'b',3,0,0",
    ]);
    expect(logOf(db, "INSERT INTO tasks_x VALUES (1)")).toEqual(["insert tasks_x 1"]);
    expect(covering(db)).toEqual([]);
  });

  it("is of triggers whose names no two tables share", () => {
    using db = databaseOf(
      'CREATE TABLE "a" (x)',
      'CREATE TABLE "a_insert" (x)',
      'CREATE TABLE "it\'s ""odd""" ("a ""b""" UNIQUE)',
    );
    cover(db);

    const log = logOf(
      db,
      'INSERT INTO "it\'s ""odd""" VALUES (1)',
      "INSERT INTO a_insert VALUES (2)",
      "INSERT INTO a VALUES (3)",
    );

    expect(log).toEqual(['insert it\'s "odd" 1', "insert a_insert 2", "insert a 3"]);
  });

  it("starts a new log when half of the old one is gone", () => {
    using db = databaseOf(TASKS);
    cover(db);
    db.exec(ADD_TICK);
    const [old = []] = rowsOf(db, SELECT_POSITION);
    db.exec("DROP TABLE springhouse_log_shapes");

    cover(db);

    expect(logOf(db, "INSERT INTO tasks VALUES (1, 'a')")).toEqual(["insert tasks 1,'a'"]);
    expect(rowsOf(db, SELECT_POSITION_AT, Number(old[0]))[0]?.[1]).not.toBe(old[1]);
  });
});

describe("reading the log", () => {
  it("says so when it does not know a shape", () => {
    using db = databaseOf(TASKS);
    cover(db);
    const rows = rowsOf(db, SELECT_ROWS, 0, 1_000, "[]", 10);

    expect(decodeLogRows(rows, new Map())).toEqual({ known: false, shape: 1 });
  });

  it("counts by table first, and leaves out those that are too many", () => {
    using db = databaseOf(TASKS, WEEKS);
    cover(db);
    const before = lastSequence(db);
    db.exec("INSERT INTO tasks VALUES (1, 'a'), (2, 'b'); INSERT INTO Weeks VALUES (1)");
    const last = lastSequence(db);

    const counts = rowsOf(db, COUNT_BY_SHAPE, before, last);
    const rows = rowsOf(db, SELECT_ROWS, before, last, "[1]", 10);

    expect(counts).toEqual([
      [1n, 2n],
      [2n, 1n],
    ]);
    expect(rows.map((row) => row[2])).toEqual([2n]);
  });

  it("gives positions that no other file has", () => {
    using one = databaseOf(TASKS);
    using two = databaseOf(TASKS);
    for (const db of [one, two]) {
      cover(db);
      db.exec(ADD_TICK);
    }

    const [a, b] = [one, two].map((db) => toPosition(rowsOf(db, SELECT_POSITION)[0] ?? []));

    expect(a?.sequence).toBe(b?.sequence);
    expect(a?.mark).not.toBe(b?.mark);
  });

  it("keeps the last row when the oldest go, and goes on counting", () => {
    using db = databaseOf(TASKS);
    cover(db);
    db.exec("INSERT INTO tasks VALUES (1, 'a'), (2, 'b')");
    const last = lastSequence(db);
    const trim = (upTo: number, rowsMax: number): void => {
      for (const { sql, parameters } of trimLog(upTo, rowsMax)) {
        db.prepare(sql).run(...(parameters as number[]));
      }
    };

    trim(1_000, 1);
    const first = toPosition(rowsOf(db, SELECT_FIRST_POSITION)[0] ?? []);
    trim(1_000, 1_000);

    expect(first.sequence).toBe(2);
    expect(rowsOf(db, SELECT_EXTENT)).toEqual([[BigInt(last + 1), BigInt(last + 2)]]);
    expect(logAfter(db, 0)).toEqual([]);
  });
});
