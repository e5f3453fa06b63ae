import { describe, expect, it } from "vitest";
import { checkRead, checkStatement, checkValues } from "../../src/sqlite/statement-check.ts";
import { sql } from "./support.ts";

describe("the values of a statement", () => {
  it("may be anything that SQLite stores", () => {
    expect(() => checkValues([null, 1, 1.5, 7n, "x", new Uint8Array(2)])).not.toThrow();
  });

  it.each([
    [true, "boolean"],
    [undefined, "undefined"],
    [new Date(0), "Date"],
    [{ a: 1 }, "Object"],
    [[1], "Array"],
    [() => 1, "function"],
    [Symbol("x"), "symbol"],
    [Object.create(null), "object"],
  ])("cannot be %s", (value, type) => {
    expect(() => checkValues([1, value as never])).toThrow(
      expect.objectContaining({
        code: "INVALID_ARGUMENT",
        message: expect.stringContaining(`Value 2 is of type ${type}.`),
      }),
    );
  });

  it("are an array", () => {
    expect(() => checkValues({ 0: 1 } as never)).toThrow(
      expect.objectContaining({ code: "INVALID_ARGUMENT" }),
    );
  });
});

describe("a statement", () => {
  it.each([
    [null, "A statement must be an object with sql and parameters, not null."],
    [{ parameters: [] }, "sql must be a text, not undefined."],
  ])("cannot be %j", (statement, message) => {
    expect(() => checkStatement(statement as never)).toThrow(
      expect.objectContaining({ code: "INVALID_ARGUMENT", message }),
    );
  });

  it("that writes is refused as a read, with the call to use", () => {
    expect(() => checkRead(sql("DELETE FROM t"))).toThrow(
      expect.objectContaining({
        code: "STATEMENT_REFUSED",
        message: expect.stringContaining("use write()"),
      }),
    );
    expect(() => checkRead(sql("SELECT 1"))).not.toThrow();
  });

  it("that is fit comes back with its facts", () => {
    expect(checkStatement(sql("DELETE FROM t"))).toMatchObject({ write: true, dml: true });
  });
});
