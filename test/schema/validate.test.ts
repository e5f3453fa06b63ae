import { describe, expect, it } from "vitest";
import type { SpringhouseError } from "../../src/core/errors.ts";
import { t } from "../../src/schema/column.ts";
import { entity, factsOf } from "../../src/schema/entity.ts";
import {
  ISSUES_MAX,
  validateInsert,
  validateInserts,
  validatePatch,
} from "../../src/schema/validate.ts";
import { context, describeIssue, factsWith, failureOf, issuesOf, NOW, UUID } from "./support.ts";

const id = t.int().primaryKey();

describe("an insert", () => {
  const facts = factsWith({
    key: t.uuid().defaultRandom(),
    name: t.text({ maxLength: 5 }),
    note: t.text().nullable(),
    count: t.int({ min: 0 }).default(3),
    createdAt: t.timestamp().defaultNow(),
    day: t.date().defaultNow(),
    settings: t.json<{ list: number[] }>().default({ list: [] }),
    start: t.timestamp().default(new Date(0)),
    bytes: t.blob().default(new Uint8Array([1])),
  });

  it("gets its defaults and comes out whole, save for the key that the database numbers", () => {
    const row = validateInsert(facts, { name: "a" }, context);

    expect(row).toEqual({
      key: UUID,
      name: "a",
      note: null,
      count: 3,
      createdAt: new Date(NOW),
      day: "2025-12-31",
      settings: { list: [] },
      start: new Date(0),
      bytes: new Uint8Array([1]),
    });
  });

  it("takes undefined for absent", () => {
    const row = validateInsert(facts, { id: undefined, name: "a", count: undefined }, context);

    expect(row).toMatchObject({ count: 3 });
    expect(row).not.toHaveProperty("id");
  });

  it("does not share a default that could be changed", () => {
    const first = validateInsert(facts, { name: "a" }, context) as Record<string, unknown>;
    const second = validateInsert(facts, { name: "b" }, context) as Record<string, unknown>;

    (first["settings"] as { list: number[] }).list.push(1);
    (first["start"] as Date).setTime(5);
    (first["bytes"] as Uint8Array)[0] = 9;

    expect(second).toMatchObject({ settings: { list: [] }, start: new Date(0) });
    expect(validateInsert(facts, { name: "c" }, context)).toMatchObject({
      settings: { list: [] },
      start: new Date(0),
      bytes: new Uint8Array([1]),
    });
  });

  it("is not changed itself", () => {
    const input = Object.freeze({ name: "a", settings: Object.freeze({ list: [1] }) });

    const row = validateInsert(facts, input, context) as Record<string, unknown>;

    expect(row["settings"]).toEqual({ list: [1] });
    expect(row["settings"]).not.toBe(input.settings);
  });

  it("is refused with all issues at once, in the order of the fields", () => {
    const error = failureOf(() =>
      validateInsert(facts, { nam: "x", name: "too long", count: -1, day: "today" }, context),
    );

    expect(error.code).toBe("VALIDATION");
    expect(error.fields).toEqual({ table: "things" });
    expect(error.issues.map(describeIssue)).toEqual([
      'nam: is not a field of "things" (did you mean "name"?)',
      "name: must be at most 5 characters long, has 8",
      "count: must be at least 0, got -1",
      'day: must be a calendar day such as "2025-12-31", got "today"',
    ]);
    expect(error.message).toContain("count must be at least 0, got -1");
  });

  it("names what is missing and what must not be null", () => {
    expect(issuesOf(facts, {})).toEqual(["name: is required"]);
    expect(issuesOf(facts, { name: null, id: null })).toEqual([
      "id: must not be null",
      "name: must not be null",
    ]);
  });

  it("lists the fields when no name is near the unknown one", () => {
    expect(issuesOf(facts, { name: "a", zzzzzzzz: 1 })[0]).toContain(
      "the fields are id, key, name",
    );
  });

  it.each([null, undefined, 3, "text", [1]])("is refused when it is %j", (input) => {
    expect(issuesOf(facts, input)).toEqual([": must be an object with the fields of the entity"]);
  });

  it("does not take what every object inherits for a field", () => {
    const odd = factsWith({ constructor: t.json().nullable(), toString: t.text() });

    expect(issuesOf(odd, {})).toEqual(["toString: is required"]);
    expect(validateInsert(odd, { toString: "x" }, context)).toEqual({
      constructor: null,
      toString: "x",
    });
  });

  it("lists the first issues in the message and says how many there are", () => {
    const many = Object.fromEntries(Array.from({ length: 9 }, (_, at) => [`column${at}`, t.int()]));

    const error = failureOf(() => validateInsert(factsWith(many), {}, context));

    expect(error.message).toMatch(/column4 is required; and 4 more\.$/);
    expect(error.issues).toHaveLength(9);
  });
});

