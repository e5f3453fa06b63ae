import type { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { logSelfTest } from "../../src/capture/log-self-test.ts";
import { LONG_VALUE } from "../../src/capture/log-tables.ts";
import { cover, databaseOf, lastSequence, logOf, rowsOf } from "./log-support.ts";

function covered(...statements: readonly string[]): DatabaseSync {
  const db = databaseOf(...statements);
  cover(db);
  return db;
}

const TASKS = "CREATE TABLE tasks (id INTEGER PRIMARY KEY, label TEXT UNIQUE, score)";

describe("the log of changes", () => {
  it("tells of rows that come, change and go", () => {
    using db = covered(TASKS);

    const log = logOf(
      db,
      "INSERT INTO tasks VALUES (1, 'a', 2)",
      "UPDATE tasks SET score = 2.0",
      "DELETE FROM tasks",
    );

    expect(log).toEqual([
      "insert tasks 1,'a',2",
      "update tasks 1,'a',2,1,'a',2r",
      "delete tasks 1,'a',2r",
    ]);
  });

  it("tells of an update that changes nothing a collation could see", () => {
    using db = covered("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT COLLATE NOCASE)");
    db.exec("INSERT INTO t VALUES (1, 'a')");

    const log = logOf(db, "UPDATE t SET name = 'A'");

    expect(log).toEqual(["update t 1,'a',1,'A'"]);
  });

  it("tells of rows that REPLACE has deleted, by each key of the table", () => {
    using db = covered(TASKS);
    db.exec("INSERT INTO tasks VALUES (1, 'a', 1), (2, 'b', 2), (3, 'c', 3)");

    const inserted = logOf(db, "REPLACE INTO tasks VALUES (1, 'b', 9)");
    const updated = logOf(db, "UPDATE OR REPLACE tasks SET label = 'b' WHERE id = 3");
    const moved = logOf(db, "UPDATE OR REPLACE tasks SET rowid = 3, score = 5 WHERE id = 3");

    expect(inserted).toEqual([
      "replaced tasks 1,'a',1",
      "replaced tasks 2,'b',2",
      "insert tasks 1,'b',9",
    ]);
    expect(updated).toEqual(["replaced tasks 1,'b',9", "update tasks 3,'c',3,3,'b',3"]);
    expect(moved).toEqual(["update tasks 3,'b',3,3,'b',5"]);
  });

  it("tells of rows that give way to a rowid under another name", () => {
    using alias = covered("CREATE TABLE t (id INTEGER PRIMARY KEY, v)");
    using plain = covered("CREATE TABLE t (rowid, v)");
    for (const db of [alias, plain]) db.exec("INSERT INTO t (oid, v) VALUES (1, 'a'), (2, 'b')");

    const update = "UPDATE OR REPLACE t SET oid = 2 WHERE oid = 1";

    expect(logOf(alias, update)).toEqual(["replaced t 2,'b'", "update t 1,'a',2,'a'"]);
    expect(logOf(plain, update)).toEqual(["replaced t NULL,'b'", "update t NULL,'a',NULL,'a'"]);
    expect(logOf(plain, "REPLACE INTO t (_rowid_, v) VALUES (2, 'c')")).toEqual([
      "replaced t NULL,'a'",
      "insert t NULL,'c'",
    ]);
  });

  it("keeps a row that was replaced by one with the same values, when nothing tells them apart", () => {
    using db = covered("CREATE TABLE t (v)");
    db.exec("INSERT INTO t VALUES ('a'), ('a')");

    const log = logOf(db, "UPDATE OR REPLACE t SET rowid = 2 WHERE rowid = 1");

    expect(log).toEqual(["replaced t 'a'", "update t 'a','a'"]);
  });

  it("tells of a row in the way of the default that REPLACE puts where NULL may not be", () => {
    using db = covered(
      "CREATE TABLE t (id INTEGER PRIMARY KEY, label TEXT NOT NULL DEFAULT 'x' UNIQUE)",
      "INSERT INTO t VALUES (1, 'x')",
    );

    const log = logOf(db, "REPLACE INTO t VALUES (2, NULL)");

    expect(log).toEqual(["replaced t 1,'x'", "insert t 2,'x'"]);
  });

  it("compares as the index does, not as the column", () => {
    using db = covered(
      "CREATE TABLE t (name TEXT COLLATE NOCASE, code TEXT)",
      "CREATE UNIQUE INDEX one ON t (name COLLATE BINARY)",
      "CREATE UNIQUE INDEX two ON t (code COLLATE NOCASE)",
    );
    db.exec("INSERT INTO t VALUES ('a', 'x'), ('A', 'y')");

    const log = logOf(db, "REPLACE INTO t VALUES ('c', 'X')");

    expect(log).toEqual(["replaced t 'a','x'", "insert t 'c','X'"]);
  });

  it("asks the condition of a partial index, and for the update that meets it", () => {
    using db = covered(
      "CREATE TABLE t (id INTEGER PRIMARY KEY, a, live)",
      "CREATE UNIQUE INDEX live ON t (a) WHERE live = 1 -- what is live",
    );
    db.exec("INSERT INTO t VALUES (1, 'a', 1), (2, 'a', 0), (3, 'a', 0)");

    const log = logOf(db, "UPDATE OR REPLACE t SET live = 1 WHERE id = 3");

    expect(log).toEqual(["replaced t 1,'a',1", "update t 3,'a',0,3,'a',1"]);
  });

  it("leaves out a row that was in the way of an upsert, and updated", () => {
    using db = covered(TASKS);
    db.exec("INSERT INTO tasks VALUES (1, 'a', 1)");

    const upsert =
      "INSERT INTO tasks VALUES (2, 'a', 7) ON CONFLICT (label) DO UPDATE SET score = 7";

    expect(logOf(db, upsert)).toEqual(["update tasks 1,'a',1,1,'a',7"]);
    expect(logOf(db, "INSERT OR IGNORE INTO tasks VALUES (3, 'a', 0)")).toEqual([
      "replaced tasks 1,'a',7",
    ]);
  });

  it("tells of a row that a foreign key has put in the way, after it was looked for", () => {
    using db = covered(
      `CREATE TABLE t (id INTEGER PRIMARY KEY,
        u INTEGER DEFAULT 9 UNIQUE REFERENCES t ON DELETE SET DEFAULT, w)`,
    );
    db.exec("INSERT INTO t VALUES (9, NULL, 'r'), (1, NULL, 's'), (2, 1, 't')");

    const log = logOf(db, "REPLACE INTO t VALUES (1, 9, 'new')");

    expect(rowsOf(db, "SELECT id FROM t ORDER BY +id")).toEqual([[1n], [9n]]);
    expect(log).toEqual([
      "replaced t 1,NULL,'s'",
      "update t 2,1,'t',2,9,'t'",
      "replaced t 2,9,'t'",
      "insert t 1,9,'new'",
    ]);
  });

  it("keeps a replaced row apart from one that has taken its key and changes again", () => {
    using db = covered(
      `CREATE TABLE t (a, c UNIQUE, p REFERENCES t (c) ON DELETE CASCADE ON UPDATE SET NULL)`,
    );
    db.exec("INSERT INTO t VALUES (1, 3, NULL), (5, 5, 5)");

    const log = logOf(db, "UPDATE OR REPLACE t SET c = 3 WHERE a = 5");

    expect(log.slice(0, 2)).toEqual(["replaced t 1,3,NULL", "update t 5,3,5,5,3,NULL"]);
  });

  it("follows foreign keys, rollbacks and tables without a rowid", () => {
    using db = covered(
      "CREATE TABLE p (a, b COLLATE NOCASE, PRIMARY KEY (a, b)) WITHOUT ROWID",
      "CREATE TABLE c (id INTEGER PRIMARY KEY, a, b, FOREIGN KEY (a, b) REFERENCES p ON DELETE CASCADE)",
    );

    const log = logOf(
      db,
      "INSERT INTO p VALUES (1, 'x')",
      "INSERT INTO c VALUES (5, 1, 'X')",
      "BEGIN; SAVEPOINT s; DELETE FROM c; ROLLBACK TO s; COMMIT",
      "REPLACE INTO p VALUES (1, 'X')",
    );

    expect(log).toEqual([
      "insert p 1,'x'",
      "insert c 5,1,'X'",
      "replaced p 1,'x'",
      "delete c 5,1,'X'",
      "insert p 1,'X'",
    ]);
  });

  it("marks long values, and those that SQLite computes on reading", () => {
    using db = covered("CREATE TABLE t (a TEXT, b BLOB, c AS (json_extract(a, '$')))");

    const log = logOf(
      db,
      `INSERT INTO t VALUES ('"${"é".repeat(511)}"', zeroblob(1025))`,
      `UPDATE t SET a = '"${"é".repeat(512)}"', b = x'${Buffer.from(LONG_VALUE).toString("hex")}'`,
    );

    expect(log).toEqual([
      `insert t '"${"é".repeat(511)}"',?,?`,
      `update t '"${"é".repeat(511)}"',?,?,?,?,?`,
    ]);
  });

  it("logs whole what is declared to be short, and is not", () => {
    using db = covered(
      'CREATE TABLE t (a VARCHAR(9), b TEXT CHECK (length("b") <= 1024), c VARCHAR(2000))',
    );
    const long = "é".repeat(600);

    const log = logOf(db, `INSERT INTO t VALUES ('${long}', '${long}', '${long}')`);

    expect(log).toEqual([`insert t '${long}','${long}',?`]);
  });

  it("does not make a write fail that reads nothing computed", () => {
    using db = covered(
      "CREATE TABLE t (a)",
      "INSERT INTO t VALUES ('no json')",
      "ALTER TABLE t ADD COLUMN b AS (json_extract(a, '$.x'))",
    );

    expect(logOf(db, "DELETE FROM t")).toEqual(["delete t 'no json',?"]);
  });

  it("changes nothing that a writer can see", () => {
    using db = covered(TASKS);
    db.exec("INSERT INTO tasks VALUES (1, 'a', 1), (2, 'b', 2)");

    const inserted = db.prepare("INSERT INTO tasks VALUES (7, 'c', 3)").run();
    const returned = db.prepare("REPLACE INTO tasks VALUES (1, 'c', 3) RETURNING id, score").all();
    const updated = db.prepare("UPDATE tasks SET score = 0").run();
    const counts = rowsOf(db, "SELECT changes(), last_insert_rowid()");

    expect(inserted).toEqual({ changes: 1, lastInsertRowid: 7 });
    expect(returned).toEqual([{ id: 1, score: 3 }]);
    expect(updated).toEqual({ changes: 2, lastInsertRowid: 1 });
    expect(counts).toEqual([[2n, 1n]]);
  });

  it.each(["IGNORE", "FAIL, 'no'"])("is not kept from its row by RAISE(%s)", (raise) => {
    using db = covered(
      TASKS,
      `CREATE TRIGGER i AFTER INSERT ON tasks BEGIN SELECT RAISE(${raise}); END`,
      `CREATE TRIGGER d AFTER DELETE ON tasks BEGIN SELECT RAISE(${raise}); END`,
    );
    const before = lastSequence(db);

    for (const sql of ["INSERT INTO tasks VALUES (1, 'a', 1)", "DELETE FROM tasks"]) {
      try {
        db.exec(sql);
      } catch {
        // FAIL keeps what was done.
      }
    }

    expect(rowsOf(db, "SELECT count(*) FROM tasks")).toEqual([[0n]]);
    expect(lastSequence(db)).toBe(before + 2);
  });

  it("proves on this SQLite what it relies on", () => {
    using db = covered(TASKS);
    const { statements, query } = logSelfTest();
    const sequence = lastSequence(db);

    db.exec("BEGIN IMMEDIATE");
    for (const sql of statements) db.exec(sql);
    const passed = rowsOf(db, query);
    db.exec("ROLLBACK");

    expect(passed).toEqual([[1n]]);
    expect(lastSequence(db)).toBe(sequence);
  });
});
