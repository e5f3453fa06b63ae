import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  expectTypeOf,
  test,
} from "vitest";
import { Models } from "../../src/repository/models.ts";
import { many, one } from "../../src/repository/relation.ts";
import { Repository } from "../../src/repository/repository.ts";
import { createCatalog } from "../../src/schema/catalog.ts";
import { t } from "../../src/schema/column.ts";
import { createStatements, physicalSchema } from "../../src/schema/ddl.ts";
import { entity } from "../../src/schema/entity.ts";
import type { RowOf } from "../../src/schema/types.ts";
import { type Fixture, Member, openFixture, storeKinds, Task, Week } from "./support.ts";

describe.each(storeKinds)("includes over the %s store", (kind) => {
  let fixture: Fixture;

  beforeAll(async () => {
    fixture = await openFixture(kind);
  });

  beforeEach(async () => {
    await fixture.clear();
    await fixture.of(Week).createMany([{ label: "w1" }, { label: "w2" }, { label: "w3" }]);
    await fixture.of(Task).createMany([
      { weekId: 1, title: "a", score: 1 },
      { weekId: 1, title: "b", score: 3 },
      { weekId: 2, title: "c", score: 2 },
      { weekId: 1, title: "d", score: 2 },
    ]);
    await fixture.of(Member).createMany([
      { taskId: 1, name: "x" },
      { taskId: 1, name: "y" },
      { taskId: 4, name: "x" },
    ]);
    fixture.statements.length = 0;
  });

  afterAll(async () => {
    await fixture[Symbol.asyncDispose]();
  });

  test("rows get what they refer to and what refers to them", async () => {
    const rows = await fixture.of(Task).list({
      include: { week: one(Week), members: many(Member) },
    });

    expectTypeOf(rows[0]?.week).toEqualTypeOf<RowOf<typeof Week> | null | undefined>();
    expectTypeOf(rows[0]?.members).toEqualTypeOf<readonly RowOf<typeof Member>[] | undefined>();
    expect(rows.map(({ week }) => week?.label)).toEqual(["w1", "w1", "w2", "w1"]);
    expect(rows.map(({ members }) => members.map(({ name }) => name))).toEqual([
      ["x", "y"],
      [],
      [],
      ["x"],
    ]);
  });

  test("each relation costs one statement, however many rows, and nested ones likewise", async () => {
    const weeks = await fixture.of(Week).list({
      include: { tasks: many(Task, { include: { members: many(Member), week: one(Week) } }) },
    });

    expect(fixture.statements).toHaveLength(4);
    expect(weeks.map(({ tasks }) => tasks.map(({ title }) => title))).toEqual([
      ["a", "b", "d"],
      ["c"],
      [],
    ]);
    expect(weeks[0]?.tasks[0]?.members[1]?.name).toBe("y");
    expect(weeks[1]?.tasks[0]?.week?.label).toBe("w2");
  });

  test("no rows cost no further statements", async () => {
    await fixture.of(Task).list({ where: { score: 99 }, include: { week: one(Week) } });

    expect(fixture.statements).toHaveLength(1);
  });

  test("related rows can be chosen, ordered and limited for each row", async () => {
    const weeks = await fixture.of(Week).list({
      include: {
        best: many(Task, { where: { title: { ne: "b" } }, orderBy: { score: "desc" }, limit: 1 }),
      },
    });

    expect(weeks.map(({ best }) => best.map(({ title }) => title))).toEqual([["d"], ["c"], []]);
    expect(fixture.statements).toHaveLength(2);
  });

  test("get, getMany, page and search include as well", async () => {
    const tasks = fixture.of(Task);
    const include = { week: one(Week) };

    const got = await tasks.get(3, { include });
    const several = await tasks.getMany([3, 99, 3], { include });
    const page = await tasks.page({ limit: 1, include });
    const missing = await tasks.get(99, { include });

    expect(got?.week?.label).toBe("w2");
    expect(several.map((row) => row?.week?.label)).toEqual(["w2", undefined, "w2"]);
    expect(page.rows[0]?.week?.label).toBe("w1");
    expect(missing).toBeUndefined();
  });

  test("thousands of rows are read in a few statements", async () => {
    const labels = Array.from({ length: 2_100 }, (_, index) => ({ label: `l${index}` }));
    await fixture.of(Week).createMany(labels);
    fixture.statements.length = 0;
    const weeks = fixture.of(Week, { limits: { size: 5_000, sizeMax: 5_000 } });

    const rows = await weeks.list({ include: { tasks: many(Task) } });

    expect(rows).toHaveLength(2_103);
    expect(fixture.statements).toHaveLength(1 + 3);
  });

  test("includes that cannot work are refused", async () => {
    const tasks = fixture.of(Task);
    const bad = [
      { other: many(Week) },
      { title: one(Week) },
      { week: Week as never },
      { members: many(Member, { limt: 1 } as never) },
      { members: many(Member, { limit: -1 }) },
    ];

    for (const include of bad) {
      await expect(tasks.list({ include })).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    }
  });
});

