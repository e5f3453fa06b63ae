import { describe, expect, it, onTestFinished } from "vitest";
import { Connection } from "../../src/sqlite/connection.ts";
import { STATEMENTS_MAX, StatementCache } from "../../src/sqlite/statement-cache.ts";
import { countPlaceholders } from "../../src/sqlite/statement-text.ts";
import { sql, temporaryPath } from "./support.ts";

const BIG = 9_007_199_254_740_993n;

function connect(schema = "", path = temporaryPath()): Connection {
  const connection = new Connection({ path, readOnly: false, pragmas: [] });
  onTestFinished(() => connection.close());
  if (schema !== "") connection.control(schema);
  return connection;
}

describe("a connection", () => {
  it("gives rows as arrays, with the names and the origins of their columns", () => {
    const connection = connect("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT)");
    connection.run(sql("INSERT INTO t (name) VALUES (?), (?)", "a", "b"));

    const result = connection.run(sql("SELECT name AS n, id + 1 AS next FROM t AS x"));

    expect(result).toEqual({
      columns: [
        { name: "n", table: "t", column: "name" },
        { name: "next", table: null, column: null },
      ],
      rows: [
        ["a", 2],
        ["b", 3],
      ],
      changes: 0,
    });
  });

  it("keeps every kind of value as it is", () => {
    const connection = connect("CREATE TABLE t (v)");
    const values = [null, 1, -7, 1.5, BIG, "ä\u{1F600}\0z", new Uint8Array([0, 255, 7])];

    for (const value of values) connection.run(sql("INSERT INTO t VALUES (?)", value));

    expect(connection.run(sql("SELECT v FROM t")).rows).toEqual(values.map((value) => [value]));
    expect(connection.readAll(sql("SELECT v FROM t")).rows).toEqual(values.map((v) => [v]));
  });

  it("gives numbers where they are exact and bigints where they are not, RETURNING included", () => {
    const connection = connect("CREATE TABLE t (v INTEGER)");

    const { rows, changes } = connection.run(
      sql("INSERT INTO t VALUES (1), (?), (?) RETURNING v", BIG, Number.MAX_SAFE_INTEGER),
    );

    expect(rows).toEqual([[1], [BIG], [Number.MAX_SAFE_INTEGER]]);
    expect(changes).toBe(3);
    expect(connection.ask("SELECT count(*) FROM t")).toEqual([3]);
  });

  it("tells the lowest integer from a real number of the same value", () => {
    const connection = connect("CREATE TABLE t (v)");
    const lowest = -(2n ** 63n);
    connection.run(sql("INSERT INTO t VALUES (?), (?), (1)", lowest, Number(lowest)));
    const read = sql("SELECT v FROM t");
    using cursor = connection.openCursor(read);

    expect(connection.readAll(read).rows).toEqual([[lowest], [Number(lowest)], [1]]);
    expect([cursor.next(2), cursor.next(2)]).toEqual([
      { rows: [[lowest], [Number(lowest)]], done: false },
      { rows: [[1]], done: true },
    ]);
  });

  it("counts changed rows for statements that change rows, and only for them", () => {
    const connection = connect("CREATE TABLE t (v)");

    const changes = [
      "INSERT INTO t VALUES (1), (2)",
      "UPDATE t SET v = v + 1",
      "CREATE TABLE u (v)",
      "SELECT * FROM t",
      "UPDATE t SET v = 0 WHERE v = 99",
      "DELETE FROM t WHERE v = 2 RETURNING v",
    ].map((text) => connection.run(sql(text)).changes);

    expect(changes).toEqual([2, 2, 0, 0, 0, 1]);
  });

  it("runs one statement for many rows and counts what they changed", () => {
    const connection = connect("CREATE TABLE t (v UNIQUE)");

    const changes = connection.runMany("INSERT OR IGNORE INTO t VALUES (?)", [[1], [2], [1]]);

    expect(changes).toBe(2);
  });

  it("sees a changed schema through statements that it prepared before", () => {
    const connection = connect("CREATE TABLE t (a)");
    connection.run(sql("INSERT INTO t VALUES (1)"));
    connection.run(sql("SELECT * FROM t"));

    connection.run(sql("ALTER TABLE t RENAME COLUMN a TO b"));
    connection.run(sql("ALTER TABLE t ADD COLUMN c DEFAULT 5"));

    const result = connection.run(sql("SELECT * FROM t"));
    expect(result.columns.map(({ name }) => name)).toEqual(["b", "c"]);
    expect(result.rows).toEqual([[1, 5]]);
  });

  it("takes no partial index for values that it does not have, whoever has made it", () => {
    const connection = connect("CREATE TABLE t (state, v)");
    const other = connect("", connection.path);
    connection.run(sql("INSERT INTO t VALUES (1, 'one'), (2, 'two')"));
    const find = "SELECT v FROM t WHERE state = ?";
    const found = (state: number): unknown => connection.run(sql(find, state)).rows;
    expect([found(1), found(2)]).toEqual([[["one"]], [["two"]]]);

    other.run(sql("CREATE INDEX t_one ON t (v) WHERE state = 1"));
    expect([found(1), found(2)]).toEqual([[["one"]], [["two"]]]);

    connection.run(sql("DROP INDEX t_one"));
    connection.control("BEGIN");
    expect(found(2)).toEqual([["two"]]);
    connection.run(sql("CREATE INDEX t_one ON t (v) WHERE state = 1"));
    expect([found(1), found(2)]).toEqual([[["one"]], [["two"]]]);
    connection.control("COMMIT");
  });

  it("explains a statement by the schema as it is, whoever has changed it", () => {
    const connection = connect("CREATE TABLE t (a)");
    const other = connect("", connection.path);
    const plan = "EXPLAIN QUERY PLAN SELECT a FROM t WHERE a = 1";
    const detailOf = (row: readonly unknown[] | undefined): unknown => row?.[3];
    expect(detailOf(connection.run(sql(plan)).rows[0])).toBe("SCAN t");

    other.run(sql("CREATE INDEX t_a ON t (a)"));

    const search = "SEARCH t USING COVERING INDEX t_a (a=?)";
    expect(detailOf(connection.askAll(plan)[0])).toBe(search);
    other.run(sql("DROP INDEX t_a"));
    expect(detailOf(connection.run(sql(plan)).rows[0])).toBe("SCAN t");
    other.run(sql("CREATE INDEX t_a ON t (a)"));
    expect(detailOf(connection.readAll(sql(plan)).rows[0])).toBe(search);
  });

  it("tells what a statement would touch by the schema as it is", () => {
    const connection = connect("CREATE TABLE t (a)");
    const other = connect("CREATE TABLE u (a)", connection.path);
    other.run(sql("CREATE VIEW v AS SELECT a FROM t"));
    connection.run(sql("SELECT * FROM v"));
    other.run(sql("DROP VIEW v"));
    other.run(sql("CREATE VIEW v AS SELECT a FROM u"));
    const tables = new Set<unknown>();

    connection.inspect("SELECT * FROM v", ({ first }) => tables.add(first));

    expect([...tables]).toContain("u");
    expect([...tables]).not.toContain("t");
  });

  it("refuses several statements in one text and runs none of them", () => {
    const connection = connect("CREATE TABLE t (v)");

    expect(() => connection.run(sql("INSERT INTO t VALUES (1); DROP TABLE t"))).toThrow(
      expect.objectContaining({ code: "STATEMENT_REFUSED" }),
    );
    expect(connection.run(sql("INSERT INTO t VALUES (2); -- end")).changes).toBe(1);
    expect(connection.ask("SELECT count(*) FROM t")).toEqual([1]);
  });

  it.each(["-- a note\nSELECT 1", "/* x */ SELECT 1;", ";; SELECT 1 ;;", "SELECT 1 -- ä\n;"])(
    "runs %j as the one statement that it is",
    (text) => {
      expect(connect("").run(sql(text)).rows).toEqual([[1]]);
    },
  );

  it("takes a trigger, which has semicolons inside, for one statement", () => {
    const connection = connect("CREATE TABLE t (v)");

    connection.run(
      sql("CREATE TRIGGER g AFTER INSERT ON t BEGIN DELETE FROM t; DELETE FROM t; END;"),
    );

    expect(connection.ask("SELECT count(*) FROM sqlite_schema WHERE type = 'trigger'")).toEqual([
      1,
    ]);
  });

  it.each([[[]], [[1, 2]]])("refuses %j as the values of one placeholder", (values) => {
    const connection = connect("CREATE TABLE t (v)");

    expect(() => connection.run({ sql: "INSERT INTO t VALUES (?)", parameters: values })).toThrow(
      expect.objectContaining({ code: "INVALID_ARGUMENT" }),
    );
    expect(connection.ask("SELECT count(*) FROM t")).toEqual([0]);
  });
});

