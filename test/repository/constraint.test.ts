import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { SpringhouseError } from "../../src/core/errors.ts";
import { enrichConstraint } from "../../src/repository/constraint.ts";
import { Models } from "../../src/repository/models.ts";
import { factsOf } from "../../src/schema/entity.ts";
import { Car, catalog, type Fixture, openFixture, Task, Week } from "./support.ts";

describe("a constraint of the real store", () => {
  let fixture: Fixture;

  beforeAll(async () => {
    fixture = await openFixture("sqlite");
  });

  beforeEach(async () => {
    await fixture.clear();
    await fixture.of(Week).create({ label: "w1" });
    await fixture.of(Task).create({ weekId: 1, title: "a" });
  });

  afterAll(() => fixture[Symbol.asyncDispose]());

  test("of uniqueness names the properties together", async () => {
    const run = fixture.of(Task).create({ weekId: 1, title: "a" });

    await expect(run).rejects.toMatchObject({
      code: "CONSTRAINT",
      message: '"tasks": there is already a row with the same weekId, title.',
      fields: { entity: "tasks", properties: ["weekId", "title"], kind: "unique" },
    });
  });

  test("names the property, not the column", async () => {
    const run = fixture.of(Week).create({ label: "w1" });

    await expect(run).rejects.toMatchObject({ fields: { properties: ["label"] } });
  });

  test("of the key is told as such", async () => {
    const run = fixture.of(Week).createMany([{ id: 1, label: "x" }]);

    await expect(run).rejects.toMatchObject({ fields: { entity: "weeks", properties: ["id"] } });
  });

  test("of a foreign key names the candidates", async () => {
    const create = fixture.of(Task).create({ weekId: 9, title: "b" });
    await expect(create).rejects.toMatchObject({
      fields: { entity: "tasks", properties: ["weekId"], kind: "foreignKey" },
    });

    const owner = "0b9d3c8e-5f2a-4d1c-9e77-3a1f6b2c4d5e";
    const car = fixture.of(Car).create({ plate: "A 1", ownerId: owner });
    await expect(car).rejects.toMatchObject({
      fields: { entity: "cars", properties: ["ownerId"] },
    });
  });

  test("of a base is told in the words of the base", async () => {
    await fixture.of(Car).create({ plate: "A 1" });

    const run = fixture.of(Car).create({ plate: "A 1" });

    await expect(run).rejects.toMatchObject({
      fields: { entity: "vehicles", properties: ["plate"] },
    });
  });
});

describe("what the store tells", () => {
  const models = new Models(catalog, "sqlite");
  const model = models.ofFacts(factsOf(Task));
  const enriched = (fields: Record<string, unknown>): SpringhouseError =>
    enrichConstraint(
      new SpringhouseError("CONSTRAINT", "raw", { fields }),
      model,
      models,
    ) as SpringhouseError;

  test.each([
    [{ kind: "notNull", table: "tasks", columns: ["week_id"] }, ["weekId"], "must not be null"],
    [{ kind: "check", constraint: "ck_tasks_score" }, ["score"], "not allowed"],
    [{ kind: "check", constraint: "ck_own" }, [], '"ck_own"'],
    [{ kind: "unique", constraint: "uq_tasks_week_id_title" }, ["weekId", "title"], "same weekId"],
    [{ kind: "rowid" }, [], "same key"],
    [{ kind: "trigger" }, [], "raw"],
    [{ kind: "notNull", table: "others", columns: ["x"] }, ["x"], "x must not be null"],
  ])("%j becomes properties and a sentence", (fields, properties, sentence) => {
    const error = enriched(fields);

    expect(error.fields).toMatchObject({ ...fields, properties });
    expect(error.message).toContain(sentence);
  });

  test("other errors stay as they are, and nothing is told twice", () => {
    const other = new Error("x");
    const first = enriched({ kind: "rowid" });

    expect(enrichConstraint(other, model, models)).toBe(other);
    expect(enrichConstraint(first, model, models)).toBe(first);
  });
});
