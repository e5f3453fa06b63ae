import { describe, expect, it } from "vitest";
import { type Columns, t } from "../../src/schema/column.ts";
import { validateInsert } from "../../src/schema/validate.ts";
import { context, factsWith, issuesOf, NOW, UUID } from "./support.ts";

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
    ["bytes", t.blob(), Buffer.from("a"), new Uint8Array([97])],
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
