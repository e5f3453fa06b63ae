import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { EventBus } from "../../src/repository/event-bus.ts";
import { Models } from "../../src/repository/models.ts";
import type { Scope } from "../../src/repository/scope.ts";
import { UnitOfWork } from "../../src/repository/unit-of-work.ts";
import { createCatalog } from "../../src/schema/catalog.ts";
import { t } from "../../src/schema/column.ts";
import { entity } from "../../src/schema/entity.ts";
import {
  Car,
  type entities,
  type Fixture,
  Member,
  Movie,
  openFixture,
  storeKinds,
  Task,
  Week,
} from "./support.ts";

describe.each(storeKinds)("units of work over the %s store", (kind) => {
  let fixture: Fixture;
  let unit: UnitOfWork<typeof entities>;

  const begin = (change: Partial<Scope> = {}): UnitOfWork<typeof entities> =>
    new UnitOfWork<typeof entities>({ ...fixture.scope, ...change });

  beforeAll(async () => {
    fixture = await openFixture(kind);
  });

  beforeEach(async () => {
    await fixture.clear();
    await fixture.of(Week).createMany([{ label: "w1" }, { label: "w2" }]);
    await fixture.of(Task).createMany([
      { weekId: 1, title: "a", extra: { list: [1] } },
      { weekId: 1, title: "b" },
    ]);
    fixture.statements.length = 0;
    fixture.events.length = 0;
    unit = begin();
  });

  afterAll(() => fixture[Symbol.asyncDispose]());

  test("the same key is the same object, changes included", async () => {
    const tasks = unit.repository(Task);
    const first = await tasks.get(1);
    if (first !== undefined) first.title = "changed";

    const again = await tasks.get(1);
    const [listed] = await tasks.list({ where: { title: "a" } });

    expect(again).toBe(first);
    expect(listed).toBe(first);
    expect(await tasks.get(99)).toBeUndefined();
    expect(unit.repository(Task)).toBe(tasks);
  });

  test("nothing is written before the commit, and everything with it", async () => {
    const tasks = unit.repository(Task);
    const [a, b] = await tasks.list({ orderBy: { id: "asc" } });
    if (a === undefined || b === undefined) throw new Error("missing");
    a.title = "A";
    tasks.remove(b);
    const added = await tasks.add({ weekId: 2, title: "c" });
    const before = await fixture.of(Task).list();
    fixture.clock.ms += 1_000;

    await unit.commit();

    expect(before.map(({ title }) => title)).toEqual(["a", "b"]);
    const after = await fixture.of(Task).list();
    expect(after.map(({ title }) => title)).toEqual(["A", "c"]);
    expect(a.updatedAt).toEqual(new Date(fixture.clock.ms));
    expect(added).toEqual(after[1]);
  });

  test("only what was changed is written", async () => {
    const tasks = unit.repository(Task);
    const [a] = await tasks.list();
    if (a === undefined) throw new Error("missing");
    a.title = "x";
    a.title = "a";
    expect(unit.isDirty).toBe(false);
    a.score = 4;
    await fixture.of(Task).patch(1, { state: "done" });

    await unit.commit();

    expect(await fixture.of(Task).get(1)).toMatchObject({ score: 4, state: "done", title: "a" });
  });

  test("a change inside a JSON value is seen", async () => {
    const task = await unit.repository(Task).get(1);
    if (task === undefined) throw new Error("missing");
    (task.extra as { list: number[] }).list.push(2);

    await unit.commit();

    expect((await fixture.of(Task).get(1))?.extra).toEqual({ list: [1, 2] });
  });

  test("parents go before children and children before parents, whatever the order given", async () => {
    const old = await unit.repository(Week).get(1);
    if (old === undefined) throw new Error("missing");
    const members = unit.repository(Member);
    const weeks = unit.repository(Week);
    await members.add({ taskId: 10, name: "x" });
    await unit.repository(Task).add({ id: 10, weekId: 20, title: "n" });
    await weeks.add({ id: 20, label: "w20" });
    for (const task of await unit.repository(Task).list()) unit.repository(Task).remove(task);
    weeks.remove(old);

    await unit.commit();

    expect(await fixture.of(Member).count()).toBe(1);
    expect((await fixture.of(Week).list()).map(({ id }) => id)).toEqual([2, 20]);
    expect((await fixture.of(Task).list()).map(({ id }) => id)).toEqual([10]);
  });

  test("rows refer to rows that have no number yet", async () => {
    const week = await unit.repository(Week).add({ label: "new" });
    const task = await unit.repository(Task).add({ title: "x" }, { weekId: week });
    const member = await unit.repository(Member).add({ name: "ann" }, { taskId: task });
    const known = await unit.repository(Week).get(1);
    const other = await unit.repository(Task).add({ title: "y" }, { weekId: known as object });

    await unit.commit();

    expect(task.weekId).toBe(week.id);
    expect(member).toEqual({ taskId: task.id, name: "ann", role: null });
    expect(other.weekId).toBe(1);
    expect(await fixture.of(Task).get(task.id)).toEqual(task);
  });

  test("a reference that is not one is refused", async () => {
    const week = await unit.repository(Week).add({ label: "new" });
    const tasks = unit.repository(Task);
    const wrong = (): Promise<unknown> =>
      tasks.add({ weekId: 1, title: "x" } as never, { score: week });
    const foreign = (): Promise<unknown> => tasks.add({ title: "x" }, { weekId: { id: 1 } });

    await expect(wrong()).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    await expect(foreign()).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    await tasks.add({ title: "x" }, { weekId: week });
    unit.repository(Week).remove(week);
    await expect(unit.commit()).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  });

  test("a failed commit writes nothing, and can be mended and tried again", async () => {
    const tasks = unit.repository(Task);
    const a = await tasks.get(1);
    if (a === undefined) throw new Error("missing");
    a.score = 9;
    const twin = await tasks.add({ weekId: 1, title: "b" });

    await expect(unit.commit()).rejects.toMatchObject({
      code: "CONSTRAINT",
      ...(kind === "sqlite"
        ? { fields: { entity: "tasks", properties: ["weekId", "title"] } }
        : {}),
    });
    expect((await fixture.of(Task).get(1))?.score).toBe(0);
    expect(fixture.events).toEqual([]);
    twin.title = "c";
    await unit.commit();

    expect((await fixture.of(Task).list()).map(({ score }) => score)).toEqual([9, 0, 0]);
  });

  test("values that are not valid are refused at the commit, before anything is written", async () => {
    const [a, b] = await unit.repository(Task).list();
    if (a === undefined || b === undefined) throw new Error("missing");
    a.score = 5;
    b.score = 101;
    fixture.statements.length = 0;

    await expect(unit.commit()).rejects.toMatchObject({ code: "VALIDATION" });
    b.score = Number.NaN;
    await expect(unit.commit()).rejects.toMatchObject({ code: "VALIDATION" });
    b.id = 7;
    await expect(unit.commit()).rejects.toMatchObject({ code: "VALIDATION" });

    expect(fixture.statements).toEqual([]);
    await expect(unit.repository(Task).add({ weekId: 1, title: "" })).rejects.toThrow("title");
  });

  test("a changed row that is gone is NOT_FOUND, and nothing is written", async () => {
    const tasks = unit.repository(Task);
    const [a, b] = await tasks.list();
    if (a === undefined || b === undefined) throw new Error("missing");
    a.score = 1;
    b.score = 1;
    await fixture.of(Task).delete(b.id);

    await expect(unit.commit()).rejects.toMatchObject({ code: "NOT_FOUND", fields: { key: b.id } });

    expect((await fixture.of(Task).get(a.id))?.score).toBe(0);
  });

  test("an added row that is removed is forgotten, a removed one is no longer found", async () => {
    const weeks = unit.repository(Week);
    const added = await weeks.add({ id: 9, label: "w9" });
    const [first] = await weeks.list();
    if (first === undefined) throw new Error("missing");

    expect(await weeks.get(9)).toBe(added);
    weeks.remove(added);
    weeks.remove(first);

    expect(await weeks.get(9)).toBeUndefined();
    expect(await weeks.get(first.id)).toBeUndefined();
    expect((await weeks.list()).map(({ label }) => label)).toEqual(["w2"]);
    expect(() => weeks.remove({ id: 1, label: "w1" })).toThrow("given out");
    await weeks.add({ id: 9, label: "w9" });
    const twice = weeks.add({ id: 9, label: "w10" });
    await expect(twice).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  });

  test("details, and keys that are numbered for two tables, are written as well", async () => {
    const movie = await unit.repository(Movie).add({ title: "Dune" });
    const car = await unit.repository(Car).add({ plate: "A 1" });

    await unit.commit();
    const second = begin();
    const found = await second.repository(Movie).get(movie.id);
    if (found !== undefined) found.year = 1984;
    await second.commit();

    expect((await fixture.of(Movie).get(movie.id))?.year).toBe(1984);
    expect(await fixture.of(Car).get(car.id)).toEqual(car);
  });

  test("a row that is referred to is deleted after what refers to it", async () => {
    const owner = await fixture.of(Movie).create({ title: "Dune" });
    await fixture.of(Car).create({ plate: "A 1", ownerId: owner.id });
    const movie = await unit.repository(Movie).get(owner.id);
    const [car] = await unit.repository(Car).list();
    if (movie === undefined || car === undefined) throw new Error("missing");
    unit.repository(Movie).remove(movie);
    unit.repository(Car).remove(car);

    await unit.commit();

    expect([await fixture.of(Movie).count(), await fixture.of(Car).count()]).toEqual([0, 0]);
  });

  test("many rows take few statements each, in one transaction", async () => {
    for (let index = 0; index < 1_200; index++) {
      await unit.repository(Week).add({ label: `l${index}` });
    }

    await unit.commit();

    expect(await fixture.of(Week).count()).toBe(1_202);
  });

  test("events come after the commit", async () => {
    const heard: string[] = [];
    const bus = new EventBus<Record<"taskCreated" | "taskUpdated" | "taskDeleted", unknown>>();
    for (const name of ["taskCreated", "taskUpdated", "taskDeleted"] as const) {
      bus.on(name, () => void heard.push(name));
    }
    const listened = begin({ events: bus });
    const tasks = listened.repository(Task);
    const [a, b] = await tasks.list();
    if (a === undefined || b === undefined) throw new Error("missing");
    a.score = 1;
    tasks.remove(b);
    await tasks.add({ weekId: 1, title: "c" });

    expect(heard).toEqual([]);
    await listened.commit();

    expect(heard).toEqual(["taskCreated", "taskUpdated", "taskDeleted"]);
  });

  test("permissions are asked for every row, before anything is written", async () => {
    const denied = begin({ permissions: ({ action }) => action !== "update" });
    const a = await denied.repository(Task).get(1);
    if (a === undefined) throw new Error("missing");
    await denied.repository(Task).add({ weekId: 1, title: "c" });
    a.score = 1;

    await expect(denied.commit()).rejects.toMatchObject({ code: "PERMISSION_DENIED" });

    expect(await fixture.of(Task).count()).toBe(2);
  });
});

