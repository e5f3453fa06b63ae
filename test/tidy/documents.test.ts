import { describe, expect, it } from "vitest";
import { brokenLinks, titlesOf, wrongErrorHeadings, wrongRequirements } from "./documents.ts";
import { planted } from "./project.ts";

describe("the rule on error codes", () => {
  const check = (text: string): string[] =>
    wrongErrorHeadings(planted({ "docs/errors.md": text }), ["A", "B"]);

  it("is content with one heading for each code, in order", () => {
    expect(check("# Errors\n\n## core\n\n### A\n\n```\n### not a heading\n```\n\n### B\n")).toEqual(
      [],
    );
  });

  it("names what is missing, what is too much, and a wrong order", () => {
    expect(check("### A\n")).toEqual(['docs/errors.md: add the heading "### B".']);
    expect(check("### A\n### B\n### C\n")).toEqual([expect.stringContaining('"C" is no code')]);
    expect(check("### B\n### A\n")).toEqual([expect.stringContaining("in the order")]);
    expect(wrongErrorHeadings(planted({}), ["A"])).toEqual([expect.stringContaining("missing")]);
  });
});

describe("the rule on links", () => {
  const check = (text: string): string[] =>
    brokenLinks(planted({ "docs/a.md": text, "docs/b.md": "# One `two`: three", "src/c.ts": "" }));

  it("follows files, folders and headings", () => {
    expect(
      check("# Here\n[b](b.md) [b](b.md#one--three) [c](../src/) [d](#here) [e](https://e.org)"),
    ).toEqual([]);
  });

  it("leaves code alone", () => {
    expect(check("```ts\nf[a](b)\n```\nand `[a](b)`")).toEqual([]);
  });

  it("names what leads nowhere", () => {
    expect(check("[x](x.md)\n[b](b.md#four)")).toEqual([
      'docs/a.md: the link "x.md" leads to no file. Mend it.',
      'docs/a.md: "b.md#four" leads to no heading of docs/b.md. Mend it.',
    ]);
  });
});

describe("the rule on requirements", () => {
  const head = "| number | what | test |\n|---|---|---|\n";
  const check = (rows: string): string[] =>
    wrongRequirements(
      planted({
        "docs/requirements.md": head + rows,
        "test/a.test.ts": 'it("a | b", f);\ntest.each([[1, f(2)]])("c %s", g);',
        "test/contract/b.ts": 'export const b = {\n  "holds": async ({ c }) => {},\n};',
        "src/testing/tier/d.ts": 'export const d = {\n  "ends": async ({ d }) => {},\n};',
        "bench/speed.ts": "",
        "package.json": '{ "scripts": { "coverage": "node a.ts" } }',
      }),
    );

  it("finds the tests by file and title", () => {
    const tests = "test/a.test.ts › a \\| b<br>test/a.test.ts › c %s";

    expect(check(`| R1 | one | ${tests} |\n| F3 | two | test/a.test.ts › c %s |\n`)).toEqual([]);
  });

  it("finds the sentences of contract suites and commands", () => {
    expect(check("| R1 | one | test/contract/b.ts › holds<br>`npm run coverage` |")).toEqual([]);
    expect(check("| R1 | one | test/contract/b.ts › fails |")).toHaveLength(1);
    expect(check("| R1 | one | src/testing/tier/d.ts › ends |")).toEqual([]);
    expect(check("| R1 | one | src/testing/tier/d.ts › begins |")).toHaveLength(1);
    expect(check("| R1 | one | `npm run -s bench -- speed` |")).toEqual([]);
    expect(check("| R1 | one | `npm run -s bench -- luck` |")).toEqual([
      "docs/requirements.md: R1: there is no bench luck.",
    ]);
    expect(check("| R1 | one | `npm run nothing` |")).toEqual([
      "docs/requirements.md: R1: there is no npm run nothing.",
    ]);
  });

  it("names a test that does not exist, a form that is not one, a wrong or repeated number", () => {
    const good = "test/a.test.ts › c %s";

    expect(check("| R1 | one | test/a.test.ts › b |")).toEqual([
      'docs/requirements.md: R1: test/a.test.ts has no test "b".',
    ]);
    expect(check("| R1 | one | test/b.test.ts › b |")).toEqual([
      "docs/requirements.md: R1: test/b.test.ts does not exist.",
    ]);
    expect(check("| R1 | one | later |")).toEqual([expect.stringContaining("not of the form")]);
    for (const number of ["R0", "R450", "F129", "X15", "Y1", "R1-R4"]) {
      expect(check(`| ${number} | one | ${good} |`)).toEqual([
        expect.stringContaining(`"${number}" is not a number`),
      ]);
    }
    expect(check(`| R1 | one | ${good} |\n| R1 | two | ${good} |`)).toEqual([
      expect.stringContaining("R1 has two rows"),
    ]);
    expect(wrongRequirements(planted({}))).toEqual([expect.stringContaining("missing")]);
  });
});

describe("the titles of tests", () => {
  it("are read in every form of call and quote", () => {
    const text = [
      `it("one", f);`,
      `test('two', f);`,
      "it(`three`, f);",
      `it.skipIf(g(")"))("four \\"4\\"", f);`,
      `it.each([\n  ["it(x"],\n])(\n  "five",\n  f,\n);`,
      `it.each<[string, Set<number>]>([["a"]])("five and a half", f);`,
      `// it("six", f);`,
      `submit("seven");`,
      `it.only("eight", f);`,
    ].join("\n");

    expect(titlesOf(text)).toEqual([
      "one",
      "two",
      "three",
      'four "4"',
      "five",
      "five and a half",
      "eight",
    ]);
  });
});
