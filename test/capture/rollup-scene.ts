/** Tables under rollups of every kind, random statements, and what the rollups must then be. */

import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { withRollups } from "../../src/capture/rollup.ts";
import { createCatalog } from "../../src/schema/catalog.ts";
import { t } from "../../src/schema/column.ts";
import { createStatements, physicalSchema } from "../../src/schema/ddl.ts";
import { entity } from "../../src/schema/entity.ts";
import { avg, count, countDistinct, max, min, sum, topK } from "../../src/schema/measure.ts";
import type { PhysicalSchema } from "../../src/schema/physical.ts";
import { rollup } from "../../src/schema/rollup.ts";

export const Week = entity("weeks", { id: t.int().primaryKey() });
export const Task = entity(
  "tasks",
  {
    id: t.int().primaryKey(),
    weekId: t.int().nullable().references("weeks.id", { onDelete: "cascade" }),
    parentId: t.int().nullable().references("tasks.id", { onDelete: "cascade" }),
    name: t.text(),
    code: t.int().nullable().unique(),
    big: t.bigint().nullable(),
    score: t.int().default(0),
    ratio: t.real().nullable(),
    done: t.boolean().default(false),
  },
  { uniques: [{ on: ["name", "score"] }] },
);

export const ByWeek = rollup("by_week", Task, {
  by: { weekId: Task.weekId },
  measures: {
    tasks: count(),
    bigs: count(Task.big),
    bigSum: sum(Task.big),
    bigAvg: avg(Task.big),
    scoreSum: sum(Task.score),
    scoreAvg: avg(Task.score),
    bigMin: min(Task.big),
    ratioMax: max(Task.ratio),
    ratioSum: sum(Task.ratio),
    ratioAvg: avg(Task.ratio),
    names: countDistinct(Task.name),
    namesFolded: countDistinct(Task.name, { collate: "nocase" }),
    codes: countDistinct(Task.code),
    best: topK(Task.score, 2, { of: Task.name }),
  },
});
export const ByName = rollup("by_name", Task, {
  by: { name: { column: Task.name, collate: "nocase" } },
  measures: { tasks: count(), bigSum: sum(Task.big), weeks: countDistinct(Task.weekId) },
  where: "done = 1 AND (big IS NULL OR big <> 3)",
});
export const Total = rollup("total", Task, {
  by: {},
  measures: { tasks: count(), bigSum: sum(Task.big), ratioSum: sum(Task.ratio) },
});
export const ByScore = rollup("by_score", Task, {
  by: { score: Task.score, done: Task.done },
  measures: { tasks: count(), least: min(Task.name), bigs: countDistinct(Task.big) },
});

export const ROLLUPS = [ByWeek, ByName, Total, ByScore] as const;
export const catalog = createCatalog([Week, Task], ROLLUPS);

/** A database with the tables and their rollups, as any program opens it. */
export function openScene(isRecursive: boolean): DatabaseSync {
  return open(withRollups(physicalSchema(catalog, "sqlite"), catalog), isRecursive);
}

/**
 * The same without rollups. With recursive triggers SQLite checks unique keys once more after a
 * REPLACE, as soon as there is a trigger for deletions, and refuses some that it took before: so
 * this one has such a trigger, too.
 */
export function openPlain(isRecursive: boolean): DatabaseSync {
  const database = open(physicalSchema(catalog, "sqlite"), isRecursive);
  database.exec("CREATE TRIGGER deletions AFTER DELETE ON tasks BEGIN SELECT 1; END");
  return database;
}

function open(schema: PhysicalSchema, isRecursive: boolean): DatabaseSync {
  const database = new DatabaseSync(":memory:");
  for (const sql of createStatements(schema)) database.exec(sql);
  database.exec(`PRAGMA recursive_triggers = ${isRecursive ? "ON" : "OFF"}`);
  database.exec("INSERT INTO weeks VALUES (1), (2), (3)");
  return database;
}

