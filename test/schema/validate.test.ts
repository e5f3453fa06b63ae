import * as valibot from "valibot";
import { describe, expect, it } from "vitest";
import * as zod from "zod";
import type { Clock } from "../../src/core/clock.ts";
import { type Issue, SpringhouseError } from "../../src/core/errors.ts";
import { type Columns, t } from "../../src/schema/column.ts";
import { entity, factsOf } from "../../src/schema/entity.ts";
import type { EntityFacts } from "../../src/schema/facts.ts";
import {
  checkInsert,
  checkPatch,
  ISSUES_MAX,
  validateInsert,
  validateInserts,
  validatePatch,
} from "../../src/schema/validate.ts";

const NOW = Date.UTC(2025, 11, 31, 23, 59, 59, 500);
const UUID = "0b9d3c8e-5f2a-4d1c-9e77-3a1f6b2c4d5e";
const clock: Clock = {
  nowMs: () => NOW,
  monotonicMs: () => 0,
  schedule: () => ({ [Symbol.dispose]: () => undefined }),
};
const context = { clock, randomUuid: () => UUID };

const id = t.int().primaryKey();

/** The facts of an entity with a numbered key and these columns. */
function factsWith(columns: Columns): EntityFacts {
  return factsOf(entity("things", { id, ...columns }));
}

/** The issues of an input, as "path: message". */
function issuesOf(facts: EntityFacts, input: unknown): readonly string[] {
  const result = checkInsert(facts, input, context);
  if (result instanceof Promise) throw new Error("expected a synchronous check");
  return (result.issues ?? []).map(describeIssue);
}

function describeIssue({ path, message }: Issue): string {
  return `${path.join(".")}: ${message}`;
}

function failure(run: () => unknown): SpringhouseError {
  try {
    run();
  } catch (error) {
    if (error instanceof SpringhouseError) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}

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
    const error = failure(() =>
      validateInsert(facts, { nam: "x", name: "too long", count: -1, day: "today" }, context),
    );

    expect(error.code).toBe("VALIDATION");
    expect(error.fields).toEqual({ table: "things" });
    expect(error.issues.map(describeIssue)).toEqual([
      'nam: is not a field of "things"; is "name" meant?',
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

    const error = failure(() => validateInsert(factsWith(many), {}, context));

    expect(error.message).toMatch(/column4 is required; and 4 more\.$/);
    expect(error.issues).toHaveLength(9);
  });
});

