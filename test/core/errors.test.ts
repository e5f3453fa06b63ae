import { describe, expect, it } from "vitest";
import { assert, unreachable } from "../../src/core/assert.ts";
import { isSpringhouseError, messageOf, SpringhouseError } from "../../src/core/errors.ts";

describe("SpringhouseError", () => {
  it("carries code, fields, issues and cause, and leaves the cause out of its JSON", () => {
    const cause = new Error("disk");
    const issues = [{ path: ["title"], message: "is missing" }];

    const error = new SpringhouseError("VALIDATION", "Bad.", { cause, fields: { n: 1 }, issues });

    expect(error).toBeInstanceOf(Error);
    expect(error.cause).toBe(cause);
    expect(JSON.parse(JSON.stringify(error))).toEqual({
      code: "VALIDATION",
      message: "Bad.",
      fields: { n: 1 },
      issues,
    });
  });

  it("is told from other errors, and by code", () => {
    const error = new SpringhouseError("BUSY", "Busy.");

    expect(isSpringhouseError(error)).toBe(true);
    expect(isSpringhouseError(error, "BUSY")).toBe(true);
    expect(isSpringhouseError(error, "CLOSED")).toBe(false);
    expect(isSpringhouseError(new Error("Busy."))).toBe(false);
  });

  it("gives the message of anything thrown", () => {
    expect(messageOf(new Error("a"))).toBe("a");
    expect(messageOf("b")).toBe("b");
  });
});

describe("assert", () => {
  it("passes what holds and calls the rest a bug", () => {
    expect(() => assert(true, "x")).not.toThrow();
    expect(() => assert(0, "zero")).toThrow("This is a bug: zero");
    expect(() => unreachable("x" as never)).toThrow('This is a bug: unexpected "x"');
  });
});
