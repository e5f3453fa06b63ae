import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Where } from "../../src/repository/conditions.ts";
import { Model } from "../../src/repository/model.ts";
import { afterPrefix } from "../../src/repository/operators.ts";
import type { Repository } from "../../src/repository/repository.ts";
import { SqlText } from "../../src/repository/sql-text.ts";
import { whereSql } from "../../src/repository/where.ts";
import { factsOf } from "../../src/schema/entity.ts";
import type { RowOf } from "../../src/schema/types.ts";
import { taskInputs, where } from "./conditions.ts";
import { matches, sorted } from "./oracle.ts";
import { type Fixture, openFixture, Task, Week } from "./support.ts";

let fixture: Fixture;
let tasks: Repository<typeof Task>;
let rows: RowOf<typeof Task>[];

beforeAll(async () => {
  fixture = await openFixture();
  tasks = fixture.of(Task);
  await fixture.of(Week).createMany([{ label: "w1" }, { label: "w2" }, { label: "w3" }]);
  rows = await tasks.createMany(taskInputs(), { returning: true });
});

afterAll(() => fixture[Symbol.asyncDispose]());

const direction = fc.constantFrom("asc" as const, "desc" as const);
const order = fc.uniqueArray(
  fc.tuple(fc.constantFrom("score", "ratio", "title", "isPaid", "dueOn", "createdAt"), direction),
  { selector: ([property]) => property, maxLength: 3 },
);

describe("where", () => {
  test("gives exactly the rows that a naive filter gives, in the order asked for", async () => {
    await fc.assert(
      fc.asyncProperty(where, order, async (condition, terms) => {
        const orderBy = terms.map(([property, way]) => ({ [property]: way }));
        const last = terms.at(-1)?.[1] ?? "asc";

        const found = await tasks.list({ where: condition, orderBy, limit: 1_000 });
        const count = await tasks.count(condition);

        const wanted = rows.filter((row) => matches(row, condition as Where<typeof Task>));
        expect(found.map(({ id }) => id)).toEqual(
          sorted(wanted, [...terms, ["id", last]]).map(({ id }) => id),
        );
        expect(count).toBe(wanted.length);
      }),
      { numRuns: 300 },
    );
  });

  test("a condition and its not are all rows, each once", async () => {
    await fc.assert(
      fc.asyncProperty(where, async (condition) => {
        const [yes, no] = [await tasks.count(condition), await tasks.count({ not: condition })];

        expect(yes + no).toBe(rows.length);
      }),
      { numRuns: 100 },
    );
  });

  test("a list longer than a statement may have variables works, with null in it too", async () => {
    const many = Array.from({ length: 40_000 }, (_, index) => index + 3);
    const texts = many.map((each) => `t'${each}`);

    expect(await tasks.count({ score: { in: many } })).toBe(
      rows.filter((r) => r.score >= 3).length,
    );
    expect(await tasks.count({ title: { in: [...texts, "a"] } })).toBe(3);
    expect(await tasks.count({ ratio: { in: [...many, 0.5, null] } })).toBe(
      rows.filter(({ ratio: value }) => value === 0.5 || value === null).length,
    );
    expect(await tasks.count({ isPaid: { in: many.map(() => true) } })).toBe(20);
    expect(await tasks.count({ createdAt: { in: many.map((ms) => new Date(ms)) } })).toBe(
      rows.filter(({ createdAt }) => createdAt.getTime() >= 3).length,
    );
  });

  test("thousands of conditions in one list work, beyond the depth of SQLite's parser", async () => {
    const scores = Array.from({ length: 2_001 }, (_, score) => ({ score }));
    const others = scores.map((condition) => ({ not: condition }));

    expect(await tasks.count({ or: scores })).toBe(rows.length);
    expect(await tasks.count({ and: others })).toBe(0);
    expect(await tasks.count({ or: [...scores.slice(1_000), { and: others }] })).toBe(0);
  });

  test("like takes a pattern, without regard to the case of ASCII letters", async () => {
    const found = await tasks.list({ where: { title: { like: "A_B" } } });

    expect(new Set(found.map(({ title }) => title))).toEqual(new Set(["a%b", "a_b", "a\\b"]));
  });

  test("lists of lengths near each other share one SQL text", async () => {
    fixture.statements.length = 0;
    for (let length = 33; length <= 64; length++) {
      await tasks.count({ score: { in: Array.from({ length }, (_, index) => index) } });
    }

    expect(new Set(fixture.statements).size).toBe(1);
  });
});

