import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createCatalog } from "../../src/schema/catalog.ts";
import { type AnyColumn, t } from "../../src/schema/column.ts";
import { addForeignKey, createIndex, physicalSchema } from "../../src/schema/ddl.ts";
import { entity } from "../../src/schema/entity.ts";
import { literal, quoteIdentifier } from "../../src/schema/quote.ts";
import { PostgresSchema, skipPostgres } from "./psql.ts";
import { sqliteWith, statementsOf, UUID } from "./support.ts";

const id = t.int().primaryKey();

/** Everything that DDL can say, in one schema, with names that need quotes. */
const Group = entity('odd "group"', {
  id,
  label: t.text({ minLength: 1, maxLength: 100 }).unique().column('the "label"'),
});
const Item = entity(
  "items",
  {
    id,
    groupId: t.int().references('odd "group".id', { onDelete: "cascade", onUpdate: "restrict" }),
    parentId: t.int().nullable().references("items.id", { onDelete: "set null" }),
    big: t.bigint({ min: -5 }).default(2n ** 62n),
    ratio: t.real({ min: 0, max: 1 }).default(0.1),
    flag: t.boolean().default(true),
    data: t.json().default({ quote: "it's", list: [1] }),
    key: t.uuid().default(UUID),
    day: t.date().default("2024-02-29"),
    today: t.date().defaultNow(),
    at: t.timestamp().default(new Date(1_500)),
    now: t.timestamp().defaultNow(),
    bytes: t.blob().default(new Uint8Array([0, 255])),
    state: t.enum(["open", "it's"]).default("it's"),
    note: t.text().nullable(),
  },
  {
    indexes: [
      { on: [{ day: "desc" }, "state"], where: "state = 'open'", name: "open_items" },
      { on: ["key"], unique: true },
    ],
    uniques: [{ on: ["groupId", "day"] }],
    checks: [{ name: "big_is_even", expression: "big % 2 = 0" }],
    search: ["note"],
  },
);
const Left = entity("lefts", { id, rightId: t.int().nullable().references("rights.id") });
const Right = entity("rights", { id, leftId: t.int().nullable().references("lefts.id") });
const Pair = entity("pairs", { a: t.int(), b: t.text() }, { primaryKey: ["a", "b"] });
const PairItem = entity(
  "pair_items",
  { id, a: t.int(), b: t.text() },
  {
    foreignKeys: [
      { on: ["a", "b"], references: { table: "pairs", columns: ["a", "b"] }, onDelete: "cascade" },
    ],
  },
);
const ALL = [Item, Group, Left, Right, PairItem, Pair];

describe("the DDL for SQLite", () => {
  it("makes STRICT tables that SQLite accepts, with the defaults in them", () => {
    using db = sqliteWith(ALL);

    db.exec(`INSERT INTO "odd ""group""" VALUES (1, 'x')`);
    const insert = db.prepare("INSERT INTO items (group_id) VALUES (1) RETURNING *");
    insert.setReadBigInts(true);
    const row = insert.get() ?? {};

    expect(row).toMatchObject({
      id: 1n,
      parent_id: null,
      big: 2n ** 62n,
      ratio: 0.1,
      flag: 1n,
      data: '{"quote":"it\'s","list":[1]}',
      key: UUID,
      day: "2024-02-29",
      at: 1_500n,
      bytes: new Uint8Array([0, 255]),
      state: "it's",
      note: null,
    });
    expect(Math.abs(Number(row["now"]) - Date.now())).toBeLessThan(60_000);
    expect(row["today"]).toMatch(/^\d{4}-\d{2}-\d{2}$/);
    expect(
      db.prepare("SELECT name FROM pragma_table_list WHERE strict = 0").all(),
    ).not.toContainEqual(expect.objectContaining({ name: "items" }));
  });

  it("keeps the milliseconds of the present moment whole", () => {
    using db = new DatabaseSync(":memory:");
    const now = physicalSchema(createCatalog([Item, Group]), "sqlite")
      .tables.find(({ name }) => name === "items")
      ?.columns.find(({ name }) => name === "now");

    const { kind } = db.prepare(`SELECT typeof(${now?.default}) AS kind`).get() ?? {};

    expect(kind).toBe("integer");
  });

  it("lets SQLite number a single int key", () => {
    using db = sqliteWith([Group]);

    db.exec(`INSERT INTO "odd ""group""" ("the ""label""") VALUES ('a'), ('b')`);

    expect(db.prepare(`SELECT id, rowid AS number FROM "odd ""group"""`).all()).toMatchObject([
      { id: 1, number: 1 },
      { id: 2, number: 2 },
    ]);
  });

  it("enforces foreign keys: nothing without its group, a cascade, a restriction, a NULL", () => {
    using db = sqliteWith(ALL);
    db.exec(`INSERT INTO "odd ""group""" VALUES (1, 'x')`);
    db.exec("INSERT INTO items (id, group_id) VALUES (1, 1)");
    db.exec(
      `INSERT INTO items (id, group_id, parent_id, day, key)
       VALUES (2, 1, 1, '2024-01-01', '${UUID.replace("0", "1")}')`,
    );

    expect(() => db.exec("UPDATE items SET group_id = 2")).toThrow(/FOREIGN KEY/);
    expect(() => db.exec(`UPDATE "odd ""group""" SET id = 5`)).toThrow(/FOREIGN KEY/);
    db.exec("DELETE FROM items WHERE id = 1");
    expect(db.prepare("SELECT parent_id FROM items").all()).toMatchObject([{ parent_id: null }]);
    db.exec(`DELETE FROM "odd ""group"""`);
    expect(db.prepare("SELECT * FROM items").all()).toEqual([]);
  });

  it("uses the indexes as they were declared", () => {
    using db = sqliteWith(ALL);

    const plan = db
      .prepare("EXPLAIN QUERY PLAN SELECT day FROM items WHERE state = 'open' ORDER BY day DESC")
      .all();

    expect(plan.map(({ detail }) => detail).join()).toMatch(/USING (COVERING )?INDEX open_items/);
    expect(plan.map(({ detail }) => detail).join()).not.toContain("TEMP B-TREE");
  });
});

