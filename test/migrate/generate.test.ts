import { readdir, readFile, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createMigrator } from "../../src/migrate/run.ts";
import { ensureSchema } from "../../src/migrate/schema.ts";
import { createCatalog } from "../../src/schema/catalog.ts";
import { t } from "../../src/schema/column.ts";
import { entity } from "../../src/schema/entity.ts";
import { Scene } from "./support.ts";

/** Everything that a template string or a script could trip over. */
const AWKWARD = ["a `back\\tick` $", "{and} 'quotes'"].join("");
const Week = entity("weeks", { id: t.int().primaryKey(), label: t.text().unique() });
const Task = entity("tasks", {
  id: t.int().primaryKey(),
  weekId: t.int().references("weeks.id", { onDelete: "cascade" }).index(),
});
const Wider = entity(
  "weeks",
  {
    id: t.int().primaryKey(),
    label: t.text({ maxLength: 20 }).unique(),
    note: t.text().default(AWKWARD),
  },
  { audit: true, search: ["label"] },
);
const before = createCatalog([Week, Task]);
const after = createCatalog([Wider, Task]);

test("from nothing to a database: written, applied, and as declared", async () => {
  await using scene = await Scene.create();
  const migrator = await scene.migrator({ catalog: before });

  const written = await migrator.new("Create Everything");
  await migrator.up();

  expect(written).toMatchObject({ version: 1, name: "create_everything", hints: [] });
  expect(written.changes).toContain("create table weeks");
  expect(await readdir(scene.migrations)).toEqual(["0001_create_everything.sql"]);
  await ensureSchema(await scene.store(), before, "check");
  expect(await migrator.verify()).toMatchObject({ ok: true });
  expect(await migrator.down()).toMatchObject({ version: 0 });
  expect(await scene.objects()).toEqual([]);
});

test.each(["sql", "ts"] as const)(
  "a difference is written as %s that leads there and back",
  async (format) => {
    await using scene = await Scene.create();
    const store = await scene.store();
    await ensureSchema(store, before, "create");
    await scene.run(
      "INSERT INTO weeks VALUES (1, 'alpha')",
      "INSERT INTO tasks VALUES (1, 1), (2, 1)",
      'CREATE VIEW "named\nDROP TABLE tasks;\u2028await tx" AS SELECT 1',
    );
    const migrator = await scene.migrator({ catalog: after });

    const { paths, path } = await migrator.new("wider", { format });
    const run = await migrator.up();

    expect(paths).toEqual([join(scene.migrations, "0001_baseline.sql"), path]);
    expect(run.migrations).toMatchObject([{ version: 2, name: "wider" }]);
    await ensureSchema(store, after, "check");
    expect(await scene.rows("SELECT note FROM weeks")).toEqual([[AWKWARD]]);
    expect(await scene.rows("SELECT count(*) FROM tasks")).toEqual([[2]]);
    expect(
      await scene.rows("SELECT rowid FROM weeks_search WHERE weeks_search MATCH 'lph'"),
    ).toEqual([[1]]);
    await migrator.down();
    await ensureSchema(store, before, "check");
    expect(await scene.rows("SELECT count(*) FROM tasks")).toEqual([[2]]);
  },
);

test("the baseline builds in an empty database what stood in the old one", async () => {
  await using old = await Scene.create();
  await using fresh = await Scene.create();
  await old.run(
    "CREATE TABLE weeks (id INTEGER PRIMARY KEY AUTOINCREMENT, label TEXT COLLATE NOCASE)",
    "CREATE INDEX lower_label ON weeks (lower(label))",
    "CREATE VIRTUAL TABLE weeks_text USING fts5 (label)",
    "CREATE TRIGGER tr AFTER INSERT ON weeks BEGIN SELECT ';'; END",
    "CREATE TABLE schema_version (version INTEGER)",
    "INSERT INTO schema_version VALUES (3)",
  );
  const migrator = await old.migrator({ catalog: before });
  const { paths } = await migrator.new("adopt");
  for (const path of paths) {
    await fresh.write(path.split("/").at(-1) ?? "", await readFile(path, "utf8"));
  }

  const onOld = await migrator.up();
  const onFresh = await (await fresh.migrator({ catalog: before })).up();

  expect(paths.map((path) => path.split("/").at(-1))).toEqual([
    "0003_baseline.sql",
    "0004_adopt.sql",
  ]);
  expect(onOld.migrations.map(({ version }) => version)).toEqual([4]);
  expect(onFresh.migrations.map(({ version }) => version)).toEqual([3, 4]);
  const schema = "SELECT type, name, sql FROM sqlite_schema WHERE name LIKE '%week%' ORDER BY name";
  expect(await fresh.rows(schema)).toEqual(await old.rows(schema));
});

