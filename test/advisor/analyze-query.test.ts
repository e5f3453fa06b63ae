import { describe, expect, it } from "vitest";
import { analyzeQuery, createQueryAnalyzer } from "../../src/advisor/analyze-query.ts";

const kinds = ({ patterns }: ReturnType<typeof analyzeQuery>): string[] =>
  patterns.map(({ kind }) => kind);

describe("one query", () => {
  it("is slow from a tenth of a second on, and has a message and a suggestion", () => {
    expect(kinds(analyzeQuery("SELECT 1", "99ms"))).toEqual([]);
    expect(analyzeQuery("SELECT 1", "100ms").patterns).toEqual([
      {
        kind: "slow-query",
        level: "warning",
        message: "It took 100.0 ms; more than 100.0 ms is slow.",
        suggestion: expect.stringContaining("springhouse advise"),
      },
    ]);
  });

  it.each([
    [["SCAN tasks"], ["full-scan"]],
    [["SCAN TABLE tasks"], ["full-scan"]],
    [["SCAN tasks USING COVERING INDEX i"], ["index-scan"]],
    [["SEARCH tasks USING INDEX i (a=?)"], []],
    [["SEARCH tasks USING AUTOMATIC COVERING INDEX (a=?)"], ["automatic-index"]],
    [
      ["SCAN tasks", "USE TEMP B-TREE FOR ORDER BY"],
      ["full-scan", "sort"],
    ],
  ])("is known by its plan %j", (plan, expected) => {
    expect(kinds(analyzeQuery("SELECT 1", 1, plan))).toEqual(expected);
  });

  it("takes rows of EXPLAIN QUERY PLAN as well", () => {
    const { patterns } = analyzeQuery("SELECT 1", 1, [{ id: 2, parent: 0, detail: "SCAN tasks" }]);

    expect(patterns).toMatchObject([{ kind: "full-scan", message: "Every row of tasks is read." }]);
  });

  it("can use no index behind a wildcard in front", () => {
    expect(kinds(analyzeQuery("SELECT * FROM t WHERE a LIKE '%x%'", 1))).toEqual([
      "leading-wildcard",
    ]);
    expect(kinds(analyzeQuery("SELECT * FROM t WHERE a LIKE 'x%'", 1))).toEqual([]);
  });
});

describe("an analyzer", () => {
  it("names an N+1 from the fifth run with other values on", () => {
    const analyzer = createQueryAnalyzer();
    const ask = (id: number) =>
      analyzer.analyzeQuery("SELECT * FROM tasks WHERE week_id = ?", 1, [], [id]);

    const found = [1, 2, 3, 4, 4, 5].map((id) => kinds(ask(id)));

    expect(found).toEqual([[], [], [], [], [], ["n-plus-one"]]);
    expect(ask(6).patterns[0]?.suggestion).toContain(
      "SELECT * FROM tasks WHERE week_id IN (SELECT value FROM json_each(?))",
    );
  });

  it("takes other thresholds, and can leave repeated statements alone", () => {
    const strict = createQueryAnalyzer({ n1Threshold: 2, slowQueryThreshold: "5ms" });
    const lax = createQueryAnalyzer({ n1Detection: false });
    const both = (analyzer: typeof strict, id: number) =>
      kinds(analyzer.analyzeQuery("SELECT * FROM t WHERE id = ?", "6ms", [], [id]));

    expect([both(strict, 1), both(strict, 2)]).toEqual([
      ["slow-query"],
      ["slow-query", "n-plus-one"],
    ]);
    for (let id = 0; id < 10; id++) expect(both(lax, id)).toEqual([]);
  });

  it("refuses what it does not know", () => {
    expect(() => createQueryAnalyzer({ n1Treshold: 3 } as object)).toThrow(
      'Did you mean "n1Threshold"?',
    );
    expect(() => createQueryAnalyzer({ n1Threshold: 1 })).toThrow("a whole number from 2");
    expect(() => analyzeQuery("SELECT 1", "soon")).toThrow("is not a duration");
  });
});
