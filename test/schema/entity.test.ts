import * as valibot from "valibot";
import { describe, expect, it } from "vitest";
import * as zod from "zod";
import { type AnyColumn, type Columns, t } from "../../src/schema/column.ts";
import { entity, factsOf, isEntity } from "../../src/schema/entity.ts";
import { definition } from "../../src/schema/types.ts";
import { failureOf } from "./support.ts";

const id = t.int().primaryKey();

/** Declares as a JavaScript program would, without the help of types. */
function declare(
  columns: Record<string, unknown>,
  options: object = {},
  table = "things",
): unknown {
  return entity(table, columns as Columns, options);
}

describe("an entity", () => {
  const Task = entity(
    "tasks",
    {
      id,
      weekId: t.int().references("weeks.id", { onDelete: "cascade" }).index(),
      label: t.text({ maxLength: 100 }).unique().column("task_label"),
      createdAt: t.timestamp().defaultNow(),
    },
    {
      indexes: [{ on: ["weekId", { createdAt: "desc" }], where: "task_label <> ''" }],
      uniques: [{ on: ["weekId", "label"], name: "one_label_a_week" }],
      checks: [{ name: "ck_label", expression: "length(task_label) > 0" }],
      audit: true,
      search: ["label"],
    },
  );
  const facts = factsOf(Task);

  it("has its columns and ~standard as its only string properties", () => {
    expect(Object.keys(Task)).toEqual(["id", "weekId", "label", "createdAt", "~standard"]);
    expect(Object.getOwnPropertySymbols(Task)).toEqual([definition]);
  });

  it("gives each column as a handle that knows its facts", () => {
    expect(Task.weekId).toMatchObject({ table: "tasks", property: "weekId", kind: "int" });
    expect(Task.label.facts).toBe(facts.byName.get("task_label"));
  });

  it("cannot be changed", () => {
    expect(Object.isFrozen(Task)).toBe(true);
    expect(Object.isFrozen(facts)).toBe(true);
    expect(facts.columns.every(Object.isFrozen)).toBe(true);
  });

  it("names columns, indexes and constraints in SQL", () => {
    expect(facts.columns.map(({ name }) => name)).toEqual([
      "id",
      "week_id",
      "task_label",
      "created_at",
    ]);
    expect(facts.indexes).toEqual([
      {
        name: "idx_tasks_week_id",
        columns: [{ name: "week_id", descending: false }],
        unique: false,
      },
      {
        name: "idx_tasks_week_id_created_at",
        columns: [
          { name: "week_id", descending: false },
          { name: "created_at", descending: true },
        ],
        unique: false,
        where: "task_label <> ''",
      },
    ]);
    expect(facts.uniques).toEqual([
      { name: "uq_tasks_task_label", columns: ["task_label"] },
      { name: "one_label_a_week", columns: ["week_id", "task_label"] },
    ]);
    expect(facts.foreignKeys).toEqual([
      {
        columns: ["week_id"],
        table: "weeks",
        references: ["id"],
        onDelete: "cascade",
        onUpdate: "no action",
      },
    ]);
    expect(facts.search).toEqual(["task_label"]);
    expect(facts.audit).toBe(true);
  });

  it("lets the database number a single int key, and only that", () => {
    const numbered = (columns: Columns): unknown =>
      factsOf(entity("x", columns)).primaryKey[0]?.default;

    expect(numbered({ id })).toEqual({ from: "rowid" });
    expect(numbered({ id: id.default(7) })).toEqual({ from: "value", value: 7 });
    expect(numbered({ id: id.references("y.id") })).toBeUndefined();
    expect(numbered({ id: t.bigint().primaryKey() })).toBeUndefined();
    expect(numbered({ id, other: t.int().primaryKey() })).toBeUndefined();
  });

  it("can be told from other values", () => {
    expect(isEntity(Task)).toBe(true);
    expect([null, undefined, {}, "tasks", factsOf(Task)].some(isEntity)).toBe(false);
  });

  it("keeps the order of the option primaryKey", () => {
    const Pair = entity("pairs", { a: t.int(), b: t.text() }, { primaryKey: ["b", "a"] });

    expect(factsOf(Pair).primaryKey.map(({ property }) => property)).toEqual(["b", "a"]);
    expect(factsOf(Pair).byProperty.get("a")?.primaryKey).toBe(true);
  });
});

