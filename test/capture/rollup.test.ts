/** Rollups against a recount in JavaScript, after every statement. */

import type { DatabaseSync, StatementSync } from "node:sqlite";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openPlain, openScene, statement } from "./rollup-scene.ts";

type Value = string | number | bigint | null;
type Values = Readonly<Record<string, Value>>;

/** Preparing takes longer than anything else here. */
const prepared = new WeakMap<DatabaseSync, Map<string, StatementSync>>();

function read(db: DatabaseSync, sql: string, ...parameters: Value[]): readonly Values[] {
  const known = prepared.get(db) ?? new Map<string, StatementSync>();
  prepared.set(db, known);
  const statement = known.get(sql) ?? db.prepare(sql);
  known.set(sql, statement);
  statement.setReadBigInts(true);
  return statement.all(...parameters) as unknown as readonly Values[];
}

const OVERFLOW = "integer overflow";

/** A value of a query, or its error, together with its type in SQLite. */
function ask(db: DatabaseSync, sql: string, ...parameters: Value[]): Value {
  try {
    return JSON.stringify(
      read(db, `SELECT value, typeof(value) AS type FROM (${sql})`, ...parameters),
      show,
    );
  } catch (error) {
    if (String(error).includes(OVERFLOW)) return OVERFLOW;
    throw error;
  }
}

function show(_: string, value: unknown): unknown {
  return typeof value === "bigint" ? `${value}n` : value;
}

/** The exact sum of whole numbers, or the error of one that does not fit. */
function exactSum(values: readonly Value[]): { readonly sum: Value; readonly fits: boolean } {
  const numbers = values.filter((value) => value !== null).map(BigInt);
  const sum = numbers.reduce((total, value) => total + value, 0n);
  const fits = BigInt.asIntN(64, sum) === sum;
  return { sum: numbers.length === 0 ? null : sum, fits };
}

function checkSum(
  db: DatabaseSync,
  view: string,
  where: string,
  key: Value[],
  rows: readonly Values[],
): void {
  const { sum, fits } = exactSum(rows.map((row) => row["big"] ?? null));
  const told = ask(db, `SELECT big_sum AS value FROM ${view} WHERE ${where}`, ...key);
  if (!fits) {
    expect(told).toBe(OVERFLOW);
    return;
  }
  const type = sum === null ? "null" : "integer";
  expect(told).toBe(JSON.stringify([{ value: sum, type }], show));
}

/** Each measure of `view`, and the expression over the source that it must equal. */
type Expectations = Readonly<Record<string, string>>;

const WEEK: Expectations = {
  tasks: "count(*)",
  bigs: "count(big)",
  score_sum: "sum(score)",
  score_avg: "avg(score)",
  big_min: "min(big)",
  ratio_max: "max(ratio)",
  ratio_sum: "sum(ratio)",
  ratio_avg: "avg(ratio)",
  names: "count(DISTINCT name)",
  names_folded: "count(DISTINCT name COLLATE NOCASE)",
  codes: "count(DISTINCT code)",
  best:
    "(SELECT json_group_array(name) FROM " +
    "(SELECT name FROM tasks WHERE week_id IS ?1 ORDER BY score DESC, id LIMIT 2))",
};

function checkMeasures(
  db: DatabaseSync,
  view: string,
  found: string,
  rows: string,
  key: Value[],
  measures: Expectations,
): void {
  const names = Object.keys(measures);
  const select = (of: (name: string) => string): string =>
    names.map((name) => `${of(name)} AS ${name}, typeof(${of(name)}) AS ${name}_type`).join(", ");
  const told = `SELECT ${select((name) => name)} FROM ${view} WHERE ${found}`;
  const wanted = `SELECT ${select((name) => measures[name] ?? "")} FROM tasks WHERE ${rows}`;
  expect(read(db, told, ...key)).toEqual(read(db, wanted, ...key));
}

