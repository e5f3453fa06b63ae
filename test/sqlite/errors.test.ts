import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { SpringhouseError } from "../../src/core/errors.ts";
import { fromWireError, toSpringhouseError, toWireError } from "../../src/sqlite/errors.ts";

const SCHEMA = `
  PRAGMA foreign_keys = ON;
  CREATE TABLE parent (id INTEGER PRIMARY KEY);
  CREATE TABLE child (
    id INTEGER PRIMARY KEY, a TEXT NOT NULL, b INT, c INT CHECK (c > 0),
    parent_id INT REFERENCES parent (id), UNIQUE (a, b)
  ) STRICT;
  CREATE UNIQUE INDEX upper_a ON child (upper(a)) WHERE b > 1;
  CREATE TRIGGER no_nine BEFORE INSERT ON child WHEN NEW.b = 9
    BEGIN SELECT RAISE(ABORT, 'nine is taken'); END;
  INSERT INTO child (id, a, b) VALUES (1, 'x', 1), (5, 'z', 5);
`;

function failureOf(statement: string): SpringhouseError {
  using database = new DatabaseSync(":memory:");
  database.exec(SCHEMA);
  try {
    database.exec(statement);
  } catch (error) {
    return toSpringhouseError(error, { path: "app.db", sql: statement });
  }
  throw new Error("it did not fail");
}

describe("a broken constraint", () => {
  it.each([
    ["(2, 'x', 1, 1, NULL)", { kind: "unique", table: "child", columns: ["a", "b"] }],
    ["(1, 'y', 1, 1, NULL)", { kind: "primaryKey", table: "child", columns: ["id"] }],
    ["(2, NULL, 1, 1, NULL)", { kind: "notNull", table: "child", columns: ["a"] }],
    ["(2, 'y', 1, -1, NULL)", { kind: "check", constraint: "c > 0" }],
    ["(2, 'y', 1, 1, 7)", { kind: "foreignKey" }],
    ["(2, 'Z', 2, 1, NULL)", { kind: "unique", constraint: "index 'upper_a'" }],
    ["(2, 'y', 9, 1, NULL)", { kind: "trigger" }],
    ["(2, 'y', 'text', 1, NULL)", { kind: "type", table: "child", columns: ["b"] }],
  ])("in %s is named", (values, fields) => {
    const error = failureOf(`INSERT INTO child VALUES ${values}`);

    expect(error.code).toBe("CONSTRAINT");
    expect(error.fields).toMatchObject({ ...fields, path: "app.db" });
  });
});

describe("an error of the engine", () => {
  it.each([
    [5, "BUSY"],
    [517, "BUSY"],
    [6, "BUSY"],
    [15, "BUSY"],
    [8, "READ_ONLY"],
    [1_032, "READ_ONLY"],
    [11, "CORRUPT"],
    [267, "CORRUPT"],
    [13, "DISK_FULL"],
    [14, "UNOPENABLE"],
    [20, "CONSTRAINT"],
    [25, "INVALID_ARGUMENT"],
    [26, "NOT_A_DATABASE"],
    [1, "SQL"],
    [10, "IO"],
    [1_034, "IO"],
  ])("with code %i becomes %s", (errcode, code) => {
    const error = toSpringhouseError(Object.assign(new Error("from SQLite"), { errcode }));

    expect(error.code).toBe(code);
    expect(error.message).toContain("from SQLite");
    expect(error.fields["sqliteCode"]).toBe(errcode);
  });

  it.each([
    ["ENOSPC", "DISK_FULL"],
    ["EDQUOT", "DISK_FULL"],
    ["EROFS", "READ_ONLY"],
    ["EIO", "IO"],
    ["EACCES", "UNOPENABLE"],
    ["ERR_INVALID_ARG_TYPE", "INVALID_ARGUMENT"],
    ["ERR_OTHER", "SQL"],
  ])("of the system, %s, becomes %s", (nodeCode, code) => {
    expect(toSpringhouseError(Object.assign(new Error("x"), { code: nodeCode })).code).toBe(code);
  });

  it("says that a lock is held by this very connection when it is", () => {
    const error = toSpringhouseError(Object.assign(new Error("table is locked"), { errcode: 6 }));

    expect(error.message).toContain("stream");
  });

  it("keeps the statement short in its fields", () => {
    const error = toSpringhouseError(new Error("x"), { sql: "y".repeat(10_000) });

    expect(String(error.fields["sql"]).length).toBe(500);
  });
});

describe("an error between threads", () => {
  it("keeps its code, message and fields through structured clone", () => {
    const error = failureOf("INSERT INTO child VALUES (2, 'x', 1, 1, NULL)");

    const copy = fromWireError(structuredClone(toWireError(error)));

    expect(copy).toBeInstanceOf(SpringhouseError);
    expect(copy.code).toBe(error.code);
    expect(copy.message).toBe(error.message);
    expect(copy.fields).toEqual(error.fields);
  });

  it("that is ours already stays as it is", () => {
    const error = new SpringhouseError("CLOSED", "closed");

    expect(toSpringhouseError(error)).toBe(error);
  });
});
