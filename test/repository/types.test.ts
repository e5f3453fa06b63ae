import { describe, expect, expectTypeOf, test } from "vitest";
import { EventBuffer } from "../../src/repository/event-buffer.ts";
import { Models } from "../../src/repository/models.ts";
import type { Repository } from "../../src/repository/repository.ts";
import { createCatalog } from "../../src/schema/catalog.ts";
import { t } from "../../src/schema/column.ts";
import { entity } from "../../src/schema/entity.ts";
import type { RowOf } from "../../src/schema/types.ts";
import { catalog, type Member, type Movie, sinkOf, type Task } from "./support.ts";

describe("the types of repositories", () => {
  test("follow from the entity", () => {
    const check = async (tasks: Repository<typeof Task>): Promise<void> => {
      expectTypeOf(await tasks.get(1)).toEqualTypeOf<RowOf<typeof Task> | undefined>();
      expectTypeOf(await tasks.createMany([])).toEqualTypeOf<number>();
      expectTypeOf(await tasks.createMany([], { returning: true })).toEqualTypeOf<
        RowOf<typeof Task>[]
      >();
      await tasks.list({ where: { weekId: 1, ratio: null, title: { contains: "a" } } });
      await tasks.patch(1, { ratio: null });
      await tasks.upsert({ weekId: 1, title: "a" }, { on: ["title"] });

      // @ts-expect-error: the key is a number.
      await tasks.get("1");
      // @ts-expect-error: there is no such property.
      await tasks.list({ where: { titel: "a" } });
      // @ts-expect-error: the value is of another type.
      await tasks.list({ where: { score: { gt: "1" } } });
      // @ts-expect-error: the state is one of two.
      await tasks.list({ where: { state: "opne" } });
      // @ts-expect-error: JSON is not compared with.
      await tasks.list({ where: { extra: { a: 1 } } });
      // @ts-expect-error: JSON is not compared with.
      await tasks.list({ where: { extra: { eq: { a: 1 } } } });
      // @ts-expect-error: undefined is no value of JSON either.
      await tasks.list({ where: { extra: undefined } });
      // @ts-expect-error: a number is not like a text.
      await tasks.list({ where: { score: { like: "x" } } });
      // @ts-expect-error: a day is not a text with a beginning.
      await tasks.list({ where: { dueOn: { startsWith: "2025" } } });
      // @ts-expect-error: there is no order of true and false.
      await tasks.list({ where: { isPaid: { gt: false } } });
      // @ts-expect-error: undefined would have meant all rows.
      await tasks.list({ where: { score: undefined } });
      await tasks.list({ where: { extra: null, title: { like: "a%" }, dueOn: { gte: "2025" } } });
      await tasks.list({ where: { extra: { ne: null }, state: { startsWith: "op" } } });
      // @ts-expect-error: weekId is missing.
      await tasks.create({ title: "a" });
      // @ts-expect-error: title cannot be NULL.
      await tasks.patch(1, { title: null });
      // @ts-expect-error: the key cannot be changed.
      await tasks.patch(1, { id: 2 });
      // @ts-expect-error: a replacement is whole.
      await tasks.update(1, { title: "a" });
      // @ts-expect-error: an order is "asc" or "desc".
      await tasks.list({ orderBy: { id: "up" } });
      // @ts-expect-error: there is no such property to be unique.
      await tasks.upsert({ weekId: 1, title: "a" }, { on: ["titel"] });
    };

    expect(check).toBeTypeOf("function");
  });

  test("know keys of several columns, and details", () => {
    const check = async (
      members: Repository<typeof Member>,
      movies: Repository<typeof Movie>,
    ): Promise<void> => {
      await members.get({ taskId: 1, name: "x" });
      expectTypeOf((await movies.get("x"))?.type).toEqualTypeOf<"movie" | undefined>();
      expectTypeOf((await movies.get("x"))?.year).toEqualTypeOf<number | null | undefined>();
      await movies.create({ title: "a", year: 1 });

      await movies.list({ where: { title: { contains: "a" }, year: { gt: 1 }, type: "movie" } });
      // @ts-expect-error: a number is not like a text, in a detail as well.
      await movies.list({ where: { year: { like: "x" } } });
      // @ts-expect-error: a part of the key is missing.
      await members.get({ taskId: 1 });
      // @ts-expect-error: what the base fixes is not given.
      await movies.create({ title: "a", type: "series" });
    };

    expect(check).toBeTypeOf("function");
  });
});

test("an entity of another database is refused, with the one that may be meant", () => {
  const models = new Models(catalog, "sqlite");
  const Tasks = entity("taskz", { id: t.int().primaryKey() });
  const Twin = entity("tasks", { id: t.int().primaryKey() });

  expect(() => models.of(Tasks)).toThrow('Did you mean "tasks"?');
  expect(() => models.of(Twin)).toThrow("is not one of this database");
  expect(models.ofTable("nothing")).toBeUndefined();
  expect(new Models(createCatalog([]), "sqlite").isAudited).toBe(false);
});

test("a transaction cannot raise events without end", () => {
  const buffer = new EventBuffer(sinkOf(() => {}));
  const event = {};

  const raise = (): void => {
    for (let count = 0; count <= 1_000_000; count++) buffer.raise("a", event);
  };

  expect(raise).toThrow("split it");
});
