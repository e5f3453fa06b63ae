import { rm } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ensureSchema } from "../../src/migrate/schema.ts";
import { createCatalog } from "../../src/schema/catalog.ts";
import { t } from "../../src/schema/column.ts";
import { entity } from "../../src/schema/entity.ts";
import { openSqliteStore } from "../../src/store/sqlite/store.ts";
import { counting, Scene } from "./support.ts";

const Week = entity("weeks", { id: t.int().primaryKey(), label: t.text() });
const Wider = entity("weeks", {
  id: t.int().primaryKey(),
  label: t.text(),
  score: t.int().default(0),
});
const ADD_SCORE = "ALTER TABLE weeks ADD COLUMN score INTEGER NOT NULL DEFAULT (0);";
const catalog = createCatalog([Week]);
const wider = createCatalog([Wider]);

test("an empty database gets the declared schema, and an unchanged one costs two small reads", async () => {
  await using scene = await Scene.create();
  const { store, calls } = counting(await scene.store());
  await ensureSchema(store, catalog, "create");
  calls.length = 0;

  await ensureSchema(store, catalog, "create");

  expect(await scene.objects()).toEqual(["weeks"]);
  expect(calls).toEqual([
    "read PRAGMA schema_version",
    expect.stringMatching(/^read SELECT value FROM springhouse_meta WHERE key = /),
  ]);
});

test("every change of the schema, from whatever side, brings the comparison back", async () => {
  await using scene = await Scene.create();
  const store = await scene.store();
  await ensureSchema(store, catalog, "create");

  await scene.run("CREATE TABLE other (a)");
  const counted = counting(store);
  await ensureSchema(counted.store, catalog, "create");
  await scene.run("ALTER TABLE weeks RENAME COLUMN label TO name");

  expect(counted.calls.length).toBeGreaterThan(2);
  await expect(ensureSchema(store, catalog, "create")).rejects.toMatchObject({
    code: "SCHEMA_MISMATCH",
  });
});

test("a database that differs is left as it is, and the differences are listed", async () => {
  await using scene = await Scene.create();
  const store = await scene.store();
  await scene.run("CREATE TABLE weeks (id INTEGER PRIMARY KEY, label TEXT)");

  for (const mode of ["create", "check"] as const) {
    await expect(ensureSchema(store, wider, mode)).rejects.toMatchObject({
      code: "SCHEMA_MISMATCH",
      message: expect.stringMatching(
        /column weeks\.score is missing[\s\S]*springhouse migrate new/,
      ),
      fields: {
        differences: [
          "column weeks.label is TEXT, declared TEXT NOT NULL",
          "column weeks.score is missing",
          "table weeks lacks the mark STRICT",
        ],
      },
    });
  }
  await ensureSchema(store, wider, "ignore");
  expect(await scene.rows("SELECT name FROM sqlite_schema")).toEqual([["weeks"]]);
});

test("an empty database is a mismatch when it is only to be checked", async () => {
  await using scene = await Scene.create();

  await expect(ensureSchema(await scene.store(), catalog, "check")).rejects.toMatchObject({
    fields: { differences: ["table weeks is missing"] },
  });
});

test("very many differences are counted, not all printed", async () => {
  await using scene = await Scene.create();
  const many = createCatalog(
    Array.from({ length: 40 }, (_, index) => entity(`t${index}`, { id: t.int().primaryKey() })),
  );

  await expect(ensureSchema(await scene.store(), many, "check")).rejects.toThrow("and 10 more");
});

test("a database that somebody else made, as declared, is accepted and not written to", async () => {
  await using scene = await Scene.create();
  await scene.run(
    'CREATE TABLE weeks (id INTEGER PRIMARY KEY, "label" TEXT NOT NULL) STRICT',
    "CREATE INDEX theirs ON weeks (label)",
  );

  await ensureSchema(await scene.store(), catalog, "create");

  expect(await scene.objects()).toEqual(["theirs", "weeks"]);
  expect(await scene.rows("SELECT count(*) FROM sqlite_schema")).toEqual([[2]]);
});

test("code from before the last migration is told that the database is newer", async () => {
  await using scene = await Scene.create({ "0001_score.sql": ADD_SCORE });
  const store = await scene.store();
  await ensureSchema(store, catalog, "create");
  await (await scene.migrator({ catalog: wider })).up();

  await ensureSchema(store, wider, "check");

  await expect(ensureSchema(store, catalog, "check")).rejects.toMatchObject({
    code: "SCHEMA_NEWER",
    message: expect.stringContaining("0001_score was applied after the schema"),
  });
});

test("who migrated, and with which declaration, does not matter for that", async () => {
  await using scene = await Scene.create({
    "0001_weeks.sql": "CREATE TABLE weeks (id INTEGER PRIMARY KEY, label TEXT NOT NULL) STRICT;",
  });
  const store = await scene.store();
  await (await scene.migrator({ catalog })).up();
  await scene.write("0002_score.sql", ADD_SCORE);
  await (await scene.migrator()).up();

  await expect(ensureSchema(store, catalog, "check")).rejects.toMatchObject({
    code: "SCHEMA_NEWER",
  });
});

