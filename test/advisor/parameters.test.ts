import { expect, test } from "vitest";
import { bindable } from "../../src/advisor/parameters.ts";

const column = (name: string, qualifier?: string) => ({ kind: "column", column: name, qualifier });

test.each([
  ["a = ?", [column("a")]],
  ["t.a >= ? AND ? < t.b", [column("a", "t"), column("b", "t")]],
  ["a BETWEEN ? AND ? AND b NOT BETWEEN ? AND 5", [column("a"), column("a"), column("b")]],
  ["a IN (?, 3, ?) AND b NOT IN (?)", [column("a"), column("a"), column("b")]],
  ["(a, t.b) > (?, ?)", [column("a"), column("b", "t")]],
  ["lower(name) = ? AND a NOT LIKE ?", [column("name"), column("a")]],
  ["a IN (SELECT value FROM json_each(?))", [{ ...column("a"), kind: "list" }]],
  ["a IS ? LIMIT ? OFFSET ?", [column("a"), { kind: "limit" }, { kind: "offset" }]],
  ["a = b + ?", [undefined]],
  ['"two words" = ?', [column("two words")]],
])("the values of %s", (condition, sources) => {
  expect(bindable(`SELECT * FROM t WHERE ${condition}`).sources).toEqual(sources);
});

test("placeholders of every kind become those that are bound in order", () => {
  const { sql, sources } = bindable("SELECT * FROM t WHERE a = $1 AND b = :name AND c = '?'");

  expect(sql).toBe("SELECT * FROM t WHERE a = ? AND b = ? AND c = '?'");
  expect(sources).toEqual([column("a"), column("b")]);
});