test("a declared rename keeps the content; undeclared it is only hinted at", async () => {
  const named = createCatalog([
    entity("weeks", { id: t.int().primaryKey(), title: t.text().unique() }),
    Task,
  ]);
  await using scene = await Scene.create();
  await ensureSchema(await scene.store(), before, "create");
  await scene.run("INSERT INTO weeks VALUES (1, 'a')");
  const migrator = await scene.migrator({ catalog: named });

  const guessed = await migrator.new("guessed");
  const other = createMigrator({
    store: await scene.store(),
    directory: join(scene.folder, "other"),
    catalog: named,
  });
  const declared = await other.new("renamed", {
    renames: [{ table: "weeks", column: "label", to: "title" }],
  });
  await other.up();

  expect(guessed.hints).toContainEqual(expect.stringContaining("declare the rename instead"));
  expect(await readFile(guessed.path, "utf8")).toContain("-- Note: if weeks.label was renamed");
  expect(declared.changes[0]).toBe("column weeks.label renamed to title");
  expect(await scene.rows("SELECT title FROM weeks")).toEqual([["a"]]);
});

test("an empty migration is a frame to fill in, in both formats", async () => {
  await using scene = await Scene.create();
  const migrator = await scene.migrator();

  const sql = await migrator.new("first-thing");
  const code = await migrator.new("second thing", { format: "ts" });
  const run = await migrator.up();

  expect(await readFile(sql.path, "utf8")).toBe("-- up\n\n-- down\n");
  expect(await readFile(code.path, "utf8")).toContain("export async function up(_tx");
  expect(run.migrations).toMatchObject([{ name: "first_thing" }, { name: "second_thing" }]);
  expect(sql.changes).toEqual([]);
});

test("a new migration takes the number after the greatest, of files and ledger", async () => {
  await using scene = await Scene.create({ "0007_seven.sql": "" });
  await (await scene.migrator()).up();

  expect(await (await scene.migrator()).new("next")).toMatchObject({ version: 8 });
});

test("a difference is not written while migrations are pending", async () => {
  await using scene = await Scene.create({ "0001_a.sql": "CREATE TABLE a (b);" });

  await expect((await scene.migrator({ catalog: before })).new("more")).rejects.toMatchObject({
    code: "MIGRATION_OUT_OF_ORDER",
    message: expect.stringContaining("0001_a is pending"),
  });
});

test("a difference to a database that is newer than the code is not written", async () => {
  await using scene = await Scene.create({ "0001_a.sql": "CREATE TABLE a (b);" });
  await (await scene.migrator()).up();
  await rm(join(scene.migrations, "0001_a.sql"));

  await expect((await scene.migrator({ catalog: before })).new("more")).rejects.toMatchObject({
    code: "SCHEMA_NEWER",
  });
});

test("a folder that cannot be made is named", async () => {
  await using scene = await Scene.create();
  const directory = join(scene.folder, "elsewhere");
  await symlink(join(scene.folder, "nowhere/at/all"), directory);

  await expect((await scene.migrator({ directory })).new("a")).rejects.toMatchObject({
    code: "UNOPENABLE",
    message: expect.stringContaining(directory),
  });
});

test("what cannot be written is refused with the reason", async () => {
  await using scene = await Scene.create();
  const migrator = await scene.migrator();

  await expect(migrator.new("../evil")).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  await expect(migrator.new(" ")).rejects.toThrow("cannot be the name");
  await expect(migrator.new("x".repeat(81))).rejects.toThrow("at most 80");
  await expect(migrator.new("a", { from: "difference" })).rejects.toThrow("give `catalog`");
  await expect(createMigrator({ store: await scene.store() }).new("a")).rejects.toThrow(
    "`directory`",
  );
  expect(await readdir(scene.migrations)).toEqual([]);
});

test("plan shows what separates the file from the declaration, with its cost", async () => {
  await using scene = await Scene.create();
  await ensureSchema(await scene.store(), before, "create");
  await scene.run("INSERT INTO weeks VALUES (1, 'a'), (2, 'b')");

  const { pending, difference } = await (await scene.migrator({ catalog: after })).plan();

  expect(pending).toEqual([]);
  expect(difference?.steps.find(({ rewritesTable }) => rewritesTable)).toMatchObject({
    table: "weeks",
    rows: 2,
    estimatedMs: 1,
  });
});
