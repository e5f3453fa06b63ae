import { expect, test } from "vitest";
import { planSchema } from "../../src/migrate/plan.ts";
import type { Rename } from "../../src/migrate/rename.ts";
import { createCatalog } from "../../src/schema/catalog.ts";
import { t } from "../../src/schema/column.ts";
import { physicalSchema } from "../../src/schema/ddl.ts";
import { entity } from "../../src/schema/entity.ts";
import type { PhysicalSchema } from "../../src/schema/physical.ts";
import { Scratch } from "./schemas.ts";

interface Note {
  readonly table?: string;
  readonly title?: string;
  readonly search: readonly string[];
  readonly hasCheck?: boolean;
}

/** Notes with a search, and weeks that refer to nothing of it. */
function declared({ table = "notes", title = "title", search, hasCheck }: Note): PhysicalSchema {
  const notes = entity(
    table,
    { id: t.int().primaryKey(), [title]: t.text(), body: t.text() },
    { search: search as ["body"] },
  );
  const weeks = entity("weeks", {
    id: t.int().primaryKey(),
    n: hasCheck ? t.int().min(0) : t.int(),
  });
  return physicalSchema(createCatalog([notes, weeks]), "sqlite");
}

const before = declared({ search: ["title"] });

/** Goes from one declaration to the other; `there` and `back` say which rows a search finds. */
async function wayOf(
  desired: PhysicalSchema,
  renames: readonly Rename[] = [],
): Promise<{ there: unknown; back: unknown; left: unknown; restored: unknown }> {
  using scratch = new Scratch().create(before);
  scratch.database.exec("INSERT INTO notes VALUES (7, 'a green house', 'with a garden')");
  const current = await scratch.schema();
  const plan = planSchema(current, desired, { renames });
  const found = (): unknown =>
    scratch
      .rows("SELECT name FROM sqlite_schema WHERE sql LIKE 'CREATE VIRTUAL%'")
      .map(([name]) => {
        const rows = (word: string): unknown =>
          scratch.rows(`SELECT rowid FROM "${name}" WHERE "${name}" MATCH '${word}'`).flat();
        return { name, house: rows("house"), garden: rows("garden") };
      });
  scratch.run(plan.steps);
  const there = found();
  const left = planSchema(await scratch.schema(), desired).steps;
  scratch.run(plan.inverse);
  const back = found();
  return { there, back, left, restored: planSchema(await scratch.schema(), current).steps };
}

const AS_BEFORE = [{ name: "notes_search", house: [7], garden: [] }];

test("a search over other columns finds the rows that are there, and on the way back too", async () => {
  const way = await wayOf(declared({ search: ["title", "body"] }));

  expect(way).toEqual({
    there: [{ name: "notes_search", house: [7], garden: [7] }],
    back: AS_BEFORE,
    left: [],
    restored: [],
  });
});

test("a search that goes comes back full", async () => {
  const way = await wayOf(declared({ search: [] }));

  expect(way).toEqual({ there: [], back: AS_BEFORE, left: [], restored: [] });
});

test("the search of one table changes while another table is rebuilt", async () => {
  const way = await wayOf(declared({ search: ["title", "body"], hasCheck: true }));

  expect(way).toEqual({
    there: [{ name: "notes_search", house: [7], garden: [7] }],
    back: AS_BEFORE,
    left: [],
    restored: [],
  });
});

test("the search follows a renamed column, and back", async () => {
  const way = await wayOf(declared({ title: "name", search: ["name"] }), [
    { table: "notes", column: "title", to: "name" },
  ]);

  expect(way).toEqual({ there: AS_BEFORE, back: AS_BEFORE, left: [], restored: [] });
});

test("the search follows a renamed table, and back", async () => {
  const way = await wayOf(declared({ table: "todos", search: ["title"] }), [
    { table: "notes", to: "todos" },
  ]);

  expect(way).toEqual({
    there: [{ name: "todos_search", house: [7], garden: [] }],
    back: AS_BEFORE,
    left: [],
    restored: [],
  });
});

test("a search finds what a rebuild puts in place of NULL, and no more when it is deleted", async () => {
  const memos = (body: "nullable" | "fallback"): PhysicalSchema =>
    physicalSchema(
      createCatalog([
        entity(
          "memos",
          {
            id: t.int().primaryKey(),
            body: body === "nullable" ? t.text().nullable() : t.text().default("fallback"),
          },
          { search: ["body"] },
        ),
      ]),
      "sqlite",
    );
  using scratch = new Scratch().create(memos("nullable"));
  scratch.database.exec("INSERT INTO memos VALUES (1, NULL), (2, 'garden')");
  const plan = planSchema(await scratch.schema(), memos("fallback"));
  const found = (word: string): unknown =>
    scratch.rows(`SELECT rowid FROM memos_search WHERE memos_search MATCH '${word}'`).flat();

  scratch.run(plan.steps);

  expect([found("fallback"), found("garden")]).toEqual([[1], [2]]);
  scratch.database.exec("DELETE FROM memos WHERE id = 1");
  expect(found("fallback")).toEqual([]);
});