describe("a value", () => {
  const cases: readonly (readonly [string, Columns[string], unknown, unknown])[] = [
    ["-0 of an int is 0", t.int(), -0, 0],
    ["-0 of a real is 0", t.real(), -0, 0],
    ["a bigint has 64 bits", t.bigint(), -(2n ** 63n), -(2n ** 63n)],
    ["an empty text is a text", t.text(), "", ""],
    ["a text is not trimmed", t.text(), " a ", " a "],
    ["a text is trimmed on demand, then checked", t.text({ trim: true, maxLength: 1 }), " a ", "a"],
    ["characters are code points", t.text({ maxLength: 2, minLength: 2 }), "👍👍", "👍👍"],
    ["Hangul counts by character", t.text({ maxLength: 2 }), "한글", "한글"],
    ["a uuid becomes lower case", t.uuid(), UUID.toUpperCase(), UUID],
    ["the first day", t.date(), "0001-01-01", "0001-01-01"],
    ["the last day", t.date(), "9999-12-31", "9999-12-31"],
    ["a leap day", t.date(), "2000-02-29", "2000-02-29"],
    ["a moment as Date", t.timestamp(), new Date(NOW), new Date(NOW)],
    ["a moment as milliseconds", t.timestamp(), NOW, new Date(NOW)],
    ["a moment as text", t.timestamp(), "2025-12-31T23:59:59.5Z", new Date(NOW)],
    ["a moment with zone", t.timestamp(), "2026-01-01T01:59:59.500+02:00", new Date(NOW)],
    ["a moment without seconds", t.timestamp(), "2025-01-01T00:00Z", new Date("2025-01-01")],
    ["bytes", t.blob(), Buffer.from("a"), Buffer.from("a")],
    ["JSON null inside", t.json(), { a: [null, -0, undefined].slice(0, 2) }, { a: [null, 0] }],
    ["undefined in a JSON object is absent", t.json(), { a: 1, b: undefined }, { a: 1 }],
    ["JSON without prototype", t.json(), Object.assign(Object.create(null), { a: 1 }), { a: 1 }],
  ];

  it.each(cases)("%s", (_, column, given, expected) => {
    const row = validateInsert(factsWith({ value: column }), { value: given }, context);

    expect((row as Record<string, unknown>)["value"]).toEqual(expected);
    expect(Object.is((row as Record<string, unknown>)["value"], -0)).toBe(false);
  });

  const bad: readonly (readonly [string, Columns[string], unknown, RegExp])[] = [
    ["a fraction is no int", t.int(), 1.5, /whole number, got 1\.5/],
    ["a text is no int", t.int(), "7", /whole number, got "7"/],
    ["NaN is no int", t.int(), Number.NaN, /got NaN/],
    ["an unsafe integer is no int", t.int(), 2 ** 53, /holds exactly/],
    ["a bigint is no int", t.int(), 1n, /got 1n/],
    ["an int is no bigint", t.bigint(), 1, /must be a bigint, got 1/],
    ["65 bits are no bigint", t.bigint(), 2n ** 63n, /64 bits/],
    ["a bigint has limits too", t.bigint({ max: 5 }), 6n, /at most 5, got 6/],
    ["NaN is no real", t.real(), Number.NaN, /finite/],
    ["infinity is no real", t.real({ max: 1 }), Number.POSITIVE_INFINITY, /finite/],
    ["a number is no text", t.text(), 5, /must be a text, got 5/],
    ["a lone surrogate", t.text(), "a\ud800", /well-formed/],
    ["a NUL", t.text(), "a\0", /NUL/],
    ["an empty text", t.text({ minLength: 1 }), "", /must not be empty/],
    ["a blank text", t.text({ minLength: 1, trim: true }), " \t\n ", /must not be empty/],
    ["a text too short", t.text({ minLength: 3 }), "👍👍", /at least 3 characters long, has 2/],
    ["a text too long", t.text({ maxLength: 1 }), "한글", /at most 1 character long, has 2/],
    ["a text of another form", t.text({ pattern: /^a+$/ }), "b", /must match \/\^a\+\$\//],
    ["1 is not true", t.boolean(), 1, /true or false, got 1/],
    ["a uuid without hyphens", t.uuid(), UUID.replaceAll("-", ""), /must be a UUID such as/],
    ["a day that is none", t.date(), "2025-02-29", /calendar day/],
    ["a day of 1900, no leap year", t.date(), "1900-02-29", /calendar day/],
    ["a day in the year 0", t.date(), "0000-01-01", /calendar day/],
    ["a day with a time", t.date(), "2025-01-01T00:00:00Z", /calendar day/],
    ["a day as Date", t.date(), new Date(0), /got a Date/],
    ["a month 13", t.date(), "2025-13-01", /calendar day/],
    ["an invalid Date", t.timestamp(), new Date(Number.NaN), /got an invalid Date/],
    ["a moment without zone", t.timestamp(), "2025-01-01T00:00:00", /with zone/],
    ["a moment on no day", t.timestamp(), "2025-02-30T00:00:00Z", /with zone/],
    ["an hour 24", t.timestamp(), "2025-02-20T24:00:00Z", /with zone/],
    ["a zone that is none", t.timestamp(), "2025-02-20T00:00:00+99:00", /with zone/],
    ["a moment after 9999", t.timestamp(), Date.UTC(10_000, 0), /years 1 to 9999/],
    ["a moment with fractions", t.timestamp(), 0.5, /got 0\.5/],
    ["a text as bytes", t.blob(), "abc", /Uint8Array, got "abc"/],
    ["a value outside the enum", t.enum(["a", "b"]), "c", /one of "a", "b"; got "c"/],
    ["a symbol", t.text(), Symbol("x"), /got a symbol/],
    ["an array", t.text(), [1], /got an array/],
    ["an object", t.text(), new Map(), /got an object \(Map\)/],
    ["a very long text", t.int(), "x".repeat(99), /got "x{40}" and more/],
    ["a bigint in JSON", t.json(), 1n, /no bigint/],
    ["a function in JSON", t.json(), () => 1, /no function/],
    ["NaN in JSON", t.json(), Number.NaN, /NaN cannot be stored/],
    ["a Date in JSON", t.json(), new Date(0), /a Date would not come back/],
    ["a Map in JSON", t.json(), new Map(), /a Map would not come back/],
    ["a NUL in JSON", t.json(), "\0", /NUL/],
    ["a lone surrogate in JSON", t.json(), ["\udfff"], /well-formed/],
  ];

  it.each(bad)("is refused: %s", (_, column, given, message) => {
    const [issue, ...more] = issuesOf(factsWith({ value: column }), { value: given });

    expect(issue).toMatch(message);
    expect(more).toEqual([]);
  });

  it("tells everything that is wrong with a text", () => {
    const facts = factsWith({ value: t.text({ maxLength: 1, pattern: /^a/ }) });

    expect(issuesOf(facts, { value: "bcd\0" })).toHaveLength(3);
  });

  it("of JSON tells where it is wrong", () => {
    const facts = factsWith({ value: t.json() });

    expect(issuesOf(facts, { value: { a: [1, { b: undefined, c: 1n }] } })).toEqual([
      "value.a.1.c: JSON has no bigint; give a text",
    ]);
    expect(issuesOf(facts, { value: { a: [undefined] } })).toEqual([
      "value.a.0: JSON has no undefined",
    ]);
    expect(issuesOf(facts, { value: { "\0": 1 } })[0]).toContain("NUL");
  });

  it("of JSON that contains itself is refused instead of running for ever", () => {
    const circle: Record<string, unknown> = {};
    circle["self"] = circle;

    expect(issuesOf(factsWith({ value: t.json() }), { value: circle })[0]).toContain("1000 deep");
  });

  it("of JSON cannot change a prototype", () => {
    const value: unknown = JSON.parse('{"__proto__": {"polluted": true}}');

    const row = validateInsert(factsWith({ value: t.json() }), { value }, context);

    const copied = (row as Record<string, Record<string, unknown>>)["value"] ?? {};
    expect(Object.keys(copied)).toEqual(["__proto__"]);
    expect(copied["polluted"]).toBeUndefined();
  });

  it("is matched by a global pattern every time", () => {
    const facts = factsWith({ value: t.text({ pattern: /a/g }) });

    expect(issuesOf(facts, { value: "a" })).toEqual([]);
    expect(issuesOf(facts, { value: "a" })).toEqual([]);
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
    const error = failure(() => validatePatch(facts, { id: 2, name: null, nope: 1 }, context));

    expect(error.issues.map(describeIssue)).toEqual([
      expect.stringContaining("nope: is not a field"),
      "id: is part of the key, which a patch cannot change",
      "name: must not be null",
    ]);
  });

  it("is refused when it is no object", () => {
    expect(failure(() => validatePatch(facts, null, context)).code).toBe("VALIDATION");
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
      failure(() => validatePatch(facts, { type: "series", id: UUID }, context)).issues,
    ).toEqual([
      { path: ["id"], message: expect.stringContaining("part of the key") },
      { path: ["type"], message: 'is always "movie"' },
    ]);
  });
});

