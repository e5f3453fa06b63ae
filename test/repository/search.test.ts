import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { Model } from "../../src/repository/model.ts";
import type { Repository } from "../../src/repository/repository.ts";
import { searchRows } from "../../src/repository/search.ts";
import { factsOf } from "../../src/schema/entity.ts";
import type { Session, Statement } from "../../src/store/store.ts";
import { type Fixture, Media, Member, openFixture, storeKinds, Task, Week } from "./support.ts";

const TITLES = [
  "The quick brown fox",
  "quick quick quick",
  "100% sure",
  "1000 sure",
  "snake_case",
  "snakeXcase",
  'say "hi" AND NOT NEAR(this)',
  "it's a colon: title:quick*",
  "데이터베이스 설계",
  "데이터",
  "back\\slash",
  "ab",
];

describe.each(storeKinds)("search over the %s store", (kind) => {
  let fixture: Fixture;
  let tasks: Repository<typeof Task>;

  beforeAll(async () => {
    fixture = await openFixture(kind);
  });

  beforeEach(async () => {
    await fixture.clear();
    tasks = fixture.of(Task);
    await fixture.of(Week).create({ label: "w1" });
    await tasks.createMany(TITLES.map((title, score) => ({ weekId: 1, title, score })));
  });

  afterAll(async () => {
    await fixture[Symbol.asyncDispose]();
  });

  const found = async (text: string): Promise<string[]> =>
    (await tasks.search(text)).map(({ title }) => title);

  test.each([
    ["brown", ["The quick brown fox"]],
    ["BROWN fOx", ["The quick brown fox"]],
    ["row", ["The quick brown fox"]],
    ["quick fox", ["The quick brown fox"]],
    ["100%", ["100% sure"]],
    ["0% sure", ["100% sure"]],
    ["snake_case", ["snake_case"]],
    ["e_c", ["snake_case"]],
    ["%", ["100% sure"]],
    ["_", ["snake_case"]],
    ["\\", ["back\\slash"]],
    ["k\\s", ["back\\slash"]],
    ['"hi"', ['say "hi" AND NOT NEAR(this)']],
    ['"', ['say "hi" AND NOT NEAR(this)']],
    ["NEAR(this)", ['say "hi" AND NOT NEAR(this)']],
    ["title:quick*", ["it's a colon: title:quick*"]],
    ["it's", ["it's a colon: title:quick*"]],
    ["'", ["it's a colon: title:quick*"]],
    ["데이터", ["데이터", "데이터베이스 설계"]],
    ["베이", ["데이터베이스 설계"]],
    ["설계 데이터베이스", ["데이터베이스 설계"]],
    ["ab", ["ab"]],
    ["b a", ["ab", "back\\slash"]],
    ["no such", []],
    ["quick OR brown", []],
    ["", []],
    ["  \t ", []],
    ["x' OR 1=1 --", []],
  ])("%j finds %j", async (text, titles) => {
    const result = await found(text);

    expect(new Set(result)).toEqual(new Set(titles));
  });

  test("the best match comes first", async () => {
    expect((await found("quick"))[0]).toBe("quick quick quick");
  });

  test("conditions, limit and offset hold as well", async () => {
    const rows = await tasks.search("quick", { where: { score: { lt: 5 } }, limit: 1, offset: 1 });

    expect(rows.map(({ title }) => title)).toEqual(["The quick brown fox"]);
    expect(await tasks.search("quick", { limit: 0 })).toEqual([]);
  });

  test("a changed and a deleted row are found as they are now", async () => {
    await tasks.patch(1, { title: "slow" });
    await tasks.delete(2);

    expect(await found("quick")).toEqual(["it's a colon: title:quick*"]);
    expect(await found("slow")).toEqual(["slow"]);
  });

  test("without a search index the text columns are searched", async () => {
    const members = fixture.of(Member);
    await members.createMany([
      { taskId: 1, name: "Ann 50%", role: "lead" },
      { taskId: 1, name: "Bob 50x", role: null },
    ]);

    expect((await members.search("ann LEAD")).map(({ name }) => name)).toEqual(["Ann 50%"]);
    expect((await members.search("50%")).map(({ name }) => name)).toEqual(["Ann 50%"]);
  });

  test.each([
    ["ärger", "Ärger im Büro"],
    ["ÄR", "Ärger im Büro"],
    ["bÜro ÄRGER", "Ärger im Büro"],
    ["приВЕТ", "Привет, мир"],
    ["ΟΔΟΣ", "οδος"],
    ["οδοσ", "οδος"],
    ["[A-z]*?", "class [a-Z]*? here"],
    ["^]", "odd ^] -!"],
    ["-!", "odd ^] -!"],
  ])("upper and lower case are alike in every script: %j finds %j", async (text, name) => {
    const names = ["Ärger im Büro", "Привет, мир", "οδος", "class [a-Z]*? here", "odd ^] -!"];
    await fixture.of(Member).createMany(names.map((each) => ({ taskId: 1, name: each })));
    await tasks.createMany(names.map((title) => ({ weekId: 1, title })));

    const unindexed = await fixture.of(Member).search(text);
    const indexed = await found(text);

    expect(unindexed.map((member) => member.name)).toEqual([name]);
    expect(indexed).toEqual([name]);
  });

  test("what is no text, or too much of it, is refused", async () => {
    for (const text of ["x".repeat(1_001), "x ".repeat(33), 5 as unknown as string, "\ud800"]) {
      await expect(tasks.search(text)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    }
  });
});

test("on PostgreSQL words are found by the text index, or by ILIKE without one", async () => {
  const statements: Statement[] = [];
  const read = async (statement: Statement): Promise<unknown> => {
    statements.push(statement);
    return { columns: [], rows: [], changes: 0 };
  };
  await using fixture = await openFixture();
  const scope = { ...fixture.scope, session: { dialect: "postgres", read } as unknown as Session };
  const task = new Model(factsOf(Task), "postgres", "task");
  const media = new Model(factsOf(Media), "postgres", "media");

  await searchRows(scope, task, "it's fox", {}, undefined, {});
  await searchRows(scope, media, "50%", {}, undefined, {});

  const vector = `to_tsvector('simple', coalesce("tasks"."title", ''))`;
  expect(statements[0]?.sql).toContain(
    `WHERE ${vector} @@ to_tsquery('simple', $1) AND ${vector} @@ to_tsquery('simple', $2) AND TRUE`,
  );
  expect(statements[0]?.parameters).toEqual(["'it''s':*", "'fox':*", 50, 0]);
  expect(statements[1]?.sql).toContain(`("media"."title" ILIKE $1 ESCAPE '\\')`);
  expect(statements[1]?.parameters).toEqual(["%50\\%%", 50, 0]);
});