describe("bad conditions", () => {
  test.each([
    [{ titel: "a" }, "UNKNOWN_FIELD", /"title"/],
    [{ 'id" = 1 OR 1=1 --': 1 }, "UNKNOWN_FIELD", /unknown field/],
    [{ week_id: 1 }, "UNKNOWN_FIELD", /"weekId"/],
    [{ constructor: 1 }, "UNKNOWN_FIELD", /unknown field/],
    [{ __proto__: null, toString: 1 }, "UNKNOWN_FIELD", /unknown field/],
    [{ score: { gte: 1, "> 0 OR 1=1; --": 2 } }, "UNKNOWN_FIELD", /unknown operator/],
    [{ score: { gtee: 1 } }, "UNKNOWN_FIELD", /"gte"/],
    [{ score: { toString: 1 } }, "UNKNOWN_FIELD", /unknown operator/],
    [{ score: {} }, "INVALID_ARGUMENT", /without any operator/],
    [{ score: undefined }, "INVALID_ARGUMENT", /undefined/],
    [{ score: { gt: undefined } }, "INVALID_ARGUMENT", /undefined/],
    [{ score: { gt: null } }, "INVALID_ARGUMENT", /null/],
    [{ score: "1 OR 1=1" }, "INVALID_ARGUMENT", /whole number/],
    [{ score: [1, 2] }, "INVALID_ARGUMENT", /whole number/],
    [{ score: { in: 1 } }, "INVALID_ARGUMENT", /list/],
    [{ score: { in: [undefined] } }, "INVALID_ARGUMENT", /undefined/],
    [{ score: { like: "1" } }, "INVALID_ARGUMENT", /for text/],
    [{ title: { contains: 1 } }, "INVALID_ARGUMENT", /takes a text/],
    [{ isPaid: { gt: true } }, "INVALID_ARGUMENT", /cannot compare/],
    [{ extra: { eq: {} } }, "INVALID_ARGUMENT", /json/],
    [{ extra: 1 }, "INVALID_ARGUMENT", /json/],
    [{ state: "opne" }, "INVALID_ARGUMENT", /one of/],
    [{ or: { score: 1 } }, "INVALID_ARGUMENT", /list/],
    [{ and: [1] }, "INVALID_ARGUMENT", /object/],
    [{ not: [] }, "INVALID_ARGUMENT", /object/],
    [[], "INVALID_ARGUMENT", /object/],
    ["1=1", "INVALID_ARGUMENT", /object/],
  ])("%j is refused", async (condition, code, message) => {
    const run = tasks.list({ where: condition as never });

    await expect(run).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
    await expect(tasks.deleteMany(condition as never)).rejects.toMatchObject({ code });
    expect(await tasks.count()).toBe(rows.length);
  });

  test("JSON can be asked for being there", async () => {
    expect(await tasks.count({ extra: null })).toBe(rows.length);
    expect(await tasks.count({ extra: { ne: null } })).toBe(0);
  });

  test("more values than a statement takes are refused with the limit", async () => {
    const many = (length: number) => ({ or: Array.from({ length }, () => ({ score: 1 })) });

    expect(() =>
      whereSql(new Model(factsOf(Task), "sqlite", "task"), many(32_766), new SqlText("sqlite")),
    ).not.toThrow();
    await expect(tasks.count(many(32_767))).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
      message: expect.stringContaining("more than 32766 values"),
      fields: { valuesMax: 32_766 },
    });
  });

  test("endless nesting is refused", async () => {
    let condition: object = { score: 1 };
    for (let depth = 0; depth < 60; depth++) condition = { not: condition };

    await expect(tasks.count(condition)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  });

  test.each([
    [{ titel: "asc" }, "UNKNOWN_FIELD"],
    [{ "id; DROP TABLE tasks": "asc" }, "UNKNOWN_FIELD"],
    [{ id: "asc; DROP TABLE tasks" }, "INVALID_ARGUMENT"],
    [{ extra: "asc" }, "INVALID_ARGUMENT"],
    [[{ id: "asc" }, { id: "desc" }], "INVALID_ARGUMENT"],
    ["id", "INVALID_ARGUMENT"],
    [[["id"]], "INVALID_ARGUMENT"],
  ])("the order %j is refused", async (orderBy, code) => {
    await expect(tasks.list({ orderBy: orderBy as never })).rejects.toMatchObject({ code });
  });
});

describe("the words of PostgreSQL", () => {
  const sqlOf = (condition: object): [string, unknown[]] => {
    const words = new SqlText("postgres");
    const sql = whereSql(new Model(factsOf(Task), "postgres", "task"), condition, words);
    return [sql, words.parameters];
  };

  test("placeholders are numbered and values are text where SQLite has none", () => {
    expect(sqlOf({ score: { gt: 1 }, isPaid: true, createdAt: new Date(0) })).toEqual([
      '"tasks"."score" > $1 AND "tasks"."is_paid" = $2 AND "tasks"."created_at" = $3',
      [1, "true", "1970-01-01T00:00:00.000Z"],
    ]);
  });

  test("texts are searched by its own functions", () => {
    expect(sqlOf({ title: { startsWith: "a", endsWith: "b", contains: "c", like: "d%" } })).toEqual(
      [
        'starts_with("tasks"."title", $1) AND right("tasks"."title", $2::int) = $3 AND ' +
          'strpos("tasks"."title", $4) > 0 AND "tasks"."title" ILIKE $5',
        ["a", 1, "b", "c", "d%"],
      ],
    );
  });

  test("a long list is one JSON parameter", () => {
    const [sql, parameters] = sqlOf({ score: { in: Array.from({ length: 100 }, () => 1) } });

    expect(sql).toBe(
      '"tasks"."score" IN (SELECT value::bigint FROM json_array_elements_text($1::json) AS list(value))',
    );
    expect(parameters).toEqual([JSON.stringify(Array.from({ length: 100 }, () => 1))]);
  });
});

test("the end of a prefix comes after all texts that begin with it", () => {
  expect(afterPrefix("a")).toBe("b");
  expect(afterPrefix("a\u{10ffff}")).toBe("b");
  expect(afterPrefix("\u{10ffff}")).toBeUndefined();
  expect(afterPrefix("\ud7ff")).toBe("\ue000");
});