describe("a refinement", () => {
  const emails = [
    ["Zod", zod.email("must be an address")],
    ["Valibot", valibot.pipe(valibot.string(), valibot.email("must be an address"))],
  ] as const;

  it.each(emails)("by %s is run after the built-in checks", (_, schema) => {
    const facts = factsWith({ email: t.text({ maxLength: 9 }).refine(schema) });

    expect(validateInsert(facts, { email: "a@b.cd" }, context)).toEqual({ email: "a@b.cd" });
    expect(issuesOf(facts, { email: "nobody" })).toEqual(["email: must be an address"]);
    expect(issuesOf(facts, { email: "nobody at all" })).toEqual([
      "email: must be at most 9 characters long, has 13",
    ]);
  });

  it("replaces the value by its output", () => {
    const facts = factsWith({
      name: t.text().refine(zod.string().trim().toLowerCase()),
      tag: t.text().refine(valibot.pipe(valibot.string(), valibot.toUpperCase())),
    });

    expect(validateInsert(facts, { name: "  ADA ", tag: "x" }, context)).toEqual({
      name: "ada",
      tag: "X",
    });
  });

  it("whose output cannot be stored is refused", () => {
    const schema = zod.string().transform((text) => `${text}\0`);

    expect(issuesOf(factsWith({ name: t.text().refine(schema) }), { name: "a" })).toEqual([
      "name: must not contain the character NUL",
    ]);
  });

  it("of JSON says where inside the value it is wrong", () => {
    const schema = zod.object({ tags: zod.array(zod.object({ name: zod.string("text!") })) });
    const facts = factsWith({ value: t.json().refine(schema) });

    expect(issuesOf(facts, { value: { tags: [{ name: "a" }, { name: 5 }] } })).toEqual([
      "value.tags.1.name: text!",
    ]);
  });

  it("understands the paths of Valibot, which are objects", () => {
    const schema = valibot.object({ tags: valibot.array(valibot.string("text!")) });
    const facts = factsWith({ value: t.json().refine(schema) });

    expect(issuesOf(facts, { value: { tags: ["a", 5] } })).toEqual(["value.tags.1: text!"]);
  });

  it("is not run for NULL", () => {
    const facts = factsWith({ email: t.text().nullable().refine(zod.email()) });

    expect(validateInsert(facts, { email: null }, context)).toEqual({ email: null });
  });
});

