import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Repository } from "../../src/repository/repository.ts";
import type { Page } from "../../src/repository/types.ts";
import type { RowOf } from "../../src/schema/types.ts";
import { sorted } from "./oracle.ts";
import { type Fixture, Media, Member, openFixture, Task, Week } from "./support.ts";

type TaskRow = RowOf<typeof Task>;
type Order = readonly (readonly [keyof TaskRow & string, "asc" | "desc"])[];

let fixture: Fixture;
let tasks: Repository<typeof Task>;
let rows: TaskRow[];

beforeAll(async () => {
  fixture = await openFixture();
  tasks = fixture.of(Task);
  await fixture.of(Week).create({ label: "w1" });
  const inputs = Array.from({ length: 60 }, (_, index) => ({
    weekId: 1,
    title: `t${(index * 7) % 60}`,
    score: index % 3,
    ratio: index % 4 === 0 ? null : (index % 2) / 2,
    isPaid: index % 2 === 0,
    createdAt: new Date(index % 5),
  }));
  rows = await tasks.createMany(inputs, { returning: true });
});

afterAll(() => fixture[Symbol.asyncDispose]());

const direction = fc.constantFrom("asc" as const, "desc" as const);
const order: fc.Arbitrary<Order> = fc.uniqueArray(
  fc.tuple(
    fc.constantFrom("score" as const, "ratio" as const, "isPaid" as const, "createdAt" as const),
    direction,
  ),
  { selector: ([property]) => property, maxLength: 3 },
);

async function pagesFrom(
  limit: number,
  orderBy: object[],
  way: "next" | "previous",
  first: string | undefined,
): Promise<Page<TaskRow>[]> {
  const pages: Page<TaskRow>[] = [];
  let cursor = first;
  do {
    const page: Page<TaskRow> = await tasks.page({
      limit,
      orderBy,
      where: { score: { ne: 1 } },
      ...(cursor === undefined ? {} : { cursor }),
    });
    pages.push(page);
    cursor = page[way];
  } while (cursor !== undefined);
  return pages;
}

describe("pages", () => {
  test("forward and back again give every row once, whatever ties and NULLs there are", async () => {
    await fc.assert(
      fc.asyncProperty(order, fc.integer({ min: 1, max: 25 }), async (terms, limit) => {
        const orderBy = terms.map(([property, way]) => ({ [property]: way }));
        const last = terms.at(-1)?.[1] ?? "asc";
        const wanted = sorted(
          rows.filter(({ score }) => score !== 1),
          [...terms, ["id", last]],
        ).map(({ id }) => id);

        const forward = await pagesFrom(limit, orderBy, "next", undefined);
        const end = forward.at(-1)?.previous;
        const back = end === undefined ? [] : await pagesFrom(limit, orderBy, "previous", end);

        const idsOf = (pages: Page<TaskRow>[]): number[] =>
          pages.flatMap((page) => page.rows.map(({ id }) => id));
        expect(idsOf(forward)).toEqual(wanted);
        const seenBack = idsOf(back.toReversed());
        expect(seenBack).toEqual(wanted.slice(0, seenBack.length));
        expect(seenBack.length + (forward.at(-1)?.rows.length ?? 0)).toBe(wanted.length);
        expect([...forward, ...back].filter((page) => page.rows.length === 0)).toEqual([]);
        expect(forward[0]?.previous).toBeUndefined();
        expect(back.at(-1)?.previous).toBeUndefined();
      }),
      { numRuns: 60 },
    );
  });

  test("a row that is deleted between two pages moves nothing", async () => {
    const members = fixture.of(Member);
    const names = Array.from({ length: 9 }, (_, index) => `n${index}`);
    await members.createMany(names.map((name) => ({ taskId: 1, name })));
    const first = await members.page({ limit: 3 });

    await members.delete({ taskId: 1, name: "n2" });
    await members.delete({ taskId: 1, name: "n0" });
    const second = await members.page({ limit: 3, cursor: first.next as string });

    expect(second.rows.map(({ name }) => name)).toEqual(["n3", "n4", "n5"]);
  });

  test("the total is counted when it is asked for", async () => {
    const page = await tasks.page({ where: { score: 0 }, limit: 5, total: true });

    expect(page.total).toBe(20);
    expect(page.rows).toHaveLength(5);
    expect(await tasks.page({ limit: 5 })).not.toHaveProperty("total");
  });

  test("a list goes on from a cursor, too", async () => {
    const page = await tasks.page({ limit: 5 });

    const next = await tasks.list({ limit: 5, cursor: page.next as string });

    expect(next.map(({ id }) => id)).toEqual([6, 7, 8, 9, 10]);
  });

  test("an empty table is one empty page", async () => {
    expect(await fixture.of(Media).page({ total: true })).toEqual({ rows: [], total: 0 });
  });

  test("order values of every kind survive the cursor", async () => {
    const orderBy = { title: "asc", ratio: "asc", createdAt: "asc", dueOn: "asc" } as const;
    const page = await tasks.page({ orderBy, limit: 30 });

    const rest = await tasks.page({ orderBy, limit: 30, cursor: page.next as string });

    expect([...page.rows, ...rest.rows].map(({ id }) => id)).toEqual(
      sorted(rows, [["title", "asc"]]).map(({ id }) => id),
    );
  });
});

