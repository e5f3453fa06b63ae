import { expect, test } from "vitest";
import type { Proof } from "../../src/advisor/advice.ts";
import {
  type Known,
  reasonAgainst,
  reasonToKeep,
  speedupOf,
  taxOf,
} from "../../src/advisor/judge.ts";
import { resolveAdviseOptions } from "../../src/advisor/options.ts";

const options = resolveAdviseOptions({
  path: "app.db",
  workload: { statements: [], recordedMs: 0 },
});

const proof = (count: number, beforeMs: number, afterMs: number): Proof => ({
  sql: "SELECT",
  count,
  planBefore: [],
  planAfter: [],
  beforeMs,
  beforeIsAtLeast: false,
  afterMs,
});

function written(table: string, columns: readonly string[] | null, rows: number): Known {
  const studied = {
    sql: "",
    problem: undefined,
    plan: [],
    indexes: [],
    parameters: undefined,
    written: new Map([[table, columns && new Set(columns)]]),
  };
  return { sql: "", count: 1, totalMs: 0, rows, studied };
}

test.each([
  [[], 0, 1, "SQLite does not take it"],
  [[proof(1, 10, 6)], 0, 1, "only 1.7 times as fast"],
  [[proof(1, 0.9, 0.1)], 0, 1, "it saves only"],
  // On a sample of half of the rows.
  [[proof(1, 0.9, 0.1)], 0, 2, undefined],
  [[proof(2_000, 0.9, 0.1)], 0, 1, undefined],
  [[proof(1, 10, 1)], 8, 1, undefined],
  [[proof(1, 10, 1)], 10, 1, "its writes cost"],
])("an index with %j and a tax of %d ms, scale %d: %s", (proofs, tax, scale, reason) => {
  const found = reasonAgainst(proofs, tax, scale, options);

  if (reason === undefined) expect(found).toBeUndefined();
  else expect(found).toContain(reason);
});

test("statements count as often as they run", () => {
  expect(speedupOf([proof(1, 100, 100), proof(99, 100, 1)])).toBeCloseTo(10_000 / 199);
});

test("writes that touch the index are taxed, by rows", () => {
  const index = { table: "t", columns: ["a", "b"] };
  const statements = [
    written("t", null, 1_000),
    written("t", ["b"], 500),
    written("t", ["c"], 9_000),
    written("other", null, 9_000),
  ];

  expect(taxOf(statements, index, 10)).toBe(15);
  expect(taxOf(statements, index, -1)).toBe(0);
});

test("an index stays while it is small, or a statement would get slower without it", () => {
  const mb = 2 ** 20;

  expect(reasonToKeep([], mb / 2, false, options)).toContain("it takes only");
  expect(reasonToKeep([proof(1, 1, 2)], 2 * mb, false, options)).toContain("instead of 1.00 ms");
  expect(reasonToKeep([proof(1, 1, 2)], 2 * mb, true, options)).toBeUndefined();
  expect(reasonToKeep([proof(1, 0.1, 0.25)], 2 * mb, false, options)).toBeUndefined();
});