describe("a patch", () => {
  const facts = factsWith({
    name: t.text({ maxLength: 5 }),
    note: t.text().nullable(),
    updatedAt: t.timestamp().defaultNow().onUpdateNow(),
    touchedOn: t.date().defaultNow().onUpdateNow(),
  });

  it("changes what it gives and sets the columns with onUpdateNow", () => {
    expect(validatePatch(facts, { note: null, name: undefined }, context)).toEqual({
      note: null,
      updatedAt: new Date(NOW),
      touchedOn: "2025-12-31",
    });
  });

  it("that gives a column with onUpdateNow has the last word", () => {
    expect(validatePatch(facts, { updatedAt: new Date(5) }, context)).toMatchObject({
      updatedAt: new Date(5),
      touchedOn: "2025-12-31",
    });
  });

  it("without any change stays empty", () => {
    expect(validatePatch(facts, {}, context)).toEqual({});
    expect(validatePatch(facts, { name: undefined }, context)).toEqual({});
  });

  it("cannot change the key, clear what is never NULL or name what does not exist", () => {
    const error = failureOf(() => validatePatch(facts, { id: 2, name: null, nope: 1 }, context));

    expect(error.issues.map(describeIssue)).toEqual([
      expect.stringContaining("nope: is not a field"),
      "id: is part of the key, which a patch cannot change",
      "name: must not be null",
    ]);
  });

  it("is refused when it is no object", () => {
    expect(failureOf(() => validatePatch(facts, null, context)).code).toBe("VALIDATION");
  });
});

describe("a detail", () => {
  const Media = entity("media", {
    id: t.uuid().primaryKey().defaultRandom(),
    type: t.enum(["movie", "series"]),
    title: t.text(),
  });
  const Movie = entity(
    "movies",
    { year: t.int({ min: 1888 }) },
    { base: { entity: Media, set: { type: "movie" } } },
  );
  const facts = factsOf(Movie);

  it("is checked together with its base, which fixes the discriminator", () => {
    expect(validateInsert(facts, { title: "x", year: 2000 }, context)).toEqual({
      id: UUID,
      type: "movie",
      title: "x",
      year: 2000,
    });
  });

  it("takes the discriminator when it says the same, and no other", () => {
    const input = { title: "x", year: 2000, type: "movie" };

    expect(validateInsert(facts, input, context)).toMatchObject({ type: "movie" });
    expect(issuesOf(facts, { ...input, type: "series" })).toEqual([
      'type: is always "movie" here; leave it out',
    ]);
  });

  it("is patched together with its base", () => {
    expect(validatePatch(facts, { title: "y", type: "movie" }, context)).toEqual({ title: "y" });
    expect(
      failureOf(() => validatePatch(facts, { type: "series", id: UUID }, context)).issues,
    ).toEqual([
      { path: ["id"], message: expect.stringContaining("part of the key") },
      { path: ["type"], message: 'is always "movie"' },
    ]);
  });
});

describe("a batch", () => {
  const facts = factsWith({ name: t.text({ minLength: 1 }) });

  const checked = async (rows: readonly unknown[]): Promise<readonly unknown[]> =>
    validateInserts(facts, rows, context);

  it("comes out whole", async () => {
    expect(await checked([{ name: "a" }, { name: "b" }])).toEqual([{ name: "a" }, { name: "b" }]);
    expect(await checked([])).toEqual([]);
  });

  it("is refused with the issues of all rows, each with its position", async () => {
    const checking = checked([{ name: "" }, { name: "b" }, { nam: "c" }, 5]);

    await expect(checking).rejects.toMatchObject({
      issues: [{ path: [0, "name"] }, { path: [2, "nam"] }, { path: [2, "name"] }, { path: [3] }],
    });
    await expect(checking).rejects.toThrow("row 0: name must not be empty");
    await expect(checking).rejects.toThrow("row 3: must be an object");
  });

  it("gathers a bounded number of issues", async () => {
    const rows = Array.from({ length: 2_000 }, () => ({}));

    const failure: unknown = await checked(rows).catch((error: unknown) => error);

    expect((failure as SpringhouseError).issues).toHaveLength(ISSUES_MAX);
  });
});

describe("an entity as a Standard Schema", () => {
  const Thing = entity("things", { id, name: t.text() });

  it("checks an insert", () => {
    const { validate, vendor, version } = Thing["~standard"];

    expect([vendor, version]).toEqual(["springhouse", 1]);
    expect(validate({ name: "a" })).toEqual({ value: { name: "a" } });
    expect(validate({ name: 5 })).toEqual({
      issues: [{ path: ["name"], message: "must be a text, got 5" }],
    });
  });

  it("takes its defaults from the machine", () => {
    const Stamped = entity("stamped", {
      id: t.uuid().primaryKey().defaultRandom(),
      at: t.timestamp().defaultNow(),
    });

    const result = Stamped["~standard"].validate({});

    expect(result).toMatchObject({
      value: { id: expect.stringMatching(/^[0-9a-f-]{36}$/), at: expect.any(Date) },
    });
  });
});
