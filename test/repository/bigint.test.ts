import { expect, test } from "vitest";
import { open } from "../../src/open.ts";
import { t } from "../../src/schema/column.ts";
import { entity } from "../../src/schema/entity.ts";

const Sample = entity("samples", { id: t.int().primaryKey(), value: t.bigint() });
const LEAST = -(2n ** 63n);
const VALUES = [LEAST, LEAST + 1n, -(2n ** 53n), -1n, 0n, 2n ** 53n, 2n ** 63n - 1n];

test("a bigint comes back as it went in, up to both ends of 64 bits", async () => {
  await using db = await open({ url: "sqlite::memory:", entities: [Sample] });
  const samples = db.repository(Sample);
  const streamed: bigint[] = [];

  const created = await samples.create({ value: LEAST });
  const many = await samples.createMany(
    VALUES.map((value) => ({ value })),
    { returning: true },
  );

  expect(created.value).toBe(LEAST);
  expect(many.map(({ value }) => value)).toEqual(VALUES);
  expect((await samples.get(created.id))?.value).toBe(LEAST);
  expect((await samples.patch(created.id, { value: LEAST })).value).toBe(LEAST);
  expect(await samples.list({ where: { value: LEAST } })).toHaveLength(2);
  expect(await samples.count({ value: { in: [LEAST] } })).toBe(2);
  expect((await samples.list()).map(({ value }) => value)).toEqual([LEAST, ...VALUES]);
  for await (const { value } of samples.stream()) streamed.push(value);
  expect(streamed).toEqual([LEAST, ...VALUES]);
  expect(await db.query.selectFrom("samples").select("value").execute()).toContainEqual({
    value: LEAST,
  });
});

test("pages go on after the least bigint", async () => {
  await using db = await open({ url: "sqlite::memory:", entities: [Sample] });
  const samples = db.repository(Sample);
  await samples.createMany(VALUES.map((value) => ({ value })));

  const first = await samples.page({ orderBy: { value: "asc" }, limit: 1 });
  const second = await samples.page({
    orderBy: { value: "asc" },
    limit: 1,
    cursor: first.next ?? "",
  });

  expect(first.rows[0]?.value).toBe(LEAST);
  expect(second.rows[0]?.value).toBe(LEAST + 1n);
});

test("a number after the greatest int is said to be one", async () => {
  const Week = entity("weeks", { id: t.int().primaryKey(), day: t.int().nullable() });
  await using db = await open({ url: "sqlite::memory:", entities: [Week] });
  const weeks = db.repository(Week);
  await weeks.create({ id: Number.MAX_SAFE_INTEGER });

  await expect(weeks.create({})).rejects.toThrow(
    '"weeks"."id" holds the number 9007199254740992, which is beyond what an int holds exactly ' +
      "(2^53 - 1). The database has given the number after the greatest key",
  );
  await db.execute("UPDATE weeks SET day = 9007199254740993 WHERE id = ?", [
    Number.MAX_SAFE_INTEGER,
  ]);
  await expect(weeks.get(Number.MAX_SAFE_INTEGER)).rejects.toThrow("or declare t.bigint()");
});