type CheckCase = readonly [string, AnyColumn & { nullable(): AnyColumn }, string, string];

const CHECKS: readonly CheckCase[] = [
  ["an int is no text", t.int(), "1", "'abc'"],
  ["an int is at least min", t.int({ min: 1 }), "1", "0"],
  ["an int is at most max", t.int({ max: 1 }), "1", "2"],
  ["a real has limits", t.real({ min: 0.5, max: 1e21 }), "0.5", "0.4"],
  ["a text is long enough", t.text({ minLength: 2 }), "'👍👍'", "'👍'"],
  ["a text is short enough", t.text({ maxLength: 2 }), "'👍👍'", "'abc'"],
  ["a uuid has its form", t.uuid(), `'${UUID}'`, `'${UUID.slice(1)}'`],
  ["a uuid has its digits", t.uuid(), `'${UUID}'`, `'${UUID.replace("b", "g")}'`],
  ["a day is a day", t.date(), "'2024-02-29'", "'2025-02-29'"],
  ["an enum is one of its values", t.enum(["a", "it's"]), "'it''s'", "'b'"],
  ["JSON can be read", t.json(), `'{"a":1}'`, `'{"a":'`],
  ["what is not nullable is not NULL", t.text(), "''", "NULL"],
];

describe("a CHECK in the database holds that", () => {
  let postgres: PostgresSchema;

  beforeAll(() => {
    if (!skipPostgres) postgres = new PostgresSchema();
  });

  afterAll(() => {
    if (!skipPostgres) postgres[Symbol.dispose]();
  });

  const forSqlite: readonly CheckCase[] = [
    ...CHECKS,
    ["a boolean is 0 or 1", t.boolean(), "1", "2"],
    ["a uuid is in lower case", t.uuid(), `'${UUID}'`, `'${UUID.toUpperCase()}'`],
    ["a day has its form", t.date(), "'0001-01-01'", "'2024-1-1'"],
    ["a day is no word", t.date(), "'2024-01-01'", "'now'"],
    ["a moment is a number", t.timestamp(), "-1", "'2024-01-01'"],
    ["bytes are bytes", t.blob(), "x'00'", "'abc'"],
  ];

  it.each(forSqlite)("%s, on SQLite", (_, column, good, bad) => {
    using db = sqliteWith([entity("things", { id, value: column })]);

    db.exec(`INSERT INTO things (value) VALUES (${good})`);

    expect(() => db.exec(`INSERT INTO things (value) VALUES (${bad})`)).toThrow(
      /constraint failed|cannot store/,
    );
  });

  it.each(forSqlite)("%s, but NULL passes where it is allowed", (_, column) => {
    using db = sqliteWith([entity("things", { id, value: column.nullable() })]);

    expect(db.prepare("INSERT INTO things (value) VALUES (NULL)").run().changes).toBe(1);
  });

  it("a rule over several columns is met, on SQLite", () => {
    using db = sqliteWith([Item, Group]);
    db.exec(`INSERT INTO "odd ""group""" VALUES (1, 'x')`);

    expect(() => db.exec("INSERT INTO items (group_id, big) VALUES (1, 3)")).toThrow(/big_is_even/);
  });

  it.skipIf(skipPostgres).each(CHECKS)("%s, on PostgreSQL", (name, column, good, bad) => {
    const table = `things_${CHECKS.findIndex(([first]) => first === name)}`;
    const create = statementsOf([entity(table, { id, value: column })], "postgres").join(";\n");
    postgres.run(`${create};\nINSERT INTO ${table} (value) VALUES (${good})`);

    expect(() => postgres.run(`INSERT INTO ${table} (value) VALUES (${bad})`)).toThrow(
      /violates|invalid input|out of range/,
    );
  });
});

