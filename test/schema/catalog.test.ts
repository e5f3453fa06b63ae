import { describe, expect, it } from "vitest";
import { createCatalog } from "../../src/schema/catalog.ts";
import { t } from "../../src/schema/column.ts";
import { entity, factsOf } from "../../src/schema/entity.ts";
import type { Entity } from "../../src/schema/types.ts";

const id = t.int().primaryKey();
const Week = entity("weeks", { id, label: t.text().unique(), number: t.int() });

function refusalOf(...entities: readonly Entity[]): string {
  try {
    createCatalog(entities);
  } catch (error) {
    expect(error).toMatchObject({ code: "INVALID_SCHEMA" });
    return (error as Error).message;
  }
  throw new Error("nothing was refused");
}

describe("a catalog", () => {
  const Task = entity("tasks", { id, weekId: t.int().references("weeks.id") });

  it("finds tables and columns by SQL names", () => {
    const catalog = createCatalog([Task, Week]);

    expect(catalog.entities).toEqual([factsOf(Task), factsOf(Week)]);
    expect(catalog.byTable.get("tasks")).toBe(factsOf(Task));
    expect(catalog.column("tasks", "week_id")?.property).toBe("weekId");
    expect(catalog.column("tasks", "weekId")).toBeUndefined();
    expect(catalog.column("task", "id")).toBeUndefined();
  });

  it("orders tables after those they refer to, whatever the order they came in", () => {
    const Event = entity("events", { id, taskId: t.int().references("tasks.id") });

    const order = createCatalog([Event, Task, Week]).creationOrder.map(({ table }) => table);

    expect(order).toEqual(["weeks", "tasks", "events"]);
  });

  it("accepts references to itself and circles", () => {
    const Tree = entity("trees", { id, parentId: t.int().nullable().references("trees.id") });
    const Left = entity("lefts", { id, rightId: t.int().nullable().references("rights.id") });
    const Right = entity("rights", { id, leftId: t.int().references("lefts.id") });

    const order = createCatalog([Tree, Left, Right]).creationOrder.map(({ table }) => table);

    expect(order).toEqual(["trees", "rights", "lefts"]);
  });

  it("accepts references to unique columns and to several of them in any order", () => {
    const Pair = entity("pairs", { a: t.int(), b: t.text() }, { primaryKey: ["a", "b"] });
    const User = entity(
      "users",
      { id, b: t.text(), a: t.int(), label: t.text().references("weeks.label") },
      { foreignKeys: [{ on: ["b", "a"], references: { table: "pairs", columns: ["b", "a"] } }] },
    );

    expect(createCatalog([User, Pair, Week]).entities).toHaveLength(3);
  });

  it("is empty without entities", () => {
    expect(createCatalog([]).creationOrder).toEqual([]);
  });
});

describe("entities are refused together when", () => {
  it("a table is declared twice", () => {
    expect(refusalOf(Week, entity("weeks", { id }))).toContain('name "weeks" is used twice');
    expect(refusalOf(Week, entity("WEEKS", { id }))).toContain("used twice");
  });

  it("an index has the name of another, of a table or of a constraint", () => {
    const index = (name: string): Entity =>
      entity("others", { id }, { indexes: [{ on: ["id"], name }] });

    expect(refusalOf(Week, index("weeks"))).toContain('Entity "others"');
    expect(refusalOf(Week, index("uq_weeks_label"))).toContain('entity "weeks"');
    expect(
      refusalOf(index("i"), entity("more", { id }, { indexes: [{ on: ["id"], name: "I" }] })),
    ).toContain('"I" is used twice');
  });

  it("a table has the name of a search table", () => {
    const Searched = entity("notes", { id, text: t.text() }, { search: ["text"] });

    expect(refusalOf(Searched, entity("notes_search", { id }))).toContain("notes_search");
    expect(refusalOf(entity("notes_search_data", { id }), Searched)).toContain("used twice");
  });

  it("a reference leads to a table or a column that is not declared", () => {
    const toTable = entity("tasks", { id, weekId: t.int().references("week.id") });
    const toColumn = entity("tasks", { id, weekId: t.int().references("weeks.ids") });

    expect(refusalOf(Week, toTable)).toBe(
      'Entity "tasks", property "weekId": refers to the table "week", which is not declared ' +
        '(is "weeks" meant?).',
    );
    expect(refusalOf(Week, toColumn)).toContain('column "ids", which is not declared (is "id"');
  });

  it("a reference leads to columns that are not unique", () => {
    const Task = entity("tasks", { id, number: t.int().references("weeks.number") });

    expect(refusalOf(Week, Task)).toContain("neither its primary key nor under uniques");
  });

  it("a reference leads to one column of a key of two", () => {
    const Query = entity(
      "queries",
      { id: t.text(), profileId: t.text() },
      { primaryKey: ["profileId", "id"] },
    );
    const Data = entity("data", { id, queryId: t.text().references("queries.id") });

    expect(refusalOf(Query, Data)).toContain("the database would refuse every write");
  });

  it("a reference leads to another kind", () => {
    const Task = entity("tasks", { id, weekId: t.text().references("weeks.id") });

    expect(refusalOf(Week, Task)).toContain('is text but refers to "weeks.id", which is int');
  });

  it("a base is missing or is another entity of that name", () => {
    const Detail = entity("details", {}, { base: { entity: Week } });
    const Impostor = entity("weeks", { id });

    expect(refusalOf(Detail)).toContain('table "weeks", which is not declared');
    expect(refusalOf(Detail, Impostor)).toContain("not among the entities");
  });
});