const id = fc.integer({ min: 1, max: 6 });
const name = fc.constantFrom("'a'", "'A'", "'b'", "'ab'");
const big = fc.constantFrom(
  "NULL",
  "0",
  "-1",
  "3",
  "4294967296",
  "9223372036854775807",
  "-9223372036854775808",
  "4611686018427387904",
);
const ratio = fc.constantFrom("NULL", "0.1", "0.2", "0.3", "1e16", "-1e16", "2.5");
const orNull = (values: fc.Arbitrary<number>): fc.Arbitrary<string> =>
  fc.oneof(values.map(String), values.map(String), fc.constant("NULL"));
const week = orNull(fc.integer({ min: 1, max: 3 }));
const code = orNull(fc.integer({ min: 1, max: 4 }));
const score = fc.integer({ min: 0, max: 2 }).map(String);
const flag = fc.constantFrom("0", "1");

const row = fc
  .tuple(
    fc.oneof(id.map(String), fc.constant("NULL")),
    week,
    orNull(id),
    name,
    code,
    big,
    score,
    ratio,
    flag,
  )
  .map((values) => `(${values.join(", ")})`);
const rows = fc.array(row, { minLength: 1, maxLength: 3 }).map((list) => list.join(", "));
const assignment = fc.oneof(
  id.map((value) => `id = ${value}`),
  week.map((value) => `week_id = ${value}`),
  orNull(id).map((value) => `parent_id = ${value}`),
  name.map((value) => `name = ${value}`),
  code.map((value) => `code = ${value}`),
  big.map((value) => `big = ${value}`),
  score.map((value) => `score = ${value}`),
  ratio.map((value) => `ratio = ${value}`),
  flag.map((value) => `done = ${value}`),
  fc.constantFrom("big = big + 1", "score = score + 1", "ratio = ratio * 3", "done = 1 - done"),
);
const set = fc.array(assignment, { minLength: 1, maxLength: 3 }).map((list) => {
  const byColumn = new Map(list.map((entry) => [entry.split(" ")[0], entry]));
  return [...byColumn.values()].join(", ");
});
const condition = fc.oneof(
  id.map((value) => `id = ${value}`),
  week.map((value) => `week_id IS ${value}`),
  name.map((value) => `name = ${value}`),
  fc.constant("TRUE"),
);
const conflict = fc.constantFrom("", "", " OR IGNORE", " OR FAIL", " OR REPLACE", " OR ABORT");

/** Statements of every kind, many of which collide or fail. */
export const statement: fc.Arbitrary<string> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.tuple(conflict, rows).map(([or, v]) => `INSERT${or} INTO tasks VALUES ${v}`),
  },
  { weight: 3, arbitrary: rows.map((values) => `REPLACE INTO tasks VALUES ${values}`) },
  {
    weight: 4,
    arbitrary: fc
      .tuple(conflict, set, condition)
      .map(([or, values, where]) => `UPDATE${or} tasks SET ${values} WHERE ${where}`),
  },
  { weight: 1, arbitrary: condition.map((where) => `DELETE FROM tasks WHERE ${where}`) },
  {
    weight: 3,
    arbitrary: fc
      .tuple(rows, fc.constantFrom("(id)", "(code)", "(name, score)"), set)
      .map(
        ([v, key, values]) =>
          `INSERT INTO tasks VALUES ${v} ON CONFLICT ${key} DO UPDATE SET ${values}`,
      ),
  },
  { weight: 1, arbitrary: rows.map((v) => `INSERT INTO tasks VALUES ${v} ON CONFLICT DO NOTHING`) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      "DELETE FROM weeks WHERE id = 1",
      "REPLACE INTO weeks VALUES (1), (2)",
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      "SAVEPOINT s",
      "ROLLBACK TO s",
      "RELEASE s",
      "BEGIN",
      "COMMIT",
      "ROLLBACK",
    ),
  },
);
