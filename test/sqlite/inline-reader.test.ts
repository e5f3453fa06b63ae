import { describe, expect, it, onTestFinished } from "vitest";
import { Connection } from "../../src/sqlite/connection.ts";
import { InlineReader, provesUniqueSearch } from "../../src/sqlite/inline-reader.ts";
import { sql, temporaryPath } from "./support.ts";

const SCHEMA = [
  "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, code TEXT UNIQUE, n INT)",
  "CREATE TABLE pair (a INT NOT NULL, b INT NOT NULL, v TEXT, PRIMARY KEY (a, b)) WITHOUT ROWID",
  "CREATE UNIQUE INDEX pair_v ON pair (v, a)",
  "CREATE TABLE uuid (id TEXT NOT NULL PRIMARY KEY, v INT)",
  "CREATE INDEX t_n ON t (n)",
  "CREATE VIEW named AS SELECT id, name FROM t",
];

function open(): { readonly writer: Connection; readonly inline: InlineReader } {
  const path = temporaryPath();
  const writer = new Connection({ path, readOnly: false, pragmas: ["journal_mode = WAL"] });
  for (const text of SCHEMA) writer.control(text);
  const inline = new InlineReader(path);
  onTestFinished(() => {
    inline.close();
    writer.close();
  });
  return { writer, inline };
}

describe("the plan of a statement", () => {
  it.each([
    "SELECT * FROM t WHERE id = ?",
    "SELECT * FROM t WHERE rowid = ?",
    "SELECT * FROM t AS x WHERE x.id = ? AND x.n > 5",
    "SELECT name FROM t WHERE id IN (?, ?, ?)",
    "SELECT * FROM t WHERE name = ?",
    "SELECT id FROM t WHERE code = ?",
    "SELECT * FROM t WHERE name = ? AND code IS NULL",
    "SELECT * FROM pair WHERE a = ? AND b = ?",
    "SELECT * FROM pair AS uuid WHERE a = ? AND b = ?",
    "SELECT * FROM pair WHERE v = ? AND a = ?",
    "SELECT v FROM uuid WHERE id = ?",
    "SELECT * FROM named WHERE id = ?",
    "SELECT count(*) FROM t WHERE id = ?",
  ])("of %s proves that it finds one row", (text) => {
    expect(provesUniqueSearch(open().inline.connection, text)).toBe(true);
  });

  it.each([
    "SELECT * FROM t",
    "SELECT * FROM t WHERE n = ?",
    "SELECT * FROM t WHERE id > ?",
    "SELECT * FROM t WHERE name > ?",
    "SELECT * FROM t WHERE code IS ?",
    "SELECT * FROM t WHERE code IS NULL",
    "SELECT * FROM pair WHERE a = ?",
    "SELECT * FROM pair AS uuid WHERE a = ?",
    "SELECT * FROM pair WHERE v = ?",
    "SELECT * FROM pair WHERE a = ? AND b > ?",
    "SELECT * FROM t JOIN uuid ON uuid.v = t.id WHERE t.id = ?",
    "SELECT * FROM t WHERE id IN (SELECT v FROM uuid)",
    "SELECT * FROM t WHERE id = ? OR name = ?",
    "SELECT (SELECT count(*) FROM t) FROM t WHERE id = ?",
    "SELECT * FROM t WHERE id = ? UNION ALL SELECT * FROM t WHERE id = ?",
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n LIMIT 9",
  ])("of %s proves nothing", (text) => {
    expect(provesUniqueSearch(open().inline.connection, text)).toBe(false);
  });
});