describe("a cursor", () => {
  it("reads in chunks and says when it is done", () => {
    const connection = connect("CREATE TABLE t (v)");
    for (let v = 0; v < 5; v++) connection.run(sql("INSERT INTO t VALUES (?)", v));

    using cursor = connection.openCursor(sql("SELECT v FROM t ORDER BY v"));

    expect(cursor.next(2)).toEqual({ rows: [[0], [1]], done: false });
    expect(cursor.next(2)).toEqual({ rows: [[2], [3]], done: false });
    expect(cursor.next(2)).toEqual({ rows: [[4]], done: true });
  });

  it("ends a chunk early when its rows are large", () => {
    const connection = connect("CREATE TABLE t (v)");
    for (let v = 0; v < 10; v++) connection.run(sql("INSERT INTO t VALUES (zeroblob(100000))"));

    using cursor = connection.openCursor(sql("SELECT v FROM t"));

    expect(cursor.next(500).rows.length).toBe(3);
  });

  it.each([0, 3])("finds an integer beyond 2^53 in row %i", (position) => {
    const connection = connect("CREATE TABLE t (id INTEGER PRIMARY KEY, v INTEGER)");
    const expected = Array.from({ length: 5 }, (_, id) => [id, id === position ? BIG : id * 2]);
    connection.runMany("INSERT INTO t VALUES (?, ?)", expected as [number, number][]);

    using cursor = connection.openCursor(sql("SELECT * FROM t ORDER BY id"));
    const rows = [];
    for (let done = false; !done; ) {
      const chunk = cursor.next(2);
      rows.push(...chunk.rows);
      done = chunk.done;
    }

    expect(rows).toEqual(expected);
  });

  it("keeps its place while the same text is run again", () => {
    const connection = connect("CREATE TABLE t (v)");
    connection.runMany("INSERT INTO t VALUES (?)", [[1], [2], [3]]);
    const select = sql("SELECT v FROM t ORDER BY v");

    using first = connection.openCursor(select);
    first.next(1);
    using second = connection.openCursor(select);
    second.next(2);
    connection.run(select);

    expect(first.next(1).rows).toEqual([[2]]);
    expect(second.next(1).rows).toEqual([[3]]);
  });

  it("that failed leaves the connection free", () => {
    const connection = connect("CREATE TABLE t (v)");
    connection.runMany("INSERT INTO t VALUES (?)", [["{}"], ["no json"]]);

    const cursor = connection.openCursor(sql("SELECT json_extract(v, '$') FROM t"));

    expect(() => cursor.next(5)).toThrow(expect.objectContaining({ code: "SQL" }));
    expect(connection.run(sql("DROP TABLE t")).changes).toBe(0);
  });
});