describe("a column", () => {
  it("is not changed by its methods", () => {
    const text = t.text();

    const unique = text.unique();

    expect(text.settings.unique).toBe(false);
    expect(unique.settings.unique).toBe(true);
    expect(Object.isFrozen(unique.settings)).toBe(true);
  });

  it("takes limits as options and as methods", () => {
    expect(t.int({ min: 0, max: 9 }).settings).toEqual(t.int().min(0).max(9).settings);
    expect(t.text({ minLength: 1, maxLength: 2, pattern: /a/ }).settings).toEqual(
      t.text().minLength(1).maxLength(2).pattern(/a/).settings,
    );
  });

  it("takes one refine", () => {
    const refined = t.text().refine(zod.string());

    expect(failureOf(() => refined.refine(zod.string())).code).toBe("INVALID_SCHEMA");
  });
});

describe("a declaration is refused, naming entity, property and reason, when", () => {
  const cases: readonly (readonly [string, Record<string, unknown>, object, string])[] = [
    ["two columns have one name", { id, weekId: t.int(), week_id: t.int() }, {}, "week_id"],
    ["two names differ by case", { id, a: t.int().column("ID") }, {}, "a"],
    ["a property is no identifier", { id, "a-b": t.int() }, {}, "a-b"],
    ["a property clashes with ~standard", { id, "~standard": t.int() }, {}, "~standard"],
    ["a column is no column", { id, a: "int" }, {}, "a"],
    ["a column is missing", { id, a: undefined }, {}, "a"],
    ["a column has an empty name", { id, a: t.int().column("") }, {}, "a"],
    ["a column is called rowid", { id, a: t.int().column("ROWID") }, {}, "a"],
    ["min is above max", { id, a: t.int({ min: 2, max: 1 }) }, {}, "a"],
    ["a limit is no number", { id, a: t.int({ min: Number.NaN }) }, {}, "a"],
    ["a limit of an int has a fraction", { id, a: t.int({ min: 0.5 }) }, {}, "a"],
    ["a limit is infinite", { id, a: t.real({ max: Number.POSITIVE_INFINITY }) }, {}, "a"],
    ["minLength is above maxLength", { id, a: t.text({ minLength: 2, maxLength: 1 }) }, {}, "a"],
    ["a length is negative", { id, a: t.text({ maxLength: -1 }) }, {}, "a"],
    ["an enum is empty", { id, a: t.enum([]) }, {}, "a"],
    ["an enum has a value twice", { id, a: t.enum(["x", "x"]) }, {}, "a"],
    ["an enum has a value with NUL", { id, a: t.enum(["x\0"]) }, {}, "a"],
    ["a primary key is nullable", { id: t.int().primaryKey().nullable() }, {}, "id"],
    ["a primary key is json", { id: t.json().primaryKey() }, {}, "id"],
    ["a primary key is real", { id: t.real().primaryKey() }, {}, "id"],
    ["a named key is nullable", { a: t.int().nullable() }, { primaryKey: ["a"] }, "a"],
    ["a key names no property", { id: t.int() }, { primaryKey: ["ID"] }, "ID"],
    ["a key names a property twice", { a: t.int() }, { primaryKey: ["a", "a"] }, "a"],
    ["a key is said in two ways", { id, b: t.int() }, { primaryKey: ["b"] }, "id"],
    ["a default is too long", { id, a: t.text({ maxLength: 1 }).default("ab") }, {}, "a"],
    ["a default is too short", { id, a: t.text({ minLength: 1 }).default("") }, {}, "a"],
    ["a default is below min", { id, a: t.int({ min: 1 }).default(0) }, {}, "a"],
    ["a default is not in the enum", { id, a: t.enum(["x"]).default("y" as "x") }, {}, "a"],
    ["a default breaks the pattern", { id, a: t.text({ pattern: /^x/ }).default("y") }, {}, "a"],
    ["a default breaks refine", { id, a: t.text().refine(zod.email()).default("y") }, {}, "a"],
    ["a default is no day", { id, a: t.date().default("2025-02-30") }, {}, "a"],
    ["a default is null", { id, a: t.json().nullable().default(null) }, {}, "a"],
    ["a reference has no column", { id, a: t.int().references("weeks" as "a.b") }, {}, "a"],
    ["a reference has three parts", { id, a: t.int().references("a.b.c") }, {}, "a"],
    [
      "a reference has an unknown action",
      { id, a: t.int().references("b.id", { onDelete: "CASCADE" as "cascade" }) },
      {},
      "a",
    ],
    [
      "set null meets a column that is never NULL",
      { id, a: t.int().references("b.id", { onDelete: "set null" }) },
      {},
      "a",
    ],
    [
      "set default meets a column without default",
      { id, a: t.int().references("b.id", { onUpdate: "set default" }) },
      {},
      "a",
    ],
    ["an index names no property", { id }, { indexes: [{ on: ["x"] }] }, "x"],
    ["an index goes nowhere", { id }, { indexes: [{ on: [{ id: "up" }] }] }, "id"],
    ["a unique names no property", { id }, { uniques: [{ on: ["x"] }] }, "x"],
    ["a foreign key names no property", { id }, { foreignKeys: [foreignKey(["x"])] }, "x"],
    ["the search names no property", { id }, { search: ["x"] }, "x"],
    ["the search is over a number", { id }, { search: ["id"] }, "id"],
    ["the search meets a name of FTS5", { id, rank: t.text() }, { search: ["rank"] }, "rank"],
  ];

  it.each(cases)("%s", (_, columns, options, property) => {
    const error = failureOf(() => declare(columns, options));

    expect(error.code).toBe("INVALID_SCHEMA");
    expect(error.fields).toEqual({ table: "things", property });
    expect(error.message).toMatch(/^Entity "things", property ".+": .{10,}\.$/);
  });

  const whole: readonly (readonly [string, Record<string, unknown>, object, RegExp])[] = [
    ["there is no primary key", { a: t.int() }, {}, /no primary key/],
    ["an option is misspelt", { id }, { index: [] }, /Did you mean "indexes"/],
    ["an index is empty", { id }, { indexes: [{ on: [] }] }, /names no property/],
    ["a condition is empty", { id }, { indexes: [{ on: ["id"], where: " " }] }, /where/],
    [
      "two indexes have one name",
      { id },
      {
        indexes: [
          { on: ["id"], name: "i" },
          { on: ["id"], name: "I" },
        ],
      },
      /two indexes have the name "i"/i,
    ],
    [
      "two uniques are the same",
      { id, a: t.int().unique() },
      { uniques: [{ on: ["a"] }] },
      /two uniques/,
    ],
    ["a check is empty", { id }, { checks: [{ name: "c", expression: "" }] }, /"c" is empty/],
    ["a check has no name", { id }, { checks: [{ name: "", expression: "1" }] }, /name/],
    [
      "a check has the name of a column's own",
      { id },
      { checks: [{ name: "ck_things_id", expression: "1" }] },
      /two checks/,
    ],
    [
      "a foreign key has sides of different lengths",
      { id },
      { foreignKeys: [foreignKey(["id"], ["a", "b"])] },
      /has 1 columns but refers to 2/,
    ],
    [
      "a foreign key has an unknown action",
      { id },
      { foreignKeys: [{ ...foreignKey(["id"]), onDelete: "drop" }] },
      /"drop" is not an action/,
    ],
    [
      "a foreign key would set a key to NULL",
      { id },
      { foreignKeys: [{ ...foreignKey(["id"]), onDelete: "set null" }] },
      /needs nullable\(\) on "id"/,
    ],
  ];

  it.each(whole)("%s", (_, columns, options, message) => {
    const error = failureOf(() => declare(columns, options));

    expect(error.code).toBe("INVALID_SCHEMA");
    expect(error.message).toMatch(message);
  });

  it.each(["sqlite_x", "springhouse_x", "", "a.b", "x".repeat(64)])("the table is %j", (table) => {
    const error = failureOf(() => declare({ id }, {}, table));

    expect(error.code).toBe("INVALID_SCHEMA");
  });

  it.each(["schema_migrations", "SCHEMA_VERSION"])("the table is the ledger, %s", (table) => {
    const error = failureOf(() => declare({ id }, {}, table));

    expect(error.code).toBe("INVALID_SCHEMA");
    expect(error.message).toContain("migrations are recorded under this name; take another");
  });

  const kinds: readonly (readonly [string, (column: never) => AnyColumn, string])[] = [
    ["min", (column) => call(column, "min", 1), "boolean"],
    ["maxLength", (column) => call(column, "maxLength", 1), "int"],
    ["pattern", (column) => call(column, "pattern", /a/), "uuid"],
    ["defaultNow()", (column) => call(column, "defaultNow"), "text"],
    ["defaultRandom()", (column) => call(column, "defaultRandom"), "int"],
    ["onUpdateNow()", (column) => call(column, "onUpdateNow"), "int"],
  ];

  it.each(kinds)("%s is put on the wrong kind by a program without types", (what, make, kind) => {
    const column = make(t[kind as "int"]() as never);

    const error = failureOf(() => declare({ id, a: column }));

    expect(error.message).toContain(`${what} is for `);
    expect(error.message).toContain(`not for ${kind}`);
  });

  it("refine is given something else by a program without types", () => {
    const column = t.text().refine({} as never);

    expect(failureOf(() => declare({ id, a: column })).message).toContain("Standard Schema");
  });
});