describe("a refinement that answers later", () => {
  const free = valibot.pipeAsync(
    valibot.string(),
    valibot.checkAsync(async (name) => Promise.resolve(name !== "taken"), "is taken"),
  );
  const facts = factsWith({ name: t.text().refine(free), count: t.int() });

  it("makes the check a promise", async () => {
    const result = validateInsert(facts, { name: "free", count: 1 }, context);

    expect(result).toBeInstanceOf(Promise);
    expect(await result).toEqual({ name: "free", count: 1 });
  });

  it("leaves its issues in the order of the fields", async () => {
    const result = await checkInsert(facts, { name: "taken", count: "x", nope: 1 }, context);

    expect(result.issues?.map(({ path }) => path[0])).toEqual(["nope", "name", "count"]);
  });

  it("rejects with VALIDATION", async () => {
    const result = validateInsert(facts, { name: "taken", count: 1 }, context);

    await expect(result).rejects.toMatchObject({
      code: "VALIDATION",
      issues: [{ path: ["name"], message: "is taken" }],
    });
  });

  it("holds for patches", async () => {
    const updated = factsWith({
      name: t.text().refine(free),
      at: t.timestamp().defaultNow().onUpdateNow(),
    });

    expect(await checkPatch(updated, { name: "free" }, context)).toEqual({
      value: { name: "free", at: new Date(NOW) },
    });
  });

  it("whose own failure reaches the caller", async () => {
    const broken = valibot.pipeAsync(
      valibot.string(),
      valibot.checkAsync(() => Promise.reject(new Error("offline"))),
    );

    const result = validateInsert(factsWith({ name: t.text().refine(broken) }), { name: "a" });

    await expect(result).rejects.toThrow("offline");
  });

  it("is run for all rows of a batch, a bounded number at once", async () => {
    let running = 0;
    let most = 0;
    const slow = valibot.pipeAsync(
      valibot.string(),
      valibot.checkAsync(async (name) => {
        most = Math.max(most, ++running);
        await Promise.resolve();
        running--;
        return name !== "taken";
      }, "is taken"),
    );
    const batch = factsWith({ name: t.text().refine(slow) });
    const names = Array.from({ length: 350 }, (_, at) => (at % 100 === 7 ? "taken" : "free"));

    const result = validateInserts(
      batch,
      names.map((name) => ({ name })),
      context,
    );

    await expect(result).rejects.toMatchObject({
      issues: [7, 107, 207, 307].map((row) => ({ path: [row, "name"], message: "is taken" })),
    });
    expect(most).toBe(100);
  });
});

describe("a batch", () => {
  const facts = factsWith({ name: t.text({ minLength: 1 }) });

  it("comes out whole", () => {
    expect(validateInserts(facts, [{ name: "a" }, { name: "b" }], context)).toEqual([
      { name: "a" },
      { name: "b" },
    ]);
    expect(validateInserts(facts, [], context)).toEqual([]);
  });

  it("is refused with the issues of all rows, each with its position", () => {
    const error = failure(() =>
      validateInserts(facts, [{ name: "" }, { name: "b" }, { nam: "c" }, 5], context),
    );

    expect(error.issues.map(({ path }) => path)).toEqual([
      [0, "name"],
      [2, "nam"],
      [2, "name"],
      [3],
    ]);
    expect(error.message).toContain("row 0: name must not be empty");
    expect(error.message).toContain("row 3: must be an object");
  });

  it("gathers a bounded number of issues", () => {
    const rows = Array.from({ length: 2_000 }, () => ({}));

    expect(failure(() => validateInserts(facts, rows, context)).issues).toHaveLength(ISSUES_MAX);
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