function checkWeeks(db: DatabaseSync, all: readonly Values[]): void {
  const keys = [...new Set(all.map((row) => row["week_id"] ?? null))];
  expect(new Set(read(db, "SELECT week_id FROM by_week").map((row) => row["week_id"]))).toEqual(
    new Set(keys),
  );
  expect(read(db, "SELECT count(*) AS n FROM by_week")[0]?.["n"]).toBe(BigInt(keys.length));
  for (const key of keys) {
    const rows = all.filter((row) => row["week_id"] === key);
    checkMeasures(db, "by_week", "week_id IS ?1", "week_id IS ?1", [key], WEEK);
    checkSum(db, "by_week", "week_id IS ?", [key], rows);
    const { sum, fits } = exactSum(rows.map((row) => row["big"] ?? null));
    const values = rows.filter((row) => row["big"] !== null).length;
    if (!fits || sum === null) continue;
    const mean = read(db, "SELECT big_avg AS value FROM by_week WHERE week_id IS ?", key)[0]?.[
      "value"
    ];
    expect(mean).toBe(Number(sum) / values);
  }
}

function checkNames(db: DatabaseSync, all: readonly Values[]): void {
  const counted = all.filter((row) => row["done"] === 1n && row["big"] !== 3n);
  const byName = Map.groupBy(counted, (row) => String(row["name"]).toLowerCase());
  const told = read(db, "SELECT lower(name) AS name, tasks, weeks FROM by_name ORDER BY 1");
  const expected = [...byName]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, rows]) => {
      const weeks = new Set(rows.flatMap((row) => (row["week_id"] === null ? [] : row["week_id"])));
      return { name, tasks: BigInt(rows.length), weeks: BigInt(weeks.size) };
    });
  expect(told.map((row) => ({ ...row }))).toEqual(expected);
  for (const [name, rows] of byName)
    checkSum(db, "by_name", "name = ? COLLATE NOCASE", [name], rows);
}

function checkOthers(db: DatabaseSync, all: readonly Values[]): void {
  const total = read(db, "SELECT id, tasks FROM total").map((row) => ({ ...row }));
  expect(total).toEqual(all.length === 0 ? [] : [{ id: 1n, tasks: BigInt(all.length) }]);
  if (all.length > 0) checkSum(db, "total", "id = 1", [], all);
  expect(ask(db, "SELECT ratio_sum AS value FROM total")).toEqual(
    ask(db, "SELECT sum(ratio) AS value FROM tasks HAVING count(*) > 0"),
  );
  const byScore = "score, done, tasks, typeof(tasks) AS type, least, bigs";
  expect(read(db, `SELECT ${byScore} FROM by_score ORDER BY 1, 2`)).toEqual(
    read(
      db,
      `SELECT score, done, count(*) AS tasks, 'integer' AS type, min(name) AS least,
        count(DISTINCT big) AS bigs FROM tasks GROUP BY score, done ORDER BY 1, 2`,
    ),
  );
}

/** Every rollup is what a recount gives. */
function check(db: DatabaseSync): void {
  const all = read(db, "SELECT * FROM tasks");
  checkWeeks(db, all);
  checkNames(db, all);
  checkOthers(db, all);
}

/** Longer runs are for whoever changes the triggers. */
const RUNS = Number(process.env["ROLLUP_RUNS"] ?? 12);
const SEED = Number(process.env["ROLLUP_SEED"] ?? 4);

/** What the statement says when it fails. */
function failureOf(db: DatabaseSync, sql: string): string | undefined {
  try {
    db.exec(sql);
    return undefined;
  } catch (error) {
    return String(error);
  }
}

describe.each([false, true])("rollups with recursive_triggers %s", (isRecursive) => {
  it("equal a recount after every statement, and change nothing else", () => {
    let done = 0;
    fc.assert(
      fc.property(fc.array(statement, { minLength: 50, maxLength: 100 }), (statements) => {
        using db = openScene(isRecursive);
        using plain = openPlain(isRecursive);
        for (const sql of statements) {
          const failure = failureOf(db, sql);
          // Of two reasons to refuse a row it may be the other one that is told.
          expect(failure === undefined, failure).toBe(failureOf(plain, sql) === undefined);
          if (failure === undefined) done++;
          check(db);
        }
        const all = "SELECT * FROM tasks ORDER BY id";
        expect(read(db, all)).toEqual(read(plain, all));
      }),
      { numRuns: RUNS, seed: SEED },
    );
    expect(done).toBeGreaterThan(RUNS * 20);
  });
});