function foreignKey(on: readonly string[], columns: readonly string[] = ["id"]): object {
  return { on, references: { table: "others", columns } };
}

function call(column: never, method: string, ...rest: readonly unknown[]): AnyColumn {
  const methods = column as Record<string, (...values: readonly unknown[]) => AnyColumn>;
  return (methods[method] as (...values: readonly unknown[]) => AnyColumn).apply(column, [...rest]);
}

describe("a default", () => {
  it("is kept as it is stored", () => {
    const Thing = entity("things", {
      id: t.uuid().primaryKey().default("0B9D3C8E-5F2A-4D1C-9E77-3A1F6B2C4D5E"),
      name: t.text({ trim: true }).default("  x "),
    });

    const values = factsOf(Thing).columns.map((column) => column.default);

    expect(values).toEqual([
      { from: "value", value: "0b9d3c8e-5f2a-4d1c-9e77-3a1f6b2c4d5e" },
      { from: "value", value: "x" },
    ]);
  });

  it("goes through refine, and what that makes of it has to be storable", () => {
    const upper = t.text({ maxLength: 3 }).refine(zod.string().toUpperCase()).default("abc");
    const longer = zod.string().transform((text) => `${text}!`);

    expect(factsOf(entity("things", { id, a: upper })).byProperty.get("a")?.default).toEqual({
      from: "value",
      value: "ABC",
    });
    expect(
      failureOf(() => declare({ id, a: t.text({ maxLength: 3 }).refine(longer).default("abc") }))
        .message,
    ).toContain("the default must be at most 3 characters long, has 4");
  });

  it("is not held against a refine that answers later", () => {
    const later = valibot.pipeAsync(
      valibot.string(),
      valibot.checkAsync(() => Promise.reject(new Error("offline"))),
    );

    const Thing = entity("things", { id, a: t.text().refine(later).default("x") });

    expect(factsOf(Thing).byProperty.get("a")?.default).toEqual({ from: "value", value: "x" });
  });
});