describe("the end of a unit of work", () => {
  let fixture: Fixture;

  beforeAll(async () => {
    fixture = await openFixture();
  });

  beforeEach(() => fixture.clear());

  afterAll(() => fixture[Symbol.asyncDispose]());

  const begin = (): UnitOfWork<typeof entities> => new UnitOfWork(fixture.scope);

  test("changes that were forgotten are a loud error, and nothing is written", async () => {
    const forget = async (): Promise<void> => {
      await using unit = begin();
      await unit.repository(Week).add({ label: "a" });
    };

    await expect(forget()).rejects.toMatchObject({
      code: "UNIT_OF_WORK_DROPPED",
      message: expect.stringContaining("with 1 changed row of weeks"),
      fields: { rows: 1, entities: ["weeks"] },
    });
    expect(await fixture.of(Week).count()).toBe(0);
  });

  test("a commit, a rollback and a unit that only read end quietly", async () => {
    const work = async (end: "commit" | "rollback" | "none"): Promise<void> => {
      await using unit = begin();
      if (end !== "none") await unit.repository(Week).add({ label: end });
      await unit.repository(Week).list();
      if (end === "commit") await unit.commit();
      if (end === "rollback") unit.rollback();
    };

    await work("commit");
    await work("rollback");
    await work("none");

    expect((await fixture.of(Week).list()).map(({ label }) => label)).toEqual(["commit"]);
  });

  test("the error of a failed commit is not covered by another", async () => {
    await fixture.of(Week).create({ label: "a" });
    const work = async (): Promise<void> => {
      await using unit = begin();
      await unit.repository(Week).add({ label: "a" });
      await unit.commit();
    };

    await expect(work()).rejects.toMatchObject({ code: "CONSTRAINT" });
  });

  test("another error on its way is kept beside ours", async () => {
    const failure = new Error("first");
    const work = async (): Promise<void> => {
      await using unit = begin();
      await unit.repository(Week).add({ label: "a" });
      throw failure;
    };

    await expect(work()).rejects.toMatchObject({
      suppressed: failure,
      error: { code: "UNIT_OF_WORK_DROPPED" },
    });
  });

  test("after it nothing is taken", async () => {
    const unit = begin();
    const weeks = unit.repository(Week);
    unit.rollback();

    await expect(weeks.get(1)).rejects.toMatchObject({ code: "TRANSACTION_ENDED" });
    await expect(unit.commit()).rejects.toMatchObject({ code: "TRANSACTION_ENDED" });
    expect(() => unit.repository(Week)).toThrow("ended");
    expect(() => unit.rollback()).toThrow("ended");
  });

  test("bytes that are changed in place are a change", async () => {
    const Blob = entity("blobs", { id: t.int().primaryKey(), bytes: t.blob() });
    const models = new Models(createCatalog([Blob]), "sqlite");
    await fixture.store.write([
      { sql: "CREATE TABLE blobs (id INTEGER PRIMARY KEY, bytes BLOB)", parameters: [] },
      { sql: "INSERT INTO blobs VALUES (1, x'0102')", parameters: [] },
    ]);
    const unit = new UnitOfWork<[typeof Blob]>({ ...fixture.scope, models });
    const row = await unit.repository(Blob).get(1);
    expect(unit.isDirty).toBe(false);
    if (row !== undefined) row.bytes[0] = 9;

    await unit.commit();

    const { rows } = await fixture.store.read({
      sql: "SELECT hex(bytes) FROM blobs",
      parameters: [],
    });
    expect(rows).toEqual([["0902"]]);
  });
});
