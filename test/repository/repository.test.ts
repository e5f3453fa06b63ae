import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Repository } from "../../src/repository/repository.ts";
import { type Fixture, Member, openFixture, sinkOf, storeKinds, Task, Week } from "./support.ts";

describe.each(storeKinds)("repositories over the %s store", (kind) => {
  let fixture: Fixture;
  let weeks: Repository<typeof Week>;
  let tasks: Repository<typeof Task>;

  beforeAll(async () => {
    fixture = await openFixture(kind);
  });

  beforeEach(async () => {
    await fixture.clear();
    weeks = fixture.of(Week);
    tasks = fixture.of(Task);
    await weeks.createMany([{ label: "w1" }, { label: "w2" }]);
    fixture.events.length = 0;
    fixture.statements.length = 0;
  });

  afterAll(async () => {
    await fixture[Symbol.asyncDispose]();
  });

  describe("create and get", () => {
    test("a created row comes back with its number and its defaults, and is read the same", async () => {
      const created = await tasks.create({ weekId: 1, title: "Atlas" });
      const read = await tasks.get(created.id);

      const now = new Date(fixture.clock.ms);
      expect(created).toEqual({
        id: 1,
        weekId: 1,
        title: "Atlas",
        state: "open",
        score: 0,
        ratio: null,
        isPaid: false,
        dueOn: null,
        extra: null,
        createdAt: now,
        updatedAt: now,
      });
      expect(read).toEqual(created);
    });

    test("values of all kinds come back as they went in", async () => {
      const given = {
        id: 77,
        weekId: 2,
        title: "Ü'\"; DROP TABLE tasks; -- 한글 𝄞",
        state: "done" as const,
        score: 100,
        ratio: 0.1,
        isPaid: true,
        dueOn: "2024-02-29",
        extra: { a: [1, null, { b: "x" }] },
        createdAt: new Date(1),
        updatedAt: new Date(2),
      };

      await tasks.create(given);

      expect(await tasks.get(77)).toEqual(given);
    });

    test("a missing row is undefined", async () => {
      expect(await tasks.get(1)).toBeUndefined();
      expect(await tasks.exists(1)).toBe(false);
    });

    test("bad rows are refused whole, naming every field, and nothing is written", async () => {
      const bad = { weekId: "1", title: "", score: 101, nope: 1 } as unknown as {
        weekId: number;
        title: string;
      };

      const error = await tasks.create(bad).catch((reason: unknown) => reason);

      expect(error).toMatchObject({ code: "VALIDATION" });
      const paths = (error as { issues: { path: unknown[] }[] }).issues.map(({ path }) => path[0]);
      expect(new Set(paths)).toEqual(new Set(["nope", "weekId", "title", "score"]));
      expect(await tasks.count()).toBe(0);
    });

    test.each([["1"], [null], [undefined], [1.5], [{ id: 1 }], [[1]]])(
      "the key %j is refused",
      async (key) => {
        await expect(tasks.get(key as number)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
      },
    );

    test("keys of several columns are objects", async () => {
      const members = fixture.of(Member);
      await tasks.create({ weekId: 1, title: "a" });
      await members.createMany([
        { taskId: 1, name: "x", role: "lead" },
        { taskId: 1, name: "y" },
      ]);

      const one = await members.get({ taskId: 1, name: "x" });
      const several = await members.getMany([
        { taskId: 1, name: "y" },
        { taskId: 2, name: "y" },
        { taskId: 1, name: "x" },
      ]);

      expect(one).toEqual({ taskId: 1, name: "x", role: "lead" });
      expect(several.map((row) => row?.role)).toEqual([null, undefined, "lead"]);
      const partly = members.get({ taskId: 1 } as { taskId: number; name: string });
      await expect(partly).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
      const more = members.get({ taskId: 1, name: "x", rle: 1 } as {
        taskId: number;
        name: string;
      });
      await expect(more).rejects.toMatchObject({ code: "UNKNOWN_FIELD" });
    });

    test("getMany keeps the order of the keys, with gaps and repetitions", async () => {
      await tasks.createMany([
        { weekId: 1, title: "a" },
        { weekId: 1, title: "b" },
      ]);

      const rows = await tasks.getMany([2, 99, 1, 2]);

      expect(rows.map((row) => row?.title)).toEqual(["b", undefined, "a", "b"]);
      expect(await tasks.getMany([])).toEqual([]);
    });

    test("getMany takes more keys than a statement may have variables", async () => {
      await tasks.create({ weekId: 1, title: "a" });
      const keys = Array.from({ length: 40_000 }, (_, index) => index);

      const rows = await tasks.getMany(keys);

      expect(rows.filter((row) => row !== undefined)).toEqual([expect.objectContaining({ id: 1 })]);
    });
  });

  describe("createMany", () => {
    test("gives the number of rows, or the rows in order", async () => {
      const number = await tasks.createMany([{ weekId: 1, title: "a" }]);
      const rows = await tasks.createMany(
        [
          { weekId: 1, title: "c" },
          { weekId: 1, title: "b" },
        ],
        { returning: true },
      );

      expect(number).toBe(1);
      expect(rows.map(({ id, title }) => [id, title])).toEqual([
        [2, "c"],
        [3, "b"],
      ]);
      expect(await tasks.createMany([])).toBe(0);
      expect(await tasks.createMany([], { returning: true })).toEqual([]);
    });

    test.each([true, false])("takes thousands of rows, listened to: %s", async (listened) => {
      const events = sinkOf(() => {}, listened);
      const rows = Array.from({ length: 1_001 }, (_, index) => ({ label: `l${index}` }));

      const number = await fixture.of(Week, { events }).createMany(rows);

      expect(number).toBe(1_001);
      expect(await weeks.count()).toBe(1_003);
    });

    test.each([true, false])("one bad row leaves nothing, listened to: %s", async (listened) => {
      const events = sinkOf(() => {}, listened);
      async function* rows(): AsyncGenerator<{ label: string }> {
        for (let index = 0; index < 700; index++) yield { label: `l${index}` };
        yield { label: "x".repeat(101) };
      }

      const run = fixture.of(Week, { events }).createMany(rows());

      await expect(run).rejects.toMatchObject({
        code: "VALIDATION",
        issues: [{ path: [700, "label"] }],
      });
      expect(await weeks.count()).toBe(2);
    });

    test("all bad rows of a list are named", async () => {
      const rows = [{ weekId: 1, title: "" }, { weekId: 1, title: "a" }, { title: "b" } as never];

      await expect(tasks.createMany(rows)).rejects.toMatchObject({
        issues: [{ path: [0, "title"] }, { path: [2, "weekId"] }],
      });
    });

    test("rows with and rows without a key cannot be mixed", async () => {
      const silent = fixture.of(Week, { events: sinkOf(() => {}, false) });

      const run = silent.createMany([{ label: "a" }, { id: 9, label: "b" }]);

      await expect(run).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
      expect(await weeks.count()).toBe(2);
    });
  });

  describe("patch and update", () => {
    beforeEach(async () => {
      await tasks.create({ weekId: 1, title: "a", ratio: 0.5, extra: [1] });
      fixture.clock.ms += 1_000;
    });

    test("a patch changes what is given, and the time of the update", async () => {
      const before = await tasks.get(1);

      const after = await tasks.patch(1, { title: "b", ratio: undefined, extra: null });

      expect(after).toEqual({
        ...before,
        title: "b",
        extra: null,
        updatedAt: new Date(fixture.clock.ms),
      });
      expect(await tasks.get(1)).toEqual(after);
    });

    test("an empty patch changes nothing", async () => {
      const before = await tasks.get(1);

      expect(await tasks.patch(1, {})).toEqual(before);
      await expect(tasks.patch(9, {})).rejects.toMatchObject({ code: "NOT_FOUND" });
    });

    test("a patch of a missing row is NOT_FOUND, with its key", async () => {
      const run = tasks.patch(9, { title: "b" });

      await expect(run).rejects.toMatchObject({
        code: "NOT_FOUND",
        fields: { entity: "tasks", key: 9 },
      });
    });

    test("the key cannot be patched, and unknown or bad properties are refused", async () => {
      const bad = { id: 2, titel: "x", score: -1 } as never;

      const error = await tasks.patch(1, bad).catch((reason: unknown) => reason);

      expect(error).toMatchObject({ code: "VALIDATION" });
      expect((error as { issues: unknown[] }).issues).toHaveLength(3);
    });

    test("an update replaces the whole row that was read", async () => {
      const before = await tasks.get(1);
      if (before === undefined) throw new Error("missing");

      const after = await tasks.update(1, { ...before, title: "b", ratio: null });

      expect(after).toEqual({
        ...before,
        title: "b",
        ratio: null,
        updatedAt: new Date(fixture.clock.ms),
      });
    });

    test("an update with missing properties names all of them", async () => {
      const run = tasks.update(1, { title: "", weekId: 1 } as never);

      const error = await run.catch((reason: unknown) => reason);

      expect((error as { issues: { path: string[] }[] }).issues.map(({ path }) => path[0])).toEqual(
        ["title", "state", "score", "ratio", "isPaid", "dueOn", "extra", "createdAt"],
      );
    });

    test("an update cannot move a row to another key", async () => {
      const before = await tasks.get(1);
      if (before === undefined) throw new Error("missing");

      await expect(tasks.update(1, { ...before, id: 2 })).rejects.toMatchObject({
        code: "VALIDATION",
      });
    });
  });

  describe("upsert", () => {
    test("inserts, then changes what is given and keeps the rest", async () => {
      const first = await tasks.upsert(
        { weekId: 1, title: "a", score: 5 },
        { on: ["weekId", "title"] },
      );
      fixture.clock.ms += 1_000;
      const second = await tasks.upsert(
        { weekId: 1, title: "a", ratio: 2 },
        { on: ["weekId", "title"] },
      );

      expect(second).toEqual({ ...first, ratio: 2, updatedAt: new Date(fixture.clock.ms) });
      expect(await tasks.count()).toBe(1);
    });

    test("by key, keeping what refers to the row", async () => {
      await tasks.create({ weekId: 1, title: "a" });

      const week = await weeks.upsert({ id: 1, label: "new" });

      expect(week).toEqual({ id: 1, label: "new" });
      expect(await tasks.count()).toBe(1);
    });

    test("without anything to change gives the row", async () => {
      expect(await weeks.upsert({ label: "w1" }, { on: ["label"] })).toEqual({
        id: 1,
        label: "w1",
      });
    });

    test("properties that are not unique, or not given, are refused", async () => {
      const row = { weekId: 1, title: "a" };
      const loose = (): Promise<unknown> => tasks.upsert(row, { on: ["title"] });
      const unknown = (): Promise<unknown> => tasks.upsert(row, { on: ["titel" as "title"] });
      const keyless = (): Promise<unknown> => tasks.upsert(row);

      await expect(loose()).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
      await expect(unknown()).rejects.toMatchObject({ code: "UNKNOWN_FIELD" });
      await expect(keyless()).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    });
  });

  describe("delete", () => {
    test("tells whether there was a row", async () => {
      await tasks.create({ weekId: 1, title: "a" });

      expect(await tasks.delete(1)).toBe(true);
      expect(await tasks.delete(1)).toBe(false);
    });

    test("of many deletes what matches and counts it", async () => {
      await tasks.createMany([1, 2, 3].map((score) => ({ weekId: 1, title: `${score}`, score })));

      expect(await tasks.deleteMany({ score: { gte: 2 } })).toBe(2);
      expect(await tasks.count()).toBe(1);
      expect(await tasks.deleteMany({})).toBe(1);
    });

    test("a condition with undefined deletes nothing at all", async () => {
      await tasks.create({ weekId: 1, title: "a" });

      const run = tasks.deleteMany({ weekId: undefined } as never);

      await expect(run).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
      expect(await tasks.count()).toBe(1);
    });
  });
});
