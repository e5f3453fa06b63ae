import { open, rm } from "node:fs/promises";
import { expect, test } from "vitest";
import { ensureSchema } from "../../src/migrate/schema.ts";
import { createCatalog } from "../../src/schema/catalog.ts";
import { t } from "../../src/schema/column.ts";
import { entity } from "../../src/schema/entity.ts";
import { openDirectStore } from "../support/direct-store.ts";
import { Scene } from "./support.ts";

const Week = entity("weeks", { id: t.int().primaryKey(), label: t.text().index() });
const catalog = createCatalog([Week]);

test("a database that agrees with everything is fine", async () => {
  await using scene = await Scene.create({ "0001_a.sql": "CREATE TABLE other (id INTEGER);" });
  await ensureSchema(await scene.store(), catalog, "create");
  const migrator = await scene.migrator({ catalog });
  await migrator.up();

  expect(await migrator.verify()).toEqual({
    ok: true,
    problems: [],
    notes: ["table other is not declared; it is left alone"],
  });
});

test("a schema that was changed by hand is found, object by object", async () => {
  await using scene = await Scene.create({
    "0001_a.sql": "CREATE TABLE a (id); CREATE TABLE b (id); CREATE INDEX b_id ON b (id);",
  });
  const migrator = await scene.migrator();
  await migrator.up();
  await scene.run("ALTER TABLE a ADD COLUMN n", "DROP INDEX b_id", "CREATE VIEW v AS SELECT 1");

  const { ok, problems } = await migrator.verify();

  expect(ok).toBe(false);
  expect(problems).toMatchObject([
    {
      code: "SCHEMA_DRIFT",
      message: expect.stringContaining("since 0001_a"),
      fields: { changes: ["index b_id was dropped", "table a was altered", "view v was added"] },
    },
  ]);
});

test("a file that was made by open and changed by hand is found as well", async () => {
  await using scene = await Scene.create();
  await ensureSchema(await scene.store(), catalog, "create");
  await scene.run("DROP INDEX idx_weeks_label", "CREATE INDEX more ON weeks (label)");

  const { problems, notes } = await (await scene.migrator({ catalog })).verify();

  expect(problems).toMatchObject([
    { code: "SCHEMA_DRIFT", message: expect.stringContaining("since it was made") },
    {
      code: "SCHEMA_MISMATCH",
      fields: { differences: ["index idx_weeks_label on weeks is missing"] },
    },
  ]);
  expect(notes).toEqual(["index more on weeks is not declared"]);
});

test("an index that is declared otherwise is one difference, not a surplus", async () => {
  await using scene = await Scene.create();
  await ensureSchema(await scene.store(), catalog, "create");
  await scene.run(
    "DROP INDEX idx_weeks_label",
    "CREATE UNIQUE INDEX idx_weeks_label ON weeks (label)",
  );

  const { problems, notes } = await (await scene.migrator({ catalog })).verify();

  expect(problems.map(({ fields }) => fields["differences"])).toContainEqual([
    "index idx_weeks_label on weeks is not as declared",
  ]);
  expect(notes).toEqual([]);
});

test("changed, missing and skipped migrations are all told at once", async () => {
  await using scene = await Scene.create({
    "0001_a.sql": "CREATE TABLE a (id);",
    "0002_b.sql": "CREATE TABLE b (id);",
    "0004_d.sql": "CREATE TABLE d (id);",
  });
  await (await scene.migrator()).up();
  await scene.write("0001_a.sql", "CREATE TABLE a (changed);");
  await scene.write("0003_c.sql", "CREATE TABLE c (id);");
  await rm(`${scene.migrations}/0002_b.sql`);

  const { problems } = await (await scene.migrator()).verify();

  expect(problems.map(({ code }) => code)).toEqual([
    "MIGRATION_CHANGED",
    "SCHEMA_NEWER",
    "MIGRATION_OUT_OF_ORDER",
  ]);
});

test("rows that refer to nothing are a problem", async () => {
  await using scene = await Scene.create();
  await scene.run(
    "CREATE TABLE u (id INTEGER PRIMARY KEY, t_id REFERENCES t (id))",
    "CREATE TABLE t (id INTEGER PRIMARY KEY)",
  );
  await (await scene.store()).transaction(
    (tx) => tx.write([{ sql: "INSERT INTO u VALUES (1, 1)", parameters: [] }]),
    { foreignKeys: "off" },
  );

  const { problems } = await (await scene.migrator()).verify();

  expect(problems).toMatchObject([
    { code: "CONSTRAINT", fields: { problems: ["u → t: 1 row refers to nothing"] } },
  ]);
});

test("while migrations are pending, the difference to the declaration is expected", async () => {
  await using scene = await Scene.create({
    "0001_weeks.sql": "CREATE TABLE weeks (id INTEGER PRIMARY KEY);",
  });

  expect((await (await scene.migrator({ catalog })).verify()).ok).toBe(true);
});

test("a damaged file is a problem", async () => {
  await using scene = await Scene.create();
  await scene.run(
    "CREATE TABLE a (b TEXT)",
    "CREATE INDEX a_b ON a (b)",
    "INSERT INTO a VALUES (1)",
  );
  const [[page] = []] = await scene.rows("SELECT rootpage FROM sqlite_schema WHERE name = 'a_b'");
  const file = await open(scene.path, "r+");
  await file.write(Buffer.alloc(64), 0, 64, Number(page) * 4096 - 64);
  await file.close();
  await using store = openDirectStore(scene.path);

  const { problems } = await (await scene.migrator({ store })).verify();

  expect(problems).toMatchObject([
    { code: "CORRUPT", message: expect.stringContaining("Restore a backup") },
  ]);
});
