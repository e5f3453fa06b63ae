import { SpringhouseError } from "springhouse";
import { describe, expect, it } from "vitest";
import { errorJson, errorText, exitCodeOf } from "../../examples/common/failure.ts";
import { Progress, progressStream, sizeText, timeText } from "../../examples/common/progress.ts";
import { list, table } from "../../examples/common/table.ts";

function terminal(isTTY: boolean): { isTTY: boolean; text: string; write(text: string): void } {
  return {
    isTTY,
    text: "",
    write(text) {
      this.text += text;
    },
  };
}

describe("progress", () => {
  it("is a plain line for each tenth when nobody watches", async () => {
    const stream = terminal(false);

    await new Progress(stream, () => 0).during("Import", async (report) => {
      for (let done = 0; done <= 2_000; done += 50) report(done, 2_000);
    });

    expect(stream.text.split("\n")).toHaveLength(13);
    expect(stream.text).toContain("Import: 1,000 of 2,000\n");
    expect(stream.text).toContain("Import: done in 0 ms\n");
    expect(stream.text).not.toContain("\u001b");
  });

  it("is a bar on a terminal, redrawn at most ten times a second and taken away at the end", async () => {
    const stream = terminal(true);
    let nowMs = 0;

    await new Progress(stream, () => nowMs).during("Import", async (report) => {
      for (nowMs = 1; nowMs <= 1_000; nowMs++) report(nowMs, 1_000);
    });

    expect(stream.text.match(/█/g)?.length).toBeGreaterThan(24);
    expect(stream.text.split("Import: ").length - 1).toBeLessThanOrEqual(11);
    expect(stream.text.endsWith("\r\u001b[2KImport: done in 1.0 s\n")).toBe(true);
  });

  it("leaves a clean line when the work fails", async () => {
    const stream = terminal(true);

    const work = new Progress(stream, () => 0).during("Import", async (report) => {
      report(1, 2);
      throw new Error("no");
    });

    await expect(work).rejects.toThrow("no");
    expect(stream.text.endsWith("\u001b[2K")).toBe(true);
  });
});

describe("beside --json", () => {
  it("progress is for a person who watches only", () => {
    const [log, watched] = [terminal(false), terminal(true)];

    for (const stream of [log, watched]) progressStream(stream, true).write("x");

    expect([log.text, watched.text]).toEqual(["", "x"]);
    expect(progressStream(log, false)).toBe(log);
  });
});

describe("sizes and times", () => {
  it("have the unit that suits them", () => {
    const sizes = [712, 98_304, 43_306_189].map(sizeText);

    expect(sizes).toEqual(["712 B", "96 KB", "41.3 MB"]);
    expect([12.3, 3_400].map(timeText)).toEqual(["12 ms", "3.4 s"]);
  });
});

describe("a failure", () => {
  it("is told by what came first, when closing failed after it", () => {
    const first = new SpringhouseError("USAGE", "Give a file.");
    const thrown = new SuppressedError(new Error("cannot close"), first);

    expect(errorText(thrown)).toBe("error USAGE: Give a file.\n");
    expect(exitCodeOf(thrown)).toBe(2);
    expect(errorText("odd")).toBe("error UNEXPECTED: odd\n");
    expect(exitCodeOf("odd")).toBe(1);
  });

  it.each([
    ["ENOENT", "NOT_FOUND", "There is no a.csv. Check the name"],
    ["EISDIR", "UNOPENABLE", "a.csv is a folder. Name a file in it."],
    ["ENOTDIR", "UNOPENABLE", "A part of a.csv is a file"],
    ["EACCES", "UNOPENABLE", "a.csv may not be used by this user. Change"],
    ["ENOSPC", "DISK_FULL", "The disk that a.csv is on is full. Make room"],
  ])("of the system, %s, has a code and says what to do", (reason, code, message) => {
    const thrown = Object.assign(new Error("raw"), { code: reason, path: "a.csv" });

    expect(errorText(thrown)).toContain(`error ${code}: ${message}`);
    expect(JSON.parse(errorJson(thrown))).toMatchObject({
      ok: false,
      error: { code, fields: { path: "a.csv", reason } },
    });
  });

  it("has a code when it is an interruption, or has a number of its own", () => {
    const stop = AbortSignal.abort();
    const odd = Object.assign(new Error("odd"), { code: 7 });

    expect(errorText(stop.reason)).toBe(
      "error ABORTED: Interrupted; what was under way was rolled back.\n",
    );
    expect(errorText(odd)).toBe("error UNEXPECTED: odd\n");
  });

  it("names the fields that were wrong", () => {
    const issues = [{ path: ["label"], message: "must not be empty" }];

    const text = errorText(new SpringhouseError("VALIDATION", "No.", { issues }));

    expect(text).toBe("error VALIDATION: No.\n  label must not be empty\n");
  });
});

describe("a table", () => {
  it("aligns numbers to the right and cuts long cells", () => {
    const text = table(
      "Weeks",
      ["week", "tasks"],
      [
        ["2012-W44", 7],
        ["x".repeat(100), 12_345],
      ],
    );

    expect(text.split("\n")).toEqual([
      "Weeks",
      `  week${" ".repeat(76)}   tasks`,
      `  ${"─".repeat(80)}  ${"─".repeat(6)}`,
      `  2012-W44${" ".repeat(72)}       7`,
      `  ${"x".repeat(79)}…  12,345`,
      "",
    ]);
  });

  it("leaves a gap among numbers empty", () => {
    expect(table("T", ["n"], [[1_000], [null], [7]])).toBe(
      "T\n      n\n  ─────\n  1,000\n\n      7\n",
    );
  });

  it("says that it has no rows", () => {
    expect(table("Refused", ["line"], [])).toBe("Refused\n  (none)\n");
  });

  it("puts a line break in a cell on one line", () => {
    expect(table("T", ["a"], [["one\ntwo"]])).toContain("one two");
  });

  it("has a form of names and values", () => {
    expect(
      list("Run", [
        ["rows", 1_000],
        ["of", null],
      ]),
    ).toBe("Run\n  rows  1,000\n  of    \n");
  });
});
