/** Migrations of audited tables: what they change of rows is in the log, as every other change. */

import { expect, test } from "vitest";
import { ensureSchema } from "../../src/migrate/schema.ts";
import { createCatalog } from "../../src/schema/catalog.ts";
import { t } from "../../src/schema/column.ts";
import { entity } from "../../src/schema/entity.ts";
import type { Entity } from "../../src/schema/types.ts";
import { Scene } from "./support.ts";

const LOG =
  "SELECT entity_type, entity_id, action, user_id, changes FROM audit_log WHERE id > 4 ORDER BY id";
const before = entity(
  "things",
  { a: t.int(), b: t.text(), n: t.int().nullable(), big: t.bigint().nullable(), gone: t.int() },
  { primaryKey: ["a", "b"], audit: true },
);
const rows =
  "INSERT INTO things (a, b, n, big, gone) VALUES " +
  "(1, 'x', NULL, NULL, 0), (1, 'y', 5, NULL, 0), (2, 'x', NULL, 6, 0), (3, 'x', 5, 6, 0)";

async function migrate(scene: Scene, from: Entity, to: Entity): Promise<void> {
  await ensureSchema(await scene.store(), createCatalog([from]), "create");
  await scene.run(rows);
  const migrator = await scene.migrator({ catalog: createCatalog([to]) });
  await migrator.new("change");
  await migrator.up();
  await ensureSchema(await scene.store(), createCatalog([to]), "check");
}

test("a default that takes the place of NULL is logged for each row that it changes", async () => {
  await using scene = await Scene.create();
  const after = entity(
    "things",
    {
      a: t.int(),
      b: t.text(),
      n: t.int().default(7),
      big: t.bigint().default(8n),
      more: t.text().default("m"),
    },
    { primaryKey: ["a", "b"], audit: true },
  );

  await migrate(scene, before, after);

  const entry = (id: string, changes: object): unknown[] => [
    "things",
    id,
    "update",
    null,
    JSON.stringify(changes),
  ];
  const [n, big] = [
    { old: null, new: 7 },
    { old: null, new: "8" },
  ];
  expect(await scene.rows(LOG)).toEqual([
    entry('[1,"x"]', { n, big }),
    entry('[1,"y"]', { big }),
    entry('[2,"x"]', { n }),
  ]);
});

test("a rebuild that copies rows as they are logs nothing", async () => {
  await using scene = await Scene.create();
  const after = entity(
    "things",
    {
      a: t.int(),
      b: t.text(),
      n: t.int({ max: 100 }).nullable(),
      big: t.bigint().nullable(),
      gone: t.int(),
    },
    { primaryKey: ["a", "b"], audit: true },
  );

  await migrate(scene, before, after);

  expect(await scene.rows(LOG)).toEqual([]);
});

test("the way back is logged as well, by the triggers that stood in the file", async () => {
  await using scene = await Scene.create();
  const was = entity(
    "things",
    { a: t.int().primaryKey(), b: t.text().default("d") },
    { audit: true },
  );
  const after = entity(
    "things",
    { a: t.int().primaryKey(), b: t.text().nullable() },
    {
      audit: true,
    },
  );
  await ensureSchema(await scene.store(), createCatalog([was]), "create");
  const migrator = await scene.migrator({ catalog: createCatalog([after]) });
  await migrator.new("loosen");
  await migrator.up();
  await scene.run("INSERT INTO things VALUES (1, NULL), (2, 'e'), (3, 'f'), (4, 'g')");

  await migrator.down();

  expect(await scene.rows(LOG)).toEqual([
    ["things", "1", "update", null, '{"b":{"old":null,"new":"d"}}'],
  ]);
});