describe.skipIf(skipPostgres)("the DDL for PostgreSQL", () => {
  it("is accepted, circles and all, with the defaults in it", () => {
    using schema = new PostgresSchema();

    schema.run(`${statementsOf(ALL, "postgres").join(";\n")};`);
    schema.run(`INSERT INTO "odd ""group""" ("the ""label""") VALUES ('x')`);
    schema.run("INSERT INTO items (group_id) VALUES (1)");
    const [row] = schema.rows(
      "SELECT *, extract(epoch FROM at) * 1000 AS at_ms, encode(bytes, 'hex') AS hex FROM items",
    );

    expect(row).toMatchObject({
      id: 1,
      ratio: 0.1,
      flag: true,
      data: { quote: "it's", list: [1] },
      key: UUID,
      day: "2024-02-29",
      at_ms: 1_500,
      hex: "00ff",
      state: "it's",
      note: null,
    });
  });

  it("adds the foreign keys of a circle when both tables are there", () => {
    using schema = new PostgresSchema();
    const create = statementsOf([Left, Right], "postgres");

    schema.run(`${create.join(";\n")};`);

    expect(create.filter((sql) => sql.startsWith("ALTER TABLE"))).toHaveLength(1);
    expect(() => schema.run("INSERT INTO lefts (right_id) VALUES (5)")).toThrow(/foreign key/);
    expect(() => schema.run("INSERT INTO rights (left_id) VALUES (5)")).toThrow(/foreign key/);
  });

  it("keeps an index over the words of a search", () => {
    using schema = new PostgresSchema();

    schema.run(`${statementsOf([Item, Group], "postgres").join(";\n")};`);

    expect(
      schema.rows("SELECT indexdef FROM pg_indexes WHERE indexname = 'idx_items_search'"),
    ).toEqual([{ indexdef: expect.stringContaining("to_tsvector('simple'") }]);
  });
});

describe("the physical schema", () => {
  it("knows what the database numbers", () => {
    const [table] = physicalSchema(createCatalog([Group]), "postgres").tables;

    expect(table?.columns[0]).toEqual({
      name: "id",
      type: "bigint",
      notNull: true,
      identity: true,
    });
  });

  it("lets no primary key be NULL", () => {
    const Text = entity("texts", { key: t.text().primaryKey(), value: t.text().nullable() });
    using db = sqliteWith([Text, Pair]);

    expect(() => db.exec("INSERT INTO texts VALUES (NULL, 'x')")).toThrow(/NOT NULL/);
    expect(() => db.exec("INSERT INTO pairs VALUES (1, NULL)")).toThrow(/NOT NULL/);
  });

  it("gives SQL of a single index and of a foreign key", () => {
    expect(
      createIndex({
        name: "i",
        table: "t",
        columns: [{ name: "a", descending: true }],
        unique: true,
        where: "a > 0",
      }),
    ).toBe('CREATE UNIQUE INDEX "i" ON "t" ("a" DESC) WHERE a > 0');
    expect(
      addForeignKey("t", {
        columns: ["a", "b"],
        table: "u",
        references: ["c", "d"],
        onDelete: "set null",
        onUpdate: "no action",
      }),
    ).toBe(
      'ALTER TABLE "t" ADD CONSTRAINT "fk_t_a_b" FOREIGN KEY ("a", "b") ' +
        'REFERENCES "u" ("c", "d") ON DELETE SET NULL',
    );
  });
});

describe("quoting", () => {
  it("survives every character in names and values", () => {
    using db = new DatabaseSync(":memory:");
    const name = `a"b'c;--`;

    const row = db.prepare(`SELECT ${literal(name, "sqlite")} AS ${quoteIdentifier(name)}`).get();

    expect(row).toEqual({ [name]: name });
    expect(literal(null, "sqlite")).toBe("NULL");
    expect(literal(-5n, "sqlite")).toBe("-5");
    expect(literal(new Uint8Array([1, 255]), "sqlite")).toBe("x'01ff'");
    expect(literal(new Uint8Array([1, 255]), "postgres")).toBe("'\\x01ff'");
  });
});
