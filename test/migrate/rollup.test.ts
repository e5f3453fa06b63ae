/** Rollups in generated migrations: made, filled, made anew when they say something else, dropped. */

import { expect, test } from "vitest";
import { ensureSchema } from "../../src/migrate/schema.ts";
import { verifyRollups } from "../../src/rollup/verify.ts";
import { type Catalog, createCatalog } from "../../src/schema/catalog.ts";
import { t } from "../../src/schema/column.ts";
import { entity } from "../../src/schema/entity.ts";
import { avg, count, countDistinct, max, sum } from "../../src/schema/measure.ts";
import { rollup } from "../../src/schema/rollup.ts";
import { Scene } from "./support.ts";

const Task = entity("tasks", {
  id: t.int().primaryKey(),
  weekId: t.int().nullable(),
  name: t.text(),
  score: t.int().nullable(),
});
const measures = { tasks: count(), scoreSum: sum(Task.score), names: countDistinct(Task.name) };
const ByWeek = rollup("by_week", Task, { by: { weekId: Task.weekId }, measures });
const ByName = rollup("by_name", Task, {
  by: { name: { column: Task.name, collate: "nocase" } },
  measures: { tasks: count(), best: max(Task.score) },
});
const plain = createCatalog([Task]);
const rolledUp = createCatalog([Task], [ByWeek, ByName]);

const ROWS = `INSERT INTO tasks (week_id, name, score) VALUES
  (1, 'a', 1), (1, 'A', NULL), (2, 'b', 3), (NULL, 'b', 4)`;
const GROUPS = "SELECT week_id, tasks, score_sum, names FROM by_week ORDER BY 1";
const FILLED = [
  [null, 1, 4, 1],
  [1, 2, 1, 2],
  [2, 1, 3, 1],
];

async function migrate(scene: Scene, catalog: Catalog, name: string): Promise<readonly string[]> {
  const migrator = await scene.migrator({ catalog });
  const { changes } = await migrator.new(name);
  await migrator.up();
  await ensureSchema(await scene.store(), catalog, "check");
  return changes;
}

async function expectRight(scene: Scene, catalog: Catalog): Promise<void> {
  const reports = await verifyRollups(await scene.store(), catalog);
  expect(reports.filter(({ ok }) => !ok)).toEqual([]);
}

test("a rollup that comes is filled from the rows that are there, and leads back", async () => {
  await using scene = await Scene.create();
  await ensureSchema(await scene.store(), plain, "create");
  await scene.run(ROWS);

  const changes = await migrate(scene, rolledUp, "rollups");

  expect(changes).toContain("create view by_week");
  expect(await scene.rows(GROUPS)).toEqual(FILLED);
  await expectRight(scene, rolledUp);
  await scene.run("REPLACE INTO tasks VALUES (1, 2, 'b', 10)");
  await expectRight(scene, rolledUp);
  const migrator = await scene.migrator({ catalog: rolledUp });
  expect(await migrator.new("nothing")).toMatchObject({ changes: [] });
  await migrator.down({ to: 1 });
  expect(await scene.objects()).toEqual(["tasks"]);
});

test("a database that is made from the declaration has its rollups, and is as declared", async () => {
  await using scene = await Scene.create();
  const store = await scene.store();

  await ensureSchema(store, rolledUp, "create");
  await scene.run(ROWS);

  await ensureSchema(store, rolledUp, "check");
  expect(await scene.rows(GROUPS)).toEqual(FILLED);
});

test("a rollup that counts other rows is made anew, its neighbour left alone", async () => {
  await using scene = await Scene.create();
  await ensureSchema(await scene.store(), rolledUp, "create");
  await scene.run(ROWS);
  const where = "score > 1";
  const Some = rollup("by_week", Task, { by: { weekId: Task.weekId }, measures, where });
  const changed = createCatalog([Task], [Some, ByName]);

  const changes = await migrate(scene, changed, "some");

  expect(changes.filter((change) => /by_name/.test(change))).toEqual([]);
  expect(await scene.rows(GROUPS)).toEqual([
    [null, 1, 4, 1],
    [2, 1, 3, 1],
  ]);
  await expectRight(scene, changed);
});

test("a rollup that is declared no longer goes with everything that kept it", async () => {
  await using scene = await Scene.create();
  await ensureSchema(await scene.store(), rolledUp, "create");
  await scene.run(ROWS);

  await migrate(scene, createCatalog([Task], [ByName]), "one");
  await scene.run(ROWS);
  await expectRight(scene, createCatalog([Task], [ByName]));
  await migrate(scene, plain, "none");

  const sql = "SELECT name FROM sqlite_schema WHERE name LIKE '%rollup%' OR sql LIKE '%rollup%'";
  expect(await scene.rows(sql)).toEqual([["springhouse_rollups"]]);
  await scene.run(ROWS);
});

test("a source that is made anew with other values is counted anew", async () => {
  await using scene = await Scene.create();
  await ensureSchema(await scene.store(), rolledUp, "create");
  await scene.run(ROWS);
  const Strict = entity("tasks", {
    id: t.int().primaryKey(),
    weekId: t.int().nullable(),
    name: t.text(),
    score: t.int().default(7),
  });
  const Again = rollup("by_week", Strict, {
    by: { weekId: Strict.weekId },
    measures: { tasks: count(), scoreSum: sum(Strict.score), scoreAvg: avg(Strict.score) },
  });
  const changed = createCatalog([Strict], [Again]);

  await migrate(scene, changed, "strict");

  expect(await scene.rows("SELECT week_id, score_sum, score_avg FROM by_week ORDER BY 1")).toEqual([
    [null, 4, 4],
    [1, 8, 4],
    [2, 3, 3],
  ]);
  await expectRight(scene, changed);
});

test("a rollup that stays while its source is made anew with other values is counted anew", async () => {
  await using scene = await Scene.create();
  const Totals = rollup("totals", Task, { by: {}, measures: { sum: sum(Task.weekId) } });
  await ensureSchema(await scene.store(), createCatalog([Task], [Totals]), "create");
  await scene.run(ROWS);
  const Bounded = entity("tasks", {
    id: t.int().primaryKey(),
    weekId: t.int().nullable(),
    name: t.text(),
    score: t.int().default(0),
  });
  const Same = rollup("totals", Bounded, { by: {}, measures: { sum: sum(Bounded.weekId) } });

  await migrate(scene, createCatalog([Bounded], [Same]), "bounded");

  expect(await scene.rows("SELECT id, sum FROM totals")).toEqual([[1, 4]]);
  await expectRight(scene, createCatalog([Bounded], [Same]));
});

test("a trigger that somebody has dropped is a difference from the declaration", async () => {
  await using scene = await Scene.create();
  const store = await scene.store();
  await ensureSchema(store, rolledUp, "create");

  await scene.run('DROP TRIGGER "springhouse_rollup_by_week.delete"');

  await expect(ensureSchema(store, rolledUp, "check")).rejects.toThrow(
    "trigger springhouse_rollup_by_week.delete is missing",
  );
});
