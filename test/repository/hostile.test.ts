/** Calls from JavaScript that types would refuse, careless and hostile ones. */

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { EventBus } from "../../src/repository/event-bus.ts";
import { executeManySql, executeSql } from "../../src/repository/raw.ts";
import { many, one } from "../../src/repository/relation.ts";
import type { Repository } from "../../src/repository/repository.ts";
import { runTransaction } from "../../src/repository/transaction.ts";
import { type Fixture, openFixture, storeKinds, Task, Week } from "./support.ts";

const INVALID = { code: "INVALID_ARGUMENT" };

describe.each(storeKinds)("careless and hostile calls over the %s store", (kind) => {
  let fixture: Fixture;
  let tasks: Repository<typeof Task>;

  beforeAll(async () => {
    fixture = await openFixture(kind);
  });

  beforeEach(async () => {
    await fixture.clear();
    tasks = fixture.of(Task);
    await fixture.of(Week).create({ label: "w1" });
    await tasks.createMany(["a", "b", "c"].map((title) => ({ weekId: 1, title })));
  });

  afterAll(() => fixture[Symbol.asyncDispose]());

  test("a condition whose key is a symbol does not match all rows", async () => {
    const symbolic = { [Symbol("id")]: 1 } as never;

    await expect(tasks.deleteMany(symbolic)).rejects.toMatchObject(INVALID);
    await expect(tasks.list({ where: { id: symbolic } })).rejects.toMatchObject(INVALID);

    expect(await tasks.count()).toBe(3);
  });

  test.each([null, {}, "x", 5])("%j is no signal", async (given) => {
    const signal = given as never;
    const calls = [
      () => tasks.get(1, { signal }),
      () => tasks.list({ signal }),
      () => tasks.create({ weekId: 1, title: "d" }, { signal }),
      () => executeSql(fixture.scope, "SELECT 1", [], { signal }),
      () => runTransaction(fixture.scope, async () => undefined, { signal }),
    ];

    for (const call of calls) {
      await expect((async () => call())()).rejects.toMatchObject(INVALID);
    }
    expect(() => new EventBus().events("a", { signal })[Symbol.asyncIterator]()).toThrow("signal");
  });

  test("a text with NUL or a lone surrogate is refused by every operator of text", async () => {
    for (const text of ["a%\0zzz", "\ud800"]) {
      for (const operator of ["like", "contains", "startsWith", "endsWith"]) {
        const list = tasks.list({ where: { title: { [operator]: text } } as never });
        await expect(list).rejects.toMatchObject(INVALID);
      }
    }
  });

  test("thousands of alternatives are not too deep for the database", async () => {
    const ids = Array.from({ length: 5_000 }, (_, n) => ({ id: n + 2 }));

    expect(await tasks.count({ or: ids })).toBe(2);
    expect(await tasks.count({ and: ids.map(({ id }) => ({ id: { ne: id } })) })).toBe(1);
  });

  test("an order that has nothing to read is refused", async () => {
    for (const orderBy of [new Date(), new Map([["id", "desc"]]), "id", 5]) {
      await expect(tasks.list({ orderBy: orderBy as never })).rejects.toMatchObject(INVALID);
    }
  });

  test("relations that contain themselves end", async () => {
    const include: Record<string, unknown> = {};
    include["week"] = one(Week, { include: { tasks: many(Task, { include: include as never }) } });

    await expect(tasks.list({ include: include as never })).rejects.toThrow("deeper than");
  });

  test("relations are given by name, and none becomes the prototype of a row", async () => {
    const prototype = Object.defineProperty({}, "__proto__", {
      value: one(Week),
      enumerable: true,
    });
    for (const include of [[one(Week)], null, "week", prototype]) {
      await expect(tasks.list({ include: include as never })).rejects.toMatchObject(INVALID);
    }
  });

  test("a column that is called as the prototype is a column", async () => {
    await tasks.patch(1, { extra: { isAdmin: true } });
    const sql = 'SELECT extra AS "__proto__" FROM tasks WHERE id = 1';

    const [row] = (await executeSql(fixture.scope, sql, [], {})).rows;

    expect(Object.keys(row ?? {})).toEqual(["__proto__"]);
    expect(row?.["isAdmin"]).toBeUndefined();
  });

  test("plain SQL takes a text and lists of values that can be stored as they are", async () => {
    const sql = "INSERT INTO weeks (week_label) VALUES (?)";
    const calls: (() => Promise<unknown>)[] = [
      () => executeSql(fixture.scope, undefined as never, [], {}),
      () => executeSql(fixture.scope, sql, "a" as never, {}),
      () => executeSql(fixture.scope, sql, null as never, {}),
      () => executeSql(fixture.scope, sql, ["a\ud800"], {}),
      () => executeManySql(fixture.scope, sql, "ab" as never, {}),
      () => executeManySql(fixture.scope, sql, null as never, {}),
      () => executeManySql(fixture.scope, sql, [{ a: 1 }] as never, {}),
      () => executeManySql(fixture.scope, null as never, [], {}),
    ];

    for (const call of calls) await expect(call()).rejects.toMatchObject(INVALID);
    expect(await fixture.of(Week).count()).toBe(1);
  });

  test("functions and lists are asked for by name", async () => {
    const upsert = fixture.of(Week).upsert({ label: "w1" }, { on: "label" as never });
    await expect(upsert).rejects.toMatchObject(INVALID);
    expect(() => runTransaction(fixture.scope, 5 as never)).toThrow("must be a function");
    expect(() => new EventBus().on("a", 5 as never)).toThrow("must be a function");
  });
});
