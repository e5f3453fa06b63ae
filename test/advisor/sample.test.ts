import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import type { TableFacts } from "../../src/advisor/facts.ts";
import { estimateDistinct, Sampler } from "../../src/advisor/sample.ts";
import { makeDatabase, rowsOf } from "./support.ts";

const facts = (name: string, rows: number): TableFacts => ({
  name,
  rows,
  rowid: "rowid",
  columns: ["id", "a", "b"],
  primaryKey: ["id"],
  foreignKeys: [],
});

test("what was seen once and twice tells how much is unseen", () => {
  expect(estimateDistinct([1, 1, 2], 1_000)).toBe(5);
  expect(estimateDistinct([3, 4, 5], 1_000)).toBe(3);
  expect(
    estimateDistinct(
      Array.from({ length: 2_000 }, () => 1),
      50_000,
    ),
  ).toBe(50_000);
  expect(estimateDistinct([], 0)).toBe(1);
});

test("a sample estimates rows and distinct values of a large table, alone and together", () => {
  const path = makeDatabase(
    "CREATE TABLE t (id INTEGER PRIMARY KEY, a, b)",
    // Every second number is free.
    rowsOf("t", 30_000, "2 * i", "i % 300", "(i / 300) % 10"),
  );
  using database = new DatabaseSync(path, { readOnly: true });
  const sampler = new Sampler(database);

  const rows = sampler.rows("t", "rowid");
  const table = facts("t", rows);

  expect(Math.abs(rows / 30_000 - 1)).toBeLessThan(0.1);
  expect(Math.abs(sampler.distinct(table, ["a"]) / 300 - 1)).toBeLessThan(0.1);
  expect(sampler.distinct(table, ["b"])).toBe(10);
  expect(Math.abs(sampler.distinct(table, ["a", "b"]) / 3_000 - 1)).toBeLessThan(0.25);
  expect(sampler.distinct(table, ["id"])).toBe(rows);
});

test("a small table, an empty one and one without rowids are counted", () => {
  const path = makeDatabase(
    "CREATE TABLE small (id INTEGER PRIMARY KEY, a, b)",
    rowsOf("small", 100, "i * 1000", "i % 3", "NULL"),
    "CREATE TABLE none (id INTEGER PRIMARY KEY, a, b)",
    "CREATE TABLE keyed (id TEXT PRIMARY KEY, a, b) WITHOUT ROWID",
    rowsOf("keyed", 5_000, "'k' || i", "i % 7", "NULL"),
  );
  using database = new DatabaseSync(path, { readOnly: true });
  const sampler = new Sampler(database);

  expect(sampler.rows("small", "rowid")).toBe(100);
  expect(sampler.rows("none", "rowid")).toBe(0);
  expect(sampler.rows("keyed", undefined)).toBe(5_000);
  expect(sampler.distinct({ ...facts("keyed", 5_000), rowid: undefined }, ["a"])).toBe(7);
  expect(sampler.sample(facts("none", 0))).toEqual([]);
});
