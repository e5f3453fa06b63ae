/** Migrations of a file that has the log of changes. */

import { readFile } from "node:fs/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { coverageOf } from "../../src/capture/coverage.ts";
import {
  fileTables,
  STRUCTURE_QUERIES,
  type StructureRows,
} from "../../src/capture/table-structure.ts";
import { defineMigration } from "../../src/migrate/files.ts";
import { introspect } from "../../src/migrate/introspect.ts";
import { ensureSchema } from "../../src/migrate/schema.ts";
import { createCatalog } from "../../src/schema/catalog.ts";
import { t } from "../../src/schema/column.ts";
import { entity } from "../../src/schema/entity.ts";
import { define, Scene } from "./support.ts";

let scene: Scene;

beforeEach(async () => {
  scene = await Scene.create();
});

afterEach(async () => {
  await scene[Symbol.asyncDispose]();
});

/** Gives the file a log. */
async function cover(): Promise<void> {
  const rows = Object.fromEntries(
    await Promise.all(
      Object.entries(STRUCTURE_QUERIES).map(async ([name, sql]) => [name, await scene.rows(sql)]),
    ),
  ) as StructureRows;
  await scene.run(...coverageOf(fileTables(rows), []).statements);
  await scene.run("DELETE FROM springhouse_log WHERE seq < (SELECT max(seq) FROM springhouse_log)");
}

/** What the log says since it was made, ticks left out. */
async function logged(): Promise<readonly string[]> {
  const rows = await scene.rows(`SELECT DISTINCT s.table_name, l.kind FROM springhouse_log l
    JOIN springhouse_log_shapes s ON s.id = l.shape
    WHERE l.seq > (SELECT min(seq) FROM springhouse_log) ORDER BY 1, 2`);
  return rows.map(([table, kind]) => `${table} ${kind}`);
}

async function triggers(table: string): Promise<number> {
  const rows = await scene.rows(`SELECT count(*) FROM sqlite_schema
    WHERE type = 'trigger' AND name LIKE 'springhouse_log_%' AND tbl_name = '${table}'`);
  return Number(rows[0]?.[0]);
}

const OLD = [
  "CREATE TABLE weeks (id INTEGER PRIMARY KEY, label TEXT, score INTEGER)",
  "CREATE TABLE tasks (id INTEGER PRIMARY KEY, week_id INTEGER REFERENCES weeks ON DELETE CASCADE)",
  "CREATE TABLE quiet (id INTEGER PRIMARY KEY)",
  "INSERT INTO weeks VALUES (1, 'a', 2)",
  "INSERT INTO tasks VALUES (1, 1)",
];

describe("a migration of a file with the log of changes", () => {
  it.each([
    ["ALTER TABLE weeks DROP COLUMN score", ["weeks 0"]],
    ["ALTER TABLE main.weeks RENAME COLUMN label TO name", ["weeks 0"]],
    ['alter table "WEEKS" ADD COLUMN extra', ["weeks 0"]],
    ["ALTER TABLE quiet RENAME TO silent", ["quiet 0", "silent 0"]],
    ["DROP TABLE quiet", ["quiet 0"]],
    ["CREATE TABLE new (id INTEGER PRIMARY KEY)", ["new 0"]],
    ["UPDATE weeks SET score = 3", ["weeks 2"]],
  ])("says which tables are not what they were: %s", async (up, expected) => {
    await scene.run(...OLD);
    await cover();
    const store = await scene.store();

    await (
      await scene.migrator({ migrations: [defineMigration(define(1, { up, down: "SELECT 1" }))] })
    ).up();

    expect((await logged()).filter((entry) => !entry.startsWith("schema_"))).toEqual(expected);
    expect(await triggers("tasks")).toBe(5);
    expect((await introspect(store)).objects).toEqual([]);
  });

  it("clears the way for code that alters tables by itself", async () => {
    await scene.run(...OLD);
    await cover();
    const sql = "ALTER TABLE weeks DROP COLUMN score";
    const up = defineMigration(
      define(1, {
        up: async ({ session }) => {
          await session.transaction((tx) => tx.write([{ sql, parameters: [] }]));
        },
      }),
    );

    await (await scene.migrator({ migrations: [up] })).up();

    expect(await logged()).toContain("weeks 0");
  });

  it("rehearses, rebuilds a table and finds everything as declared", async () => {
    const Week = entity("weeks", { id: t.int().primaryKey(), label: t.text() });
    const Task = entity("tasks", {
      id: t.int().primaryKey(),
      weekId: t.int().nullable().references("weeks.id", { onDelete: "cascade" }),
    });
    const before = createCatalog([Week, Task]);
    const after = createCatalog([
      entity("weeks", { id: t.int().primaryKey(), label: t.text({ maxLength: 9 }) }),
      Task,
    ]);
    const store = await scene.store();
    await ensureSchema(store, before, "create");
    await cover();
    await ensureSchema(store, before, "check");
    await scene.run("INSERT INTO weeks VALUES (1, 'a')", "INSERT INTO tasks VALUES (1, 1)");

    const migrator = await scene.migrator({ catalog: after });
    const { path } = await migrator.new("shorter_labels");
    const text = await readFile(path, "utf8");
    const { dryRun } = await migrator.up({ dryRun: true });
    await migrator.up();

    expect(dryRun?.changes.join()).not.toContain("springhouse");
    expect(text).toContain("springhouse_new_weeks");
    expect(text).not.toContain("springhouse_log");
    expect(await logged()).toEqual(
      expect.arrayContaining(["tasks 1", "weeks 0", "weeks 1"]) as readonly string[],
    );
    expect(await scene.rows("SELECT * FROM tasks")).toEqual([[1, 1]]);
    expect([await triggers("weeks"), await triggers("tasks")]).toEqual([0, 5]);
    await ensureSchema(store, after, "check");
    expect((await migrator.verify()).problems).toEqual([]);
  });
});