describe("which way a relation leads", () => {
  const Person = entity("people", {
    id: t.int().primaryKey(),
    name: t.text(),
    managerId: t.int().nullable().references("people.id"),
  });
  const Letter = entity("letters", {
    id: t.int().primaryKey(),
    fromId: t.int().references("people.id"),
    toId: t.int().references("people.id"),
  });
  const Passport = entity("passports", {
    id: t.int().primaryKey(),
    personId: t.int().unique().references("people.id"),
  });
  const Place = entity(
    "places",
    { country: t.text(), city: t.text() },
    { primaryKey: ["country", "city"] },
  );
  const Visit = entity(
    "visits",
    { id: t.int().primaryKey(), country: t.text().nullable(), city: t.text().nullable() },
    {
      foreignKeys: [
        { on: ["country", "city"], references: { table: "places", columns: ["country", "city"] } },
      ],
    },
  );
  const catalog = createCatalog([Person, Letter, Passport, Place, Visit]);
  let fixture: Fixture;
  let people: Repository<typeof Person>;
  let letters: Repository<typeof Letter>;
  let visits: Repository<typeof Visit>;

  beforeEach(async () => {
    fixture = await openFixture();
    const statements = createStatements(physicalSchema(catalog, "sqlite"));
    await fixture.store.write(statements.map((sql) => ({ sql, parameters: [] })));
    const scope = { ...fixture.scope, models: new Models(catalog, "sqlite") };
    people = new Repository(Person, scope);
    letters = new Repository(Letter, scope);
    visits = new Repository(Visit, scope);
    await people.createMany([
      { name: "a" },
      { name: "b", managerId: 1 },
      { name: "c", managerId: 1 },
    ]);
    await letters.create({ fromId: 1, toId: 2 });
    await new Repository(Passport, scope).create({ personId: 2 });
    await new Repository(Place, scope).create({ country: "fr", city: "Lyon" });
    await visits.createMany([
      { country: "fr", city: "Lyon" },
      { country: "fr", city: null },
    ]);
  });

  afterEach(() => fixture[Symbol.asyncDispose]());

  test("an entity can refer to itself in both directions", async () => {
    const rows = await people.list({ include: { manager: one(Person), reports: many(Person) } });

    expect(rows.map(({ manager }) => manager?.name)).toEqual([undefined, "a", "a"]);
    expect(rows[0]?.manager).toBeNull();
    expect(rows.map(({ reports }) => reports.length)).toEqual([2, 0, 0]);
  });

  test("two foreign keys need by, and the error names them", async () => {
    const run = letters.list({ include: { sender: one(Person) } });

    await expect(run).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
      fields: { candidates: ["fromId", "toId"] },
    });
    const [letter] = await letters.list({
      include: { sender: one(Person, { by: "fromId" }), receiver: one(Person, { by: "toId" }) },
    });
    expect([letter?.sender?.name, letter?.receiver?.name]).toEqual(["a", "b"]);
    const [, second] = await people.list({ include: { mail: many(Letter, { by: "toId" }) } });
    expect(second?.mail).toHaveLength(1);
    const wrong = letters.list({ include: { sender: one(Person, { by: "form" }) } });
    await expect(wrong).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  });

  test("a unique foreign key of the other side is one row as well", async () => {
    const rows = await people.list({ include: { passport: one(Passport) } });

    expect(rows.map(({ passport }) => passport?.id ?? null)).toEqual([null, 1, null]);
  });

  test("foreign keys of several columns relate by all of them", async () => {
    const rows = await visits.list({ include: { place: one(Place) } });

    expect(rows.map(({ place }) => place)).toEqual([{ country: "fr", city: "Lyon" }, null]);
  });
});