describe("an inline read", () => {
  it("gives the row with its columns", () => {
    const { writer, inline } = open();
    writer.run(sql("INSERT INTO t VALUES (1, 'a', NULL, 9007199254740993)"));

    const found = inline.tryRead(sql("SELECT id, n AS number FROM t WHERE id = ?", 1));
    const missing = inline.tryRead(sql("SELECT id, n AS number FROM t WHERE id = ?", 2));

    expect(found).toEqual({
      columns: [
        { name: "id", table: "t", column: "id" },
        { name: "number", table: "t", column: "n" },
      ],
      rows: [[1, 9_007_199_254_740_993n]],
      changes: 0,
    });
    expect(missing).toEqual({ ...found, rows: [] });
  });

  it("sees what was committed before it", () => {
    const { writer, inline } = open();
    const read = sql("SELECT name FROM t WHERE id = 1");
    expect(inline.tryRead(read)?.rows).toEqual([]);

    writer.run(sql("INSERT INTO t VALUES (1, 'a', NULL, 0)"));

    expect(inline.tryRead(read)?.rows).toEqual([["a"]]);
  });

  it("is declined for what is not proven short", () => {
    const { inline } = open();

    expect(inline.tryRead(sql("SELECT * FROM t"))).toBeUndefined();
    expect(inline.tryRead(sql("EXPLAIN SELECT * FROM t WHERE id = 1"))).toBeUndefined();
    expect(inline.tryRead(sql("PRAGMA table_info(t)"))).toBeUndefined();
  });

  it("is declined for many parameters and for long texts", () => {
    const { inline } = open();
    const marks = (count: number): string => Array(count).fill("?").join(",");
    const byIds = (count: number): ReturnType<InlineReader["tryRead"]> =>
      inline.tryRead({
        sql: `SELECT id FROM t WHERE id IN (${marks(count)})`,
        parameters: Array(count).fill(1),
      });

    expect(byIds(64)).toBeDefined();
    expect(byIds(65)).toBeUndefined();
    expect(
      inline.tryRead(sql(`SELECT id FROM t WHERE id IN (${Array(2_500).fill("1").join(",")})`)),
    ).toBeUndefined();
  });

  it("is declined while the database is busy, instead of waiting", () => {
    const path = temporaryPath();
    const writer = new Connection({ path, readOnly: false, pragmas: [] });
    onTestFinished(() => writer.close());
    writer.control("CREATE TABLE t (id INTEGER PRIMARY KEY)");
    using inline = new InlineReader(path);
    writer.control("BEGIN EXCLUSIVE");

    const started = performance.now();
    const result = inline.tryRead(sql("SELECT * FROM t WHERE id = 1"));

    expect(result).toBeUndefined();
    expect(performance.now() - started).toBeLessThan(50);
  });

  it("follows a change of the schema", () => {
    const { writer, inline } = open();
    writer.run(sql("INSERT INTO t VALUES (1, 'a', NULL, 0)"));
    const read = sql("SELECT * FROM t WHERE id = 1");
    const byName = sql("SELECT id FROM uuid WHERE id = 'x'");
    inline.tryRead(read);
    inline.tryRead(byName);

    writer.control("ALTER TABLE t ADD COLUMN extra DEFAULT 7");
    writer.control("DROP TABLE uuid");
    writer.control("CREATE TABLE uuid (id TEXT NOT NULL, v INT)");
    inline.schemaChanged();

    expect(inline.tryRead(read)?.columns.map(({ name }) => name)).toContain("extra");
    expect(inline.tryRead(byName)).toBeUndefined();
  });

  it("refuses a second statement in the text", () => {
    const { inline } = open();

    expect(() => inline.tryRead(sql("SELECT id FROM t WHERE id = 1; SELECT 2"))).toThrow(
      expect.objectContaining({ code: "STATEMENT_REFUSED" }),
    );
  });

  it("passes the errors of the engine on", () => {
    const { inline } = open();

    expect(() => inline.tryRead(sql("SELECT * FROM nothing"))).toThrow(
      expect.objectContaining({ code: "SQL", message: expect.stringContaining("nothing") }),
    );
  });

  it("goes to the threads when the statement turns out slow again and again", () => {
    const { writer, inline } = open();
    writer.run(sql("INSERT INTO t VALUES (1, 'a', NULL, 0)"));
    const slow = sql(`SELECT length(hex(zeroblob(${4_000_000 + 0})))  FROM t WHERE id = 1`);

    const answers = Array.from({ length: 5 }, () => inline.tryRead(slow) !== undefined);

    expect(answers[0]).toBe(true);
    expect(answers.at(-1)).toBe(false);
  });

  it("forgives one slow run", () => {
    const { writer, inline } = open();
    writer.run(sql("INSERT INTO t VALUES (1, 'a', NULL, 0)"));
    const read = (size: number): boolean =>
      inline.tryRead(sql("SELECT length(hex(zeroblob(?))) FROM t WHERE id = 1", size)) !==
      undefined;

    read(4_000_000);

    expect(read(1)).toBe(true);
  });
});
