import { expect, test } from "vitest";
import { parsePlan } from "../../src/advisor/plan.ts";
import { type WorkModel, workOf } from "../../src/advisor/work.ts";

const model: WorkModel = {
  rowsOf: (name) => ({ big: 10_000, small: 10 })[name],
  rowsPerValue: (_, count) => (count === 1 ? 100 : 1),
};
const work = (...lines: Parameters<typeof parsePlan>[0]): number => workOf(parsePlan(lines), model);

test("a search is less work the more columns it compares, and a scan is the most", () => {
  const works = [
    work("SEARCH big USING INTEGER PRIMARY KEY (rowid=?)"),
    work("SEARCH big USING INDEX i (a=? AND b>?)"),
    work("SEARCH big USING INDEX i (a=?)"),
    work("SEARCH big USING INDEX i (a>?)"),
    work("SCAN big"),
  ];

  expect(works).toEqual([1, 25, 100, 2_500, 10_000]);
});

test("tables of one level are loops in each other, and an order that must be made costs more", () => {
  const loop = work("SCAN small", "SEARCH big USING INDEX i (a=?)");

  expect(loop).toBe(10 + 10 * 100);
  expect(work("SCAN big", "USE TEMP B-TREE FOR ORDER BY")).toBeGreaterThan(10 * 10_000);
  expect(work("SCAN small", "SEARCH big USING AUTOMATIC COVERING INDEX (a=?)")).toBeGreaterThan(
    10_000,
  );
});

test("a subquery that depends on the row runs for each of them", () => {
  const inner = { id: 3, parent: 2, detail: "SCAN big" };
  const lines = (kind: string) => [
    { id: 1, parent: 0, detail: "SCAN small" },
    { id: 2, parent: 0, detail: `${kind} 1` },
    inner,
  ];

  expect(work(...lines("SCALAR SUBQUERY"))).toBe(10 + 10_000);
  expect(work(...lines("CORRELATED SCALAR SUBQUERY"))).toBe(10 + 10 * 10_000);
});
