import { describe, expect, it } from "vitest";
import { parseCount } from "../../examples/auditor/numbers.ts";
import { Problems } from "../../examples/auditor/problems.ts";
import { csvRow, readHeader } from "../../examples/auditor/row-reader.ts";

describe("a list of problems", () => {
  it("counts rows and reasons, the most frequent reason first", () => {
    const problems = new Problems();
    const bad = (line: number, reason: string) => ({ line, column: "Score", value: "x", reason });

    problems.addRow([]);
    problems.addRow([bad(2, "is rare"), bad(2, "is frequent")]);
    problems.addRow([bad(3, "is frequent")]);

    expect(problems.report()).toMatchObject({
      rows: 2,
      totals: [
        { reason: "is frequent", rows: 2 },
        { reason: "is rare", rows: 1 },
      ],
      first: [{ line: 2 }, { line: 2 }, { line: 3 }],
    });
  });

  it("keeps a thousand examples and exact totals", () => {
    const problems = new Problems();

    for (let line = 1; line <= 5_000; line++) {
      problems.addRow([{ line, column: "Score", value: "x", reason: "is bad" }]);
    }

    expect(problems.report().first).toHaveLength(1_000);
    expect(problems.report()).toMatchObject({ rows: 5_000, totals: [{ rows: 5_000 }] });
  });
});

describe("a header", () => {
  const columns = ["a", "b"];

  it("may have its columns in another order", () => {
    expect([...readHeader({ line: 1, fields: ["b", " a "] }, columns)]).toEqual([
      ["b", 0],
      ["a", 1],
    ]);
  });

  it.each([
    [["a"], '"b" is missing'],
    [["a", "b", "c"], '"c" is unknown'],
    [["a", "b", "b"], '"b" is there twice'],
    [[], '"a" is missing; "b" is missing'],
  ])("is refused whole as %j", (fields, fault) => {
    expect(() => readHeader({ line: 1, fields }, columns)).toThrow(fault);
  });

  it("is refused when the file has none", () => {
    expect(() => readHeader(undefined, columns)).toThrow(/^The file is empty\. The columns are/);
  });
});

describe("a row", () => {
  const header = readHeader({ line: 1, fields: ["n", "m"] }, ["n", "m"]);

  it("gives parsed values and notes every fault", () => {
    const row = csvRow(header, { line: 4, fields: ["4.0", "x".repeat(200)] });

    expect(row.read("n", parseCount, -1)).toBe(4);
    expect(row.read("m", parseCount, -1)).toBe(-1);
    expect(row.problems).toMatchObject([{ line: 4, column: "m" }]);
    expect(row.problems[0]?.value).toHaveLength(80);
  });

  it("takes a blank text for none where that is allowed", () => {
    const row = csvRow(header, { line: 4, fields: [" ", ""] });

    expect(row.readOptional("n", parseCount, null)).toBe(null);
    expect(row.problems).toEqual([]);
    expect(row.read("m", parseCount, 0)).toBe(0);
    expect(row.problems).toMatchObject([{ column: "m", value: "" }]);
  });

  it("lets an error that is not about the value through", () => {
    const row = csvRow(header, { line: 4, fields: ["1", "2"] });
    const parse = (): never => {
      throw new TypeError("a bug");
    };

    expect(() => row.read("n", parse, 0)).toThrow("a bug");
  });
});