test("after the way back the older code is at home again, and the newer one is not", async () => {
  await using scene = await Scene.create({
    "0001_score.sql": `${ADD_SCORE}\n-- down\nALTER TABLE weeks DROP COLUMN score;`,
  });
  const store = await scene.store();
  await ensureSchema(store, catalog, "create");
  const migrator = await scene.migrator({ catalog: wider });
  await migrator.up();
  await migrator.down();

  await ensureSchema(store, catalog, "check");

  await expect(ensureSchema(store, wider, "check")).rejects.toMatchObject({
    code: "SCHEMA_MISMATCH",
  });
  await migrator.up();
  await expect(ensureSchema(store, catalog, "check")).rejects.toMatchObject({
    code: "SCHEMA_NEWER",
  });
});

test("a migration that keeps to the declaration makes nobody old", async () => {
  await using scene = await Scene.create({ "0001_note.sql": "CREATE TABLE notes (a);" });
  const store = await scene.store();
  await ensureSchema(store, catalog, "create");
  await (await scene.migrator({ catalog: wider })).up();

  await ensureSchema(store, catalog, "check");

  await expect(ensureSchema(store, wider, "check")).rejects.toMatchObject({
    code: "SCHEMA_MISMATCH",
  });
});

test("a database made by open counts as having had the migrations of the folder", async () => {
  await using scene = await Scene.create({
    "0001_weeks.sql": "CREATE TABLE weeks (id INTEGER PRIMARY KEY, label TEXT NOT NULL) STRICT;",
  });
  const options = { migrationsDirectory: scene.migrations };

  await ensureSchema(await scene.store(), catalog, "create", options);

  const migrator = await scene.migrator({ catalog });
  expect(await migrator.status()).toMatchObject({
    version: 1,
    upToDate: true,
    migrations: [{ state: "baseline" }],
  });
  expect((await migrator.verify()).ok).toBe(true);
});

test("two openings at once make one schema", async () => {
  await using scene = await Scene.create();
  const stores = [await scene.open(), await scene.open(), await scene.open()];

  await Promise.all(stores.map((store) => ensureSchema(store, catalog, "create")));

  expect(await scene.objects()).toEqual(["weeks"]);
});

test("a read-only database is compared every time, and never written", async () => {
  await using scene = await Scene.create();
  await using writable = await openSqliteStore({ url: `sqlite:${scene.path}` });
  await ensureSchema(writable, catalog, "create");
  await writable.write([{ sql: "CREATE VIEW v AS SELECT 1", parameters: [] }]);
  await using store = await openSqliteStore({ url: `sqlite:${scene.path}`, readOnly: true });

  await ensureSchema(store, catalog, "check");

  await expect(ensureSchema(store, wider, "create")).rejects.toMatchObject({
    code: "SCHEMA_MISMATCH",
  });
});

const WEEKS = "CREATE TABLE weeks (id INTEGER PRIMARY KEY, label TEXT NOT NULL) STRICT;";

test.each([
  ["in one run", async (scene: Scene) => void (await (await scene.migrator()).up())],
  [
    "when open made the file",
    async (scene: Scene) =>
      ensureSchema(await scene.store(), wider, "create", { migrationsDirectory: scene.migrations }),
  ],
])("a migration that the folder lacks makes the database newer, applied %s", async (_, make) => {
  await using scene = await Scene.create({ "0001_weeks.sql": WEEKS, "0002_score.sql": ADD_SCORE });
  const options = { migrationsDirectory: scene.migrations };
  await make(scene);
  const store = await scene.store();
  await ensureSchema(store, wider, "check", options);
  await rm(join(scene.migrations, "0002_score.sql"));

  await expect(ensureSchema(store, catalog, "create", options)).rejects.toMatchObject({
    code: "SCHEMA_NEWER",
    message: expect.stringContaining("0002_score, which this code does not have"),
  });
});

test("it is newer too when that migration left the declared tables alone", async () => {
  await using scene = await Scene.create({ "0001_weeks.sql": WEEKS });
  const options = { migrationsDirectory: scene.migrations };
  const store = await scene.store();
  await (await scene.migrator()).up();
  await ensureSchema(store, catalog, "create", options);
  await scene.write("0002_upper.sql", "UPDATE weeks SET label = upper(label);");
  await (await scene.migrator()).up();
  await ensureSchema(store, catalog, "create", options);
  await ensureSchema(store, catalog, "create");
  await rm(join(scene.migrations, "0002_upper.sql"));

  await expect(ensureSchema(store, catalog, "create", options)).rejects.toMatchObject({
    code: "SCHEMA_NEWER",
  });
});

test("the folder costs no query while nothing changes, and must be there", async () => {
  await using scene = await Scene.create({ "0001_weeks.sql": WEEKS });
  const { store, calls } = counting(await scene.store());
  const options = { migrationsDirectory: scene.migrations };
  await ensureSchema(store, catalog, "create", options);
  calls.length = 0;

  await ensureSchema(store, catalog, "create", options);

  expect(calls).toHaveLength(2);
  const migrationsDirectory = join(scene.folder, "nowhere");
  await expect(ensureSchema(store, catalog, "create", { migrationsDirectory })).rejects.toThrow(
    `${migrationsDirectory} does not exist`,
  );
});

test("what to do about a difference depends on what is pending", async () => {
  await using scene = await Scene.create({ "0001_weeks.sql": WEEKS });
  const options = { migrationsDirectory: scene.migrations };
  const store = await scene.store();
  await (await scene.migrator()).up();
  const messageOf = () => ensureSchema(store, wider, "check", options).catch(String);

  expect(await messageOf()).toContain("Nothing is pending: write a migration");
  await scene.write("0002_score.sql", ADD_SCORE);
  expect(await messageOf()).toMatch(/Pending: 0002_score\. Run `springhouse migrate up`\.$/);
});