describe("limits", () => {
  test("the default is a page, and what is asked for is bounded", async () => {
    expect(await tasks.list()).toHaveLength(50);
    expect(await tasks.list({ limit: 1_000 })).toHaveLength(60);
    expect(await tasks.list({ limit: 0 })).toEqual([]);
    expect(await tasks.page({ limit: 0 })).toEqual({ rows: [] });
    const small = fixture.of(Task, { limits: { size: 2, sizeMax: 3 } });
    expect(await small.list()).toHaveLength(2);
    await expect(small.list({ limit: 4 })).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  });

  test("an offset works with and without a limit", async () => {
    expect((await tasks.list({ offset: 58 })).map(({ id }) => id)).toEqual([59, 60]);
    expect((await tasks.list({ offset: 1, limit: 2 })).map(({ id }) => id)).toEqual([2, 3]);
  });

  test.each([-1, 1.5, 1_001, Number.NaN, "5", "1; DROP TABLE tasks"])(
    "the limit %j is refused",
    async (limit) => {
      const options = { limit: limit as number };

      await expect(tasks.list(options)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
      await expect(tasks.page(options)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    },
  );

  test.each([-1, 0.5, "1"])("the offset %j is refused", async (offset) => {
    const run = tasks.list({ offset: offset as number });

    await expect(run).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  });

  test("a misspelt option is refused", async () => {
    const run = tasks.list({ limt: 3 } as never);

    await expect(run).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  });
});

describe("cursors from outside", () => {
  const forged = (content: unknown): string =>
    Buffer.from(JSON.stringify(content)).toString("base64url");

  test.each([
    ["", "empty"],
    ["nonsense", "no JSON"],
    [forged({}), "another form"],
    [forged([2, "next", "tasks", "id", ["n1"]]), "another version"],
    [forged([1, "up", "tasks", "id", ["n1"]]), "another direction"],
    [forged([1, "next", "weeks", "id", ["n1"]]), "another entity"],
    [forged([1, "next", "tasks", "-id", ["n1"]]), "another order"],
    [forged([1, "next", "tasks", "id", []]), "too few values"],
    [forged([1, "next", "tasks", "id", ["n1", "n2"]]), "too many values"],
    [forged([1, "next", "tasks", "id", ["tx"]]), "a text for a number"],
    [forged([1, "next", "tasks", "id", ["z"]]), "NULL for a key"],
    [forged([1, "next", "tasks", "id", ["n1 OR 1=1"]]), "no number"],
    [forged([1, "next", "tasks", "id", ["x1"]]), "another tag"],
    [forged([1, "next", "tasks", "id", [1]]), "a bare value"],
    ["A".repeat(2_000_000), "too long"],
  ])("%s is refused: %s", async (cursor) => {
    const run = tasks.page({ cursor });

    await expect(run).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  });

  test("offset and cursor exclude each other", async () => {
    const { next = "" } = await tasks.page({ limit: 1 });

    const run = tasks.list({ cursor: next, offset: 1 });

    await expect(run).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  });
});

describe("streams", () => {
  test("give all rows that match, in order, and can be left", async () => {
    const ids: number[] = [];
    for await (const { id } of tasks.stream({ where: { score: 0 }, orderBy: { id: "desc" } })) {
      ids.push(id);
    }
    for await (const _ of tasks.stream()) break;

    expect(ids).toEqual(
      rows
        .filter(({ score }) => score === 0)
        .map(({ id }) => id)
        .toReversed(),
    );
  });
});
