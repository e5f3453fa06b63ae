import { describe, expect, it } from "vitest";
import { isBlank, refuseUnfit, statementFacts } from "../../src/sqlite/statement-text.ts";

describe("a statement that reads", () => {
  it.each([
    "SELECT 1",
    "select * from t",
    "  -- a note\n /* and\n another */ SELECT 1",
    ";; SELECT 1",
    "VALUES (1), (2)",
    "WITH a AS (SELECT 1) SELECT * FROM a",
    "WITH a(x) AS (SELECT 'DELETE'), b AS (SELECT 2) SELECT * FROM a, b",
    "WITH RECURSIVE a(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM a) SELECT n FROM a LIMIT 3",
    "with replace as (select 1 a) select * from replace",
    "WITH RECURSIVE replace(a) AS MATERIALIZED (SELECT 1), replace AS (SELECT 2) VALUES (1)",
    "SELECT 'insert into t', \"update\" FROM [delete]",
    "EXPLAIN DELETE FROM t",
    "EXPLAIN QUERY PLAN UPDATE t SET a = 1",
    "PRAGMA table_info(t)",
    "PRAGMA main.table_info('t')",
    "PRAGMA user_version",
    "PRAGMA integrity_check",
    "pragma foreign_key_check",
    "PRAGMA journal_mode",
    "PRAGMA foreign_keys",
    "PRAGMA synchronous;",
  ])("%s", (sql) => {
    expect(statementFacts(sql)).toMatchObject({ write: false, refusal: undefined });
  });
});

describe("a statement that writes", () => {
  it.each([
    ["INSERT INTO t VALUES (1)", true],
    ["replace into t values (1)", true],
    ["UPDATE t SET a = 1 RETURNING *", true],
    ["DELETE FROM t", true],
    ["WITH a AS (SELECT 1) INSERT INTO t SELECT * FROM a", true],
    ["WITH replace AS (SELECT 1) REPLACE INTO t SELECT * FROM replace", true],
    ["WITH a AS (SELECT ')') DELETE FROM t WHERE x IN (SELECT * FROM a)", true],
    ["CREATE TABLE t (a)", false],
    ["CREATE TABLE temperature (temp REAL)", false],
    ["DROP INDEX i", false],
    ["ALTER TABLE t ADD COLUMN b", false],
    ["ANALYZE", false],
    ["REINDEX t", false],
    ["PRAGMA user_version = 5", false],
    ["PRAGMA defer_foreign_keys = ON", false],
  ])("%s", (sql, dml) => {
    expect(statementFacts(sql)).toMatchObject({ write: true, dml, refusal: undefined });
  });

  it("is known to change the schema when it does", () => {
    expect(statementFacts("CREATE TABLE t (a)").ddl).toBe(true);
    expect(statementFacts("DELETE FROM t").ddl).toBe(false);
    expect(statementFacts("SELECT 1").ddl).toBe(false);
  });
});

describe("a statement that would change what others share", () => {
  it.each([
    ["BEGIN", "transaction()"],
    ["begin immediate", "transaction()"],
    ["COMMIT", "transaction()"],
    ["END", "transaction()"],
    ["ROLLBACK", "transaction()"],
    ["SAVEPOINT a", "nested transaction()"],
    ["RELEASE a", "nested transaction()"],
    ["ATTACH 'x.db' AS x", "a store of its own"],
    ["DETACH x", "a store of its own"],
    ["VACUUM", "while closed"],
    ["EXPLAIN BEGIN", "transaction()"],
    ["PRAGMA foreign_keys = OFF", 'foreignKeys: "off"'],
    ["PRAGMA main.foreign_keys(0)", 'foreignKeys: "off"'],
    ["EXPLAIN PRAGMA foreign_keys = 0", 'foreignKeys: "off"'],
    ['PRAGMA "journal_mode" = MEMORY', "options of open"],
    ["PRAGMA journal_mode(delete)", "options of open"],
    ["PRAGMA wal_checkpoint(TRUNCATE)", "options of open"],
    ["PRAGMA wal_checkpoint", "options of open"],
    ["PRAGMA optimize", "options of open"],
    ["PRAGMA writable_schema = 1", "options of open"],
    ["CREATE TEMP TABLE t (a)", "ordinary table"],
    ["CREATE TEMPORARY VIEW v AS SELECT 1", "ordinary table"],
    ["CREATE TABLE IF NOT EXISTS temp.t (a)", "ordinary table"],
    ['CREATE TABLE "temp".t (a)', "ordinary table"],
    ["", "it is empty"],
    [" -- nothing\n;", "it is empty"],
  ])("%s is refused with the call to use instead", (sql, instead) => {
    expect(() => refuseUnfit(sql)).toThrow(
      expect.objectContaining({
        code: "STATEMENT_REFUSED",
        message: expect.stringContaining(instead),
      }),
    );
  });
});

describe("the facts of a text", () => {
  it("are the same after thousands of other texts", () => {
    const before = statementFacts("SELECT 'kept'");

    for (let index = 0; index < 5_000; index++) statementFacts(`SELECT ${index}`);

    expect(statementFacts("SELECT 'kept'")).toEqual(before);
  });

  it("are found in a text of a megabyte without delay", () => {
    const long = `WITH a AS (SELECT '${"x".repeat(1_000_000)}') DELETE FROM t`;

    expect(statementFacts(long).write).toBe(true);
  });
});

describe("what follows a statement", () => {
  it.each(["", " ; ", "-- end", "/* end */;\n"])("%j is nothing", (rest) => {
    expect(isBlank(rest)).toBe(true);
  });

  it.each(["SELECT 2", "; DROP TABLE t", "-- note\nSELECT 1"])("%j is another one", (rest) => {
    expect(isBlank(rest)).toBe(false);
  });
});
