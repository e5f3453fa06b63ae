import { describe, expect, it } from "vitest";
import { exitCodeOf, renderError } from "../../src/cli/render-error.ts";
import { SpringhouseError } from "../../src/core/errors.ts";

const quiet = new AbortController().signal;

describe("renderError", () => {
  it("prints code, message and issues, coloured when asked to", () => {
    const error = new SpringhouseError("VALIDATION", "Two fields are wrong.", {
      issues: [{ path: ["rows", 3, "score"], message: "is too large" }],
    });

    expect(renderError(error, { color: false }).text).toBe(
      "error VALIDATION: Two fields are wrong.\n  rows.3.score: is too large",
    );
    expect(renderError(error, { color: true }).text).toContain("\u001b[31merror\u001b[39m");
    expect(renderError(error, { color: false }).data).toMatchObject({ code: "VALIDATION" });
  });

  it("says that an unknown error is a bug, whatever was thrown", () => {
    expect(renderError(new TypeError("x is not a function"), { color: false }).text).toBe(
      "error ASSERTION: x is not a function " +
        "(This is not an error that Springhouse knows; --debug shows the stack.)",
    );
    expect(renderError("a text", { color: false }).stack).toBe("a text");
  });

  it("tells the first error when closing fails as well, and with --debug both", () => {
    const full = new SpringhouseError("DISK_FULL", "The disk is full.");
    const error = new SuppressedError(new Error("cannot close"), full);

    const { text, stack } = renderError(error, { color: false });

    expect(text).toBe("error DISK_FULL: The disk is full.");
    expect(stack).toMatch(/The disk is full[\s\S]*Then, while closing: Error: cannot close/);
    expect(
      exitCodeOf(new SuppressedError(new Error(), new SpringhouseError("USAGE", "")), quiet),
    ).toBe(2);
  });

  it("shows the causes below the stack", () => {
    const error = new SpringhouseError("SQL", "outer", { cause: new Error("inner") });

    expect(renderError(error, { color: false }).stack).toMatch(
      /outer\n[\s\S]*Caused by: Error: inner/,
    );
  });
});

describe("exitCodeOf", () => {
  it("tells usage, failure and interruption apart", () => {
    expect(exitCodeOf(new SpringhouseError("USAGE", ""), quiet)).toBe(2);
    expect(exitCodeOf(new SpringhouseError("CONFIG", ""), quiet)).toBe(2);
    expect(exitCodeOf(new SpringhouseError("CORRUPT", ""), quiet)).toBe(1);
    expect(exitCodeOf(new Error(), quiet)).toBe(1);
    expect(exitCodeOf(new SpringhouseError("ABORTED", ""), quiet)).toBe(1);
    expect(exitCodeOf(new SpringhouseError("ABORTED", ""), AbortSignal.abort())).toBe(130);
  });
});