describe("the cache of statements", () => {
  it("keeps the ones used last, up to its bound", () => {
    const made: string[] = [];
    const cache = new StatementCache((text) => {
      made.push(text);
      return { statement: {} as never, placeholders: 0, parts: [] };
    });
    const kept = cache.get("kept");

    for (let index = 0; index < STATEMENTS_MAX * 2; index++) {
      cache.get(`other ${index}`);
      cache.get("kept");
    }

    expect(cache.size).toBe(STATEMENTS_MAX);
    expect(cache.get("kept")).toBe(kept);
    expect(made.filter((text) => text === "kept")).toEqual(["kept"]);
    cache.get("other 0");
    expect(made.filter((text) => text === "other 0").length).toBe(2);
  });

  it("does not lend a statement twice", () => {
    const cache = new StatementCache(() => ({
      statement: {} as never,
      placeholders: 0,
      parts: [],
    }));

    const first = cache.take("a");

    expect(cache.take("a")).not.toBe(first);
  });
});

describe("the number of placeholders", () => {
  it.each([
    ["SELECT ?, '?', \"?\", ? -- ?", 2],
    ["SELECT 1", 0],
    ["SELECT ?1, ?2, ?1", 2],
    ["SELECT ?2", 2],
    ["SELECT ?3, ?, ?1", 4],
    ["SELECT ?, ?1, ?", 2],
    ["SELECT a$b FROM t WHERE x = ?", 1],
  ])("of %s is %s", (text, count) => {
    expect(countPlaceholders(text)).toBe(count);
  });

  it.each([
    ["SELECT ?, ?1, ?", [1, 2], [1, 1, 2]],
    ["SELECT ?3, ?, ?1", [1, 2, 3, 4], [3, 4, 1]],
  ])("of %s is that of SQLite", (text, values, row) => {
    expect(connect().readAll(sql(text, ...values)).rows).toEqual([row]);
  });

  it.each([
    ["SELECT ?1, ?2", [1]],
    ["SELECT ?1", [1, 2]],
  ])("of %s must be that of its values", (text, values) => {
    expect(() => connect().readAll(sql(text, ...values))).toThrow(
      expect.objectContaining({ code: "INVALID_ARGUMENT" }),
    );
  });

  it.each([":name", "@name", "$name"])("cannot be told of %s, which is refused", (name) => {
    expect(() => connect().run(sql(`SELECT ${name}`))).toThrow(
      expect.objectContaining({
        code: "INVALID_ARGUMENT",
        message: expect.stringContaining("write ? or ?1 instead"),
      }),
    );
  });
});
