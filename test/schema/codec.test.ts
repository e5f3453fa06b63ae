import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isSpringhouseError } from "../../src/core/errors.ts";
import { createCatalog } from "../../src/schema/catalog.ts";
import { codecOf, encodeParameter } from "../../src/schema/codec.ts";
import { type AnyColumn, type Columns, t } from "../../src/schema/column.ts";
import { createStatements, physicalSchema } from "../../src/schema/ddl.ts";
import { entity, factsOf } from "../../src/schema/entity.ts";
import type { ColumnFacts } from "../../src/schema/facts.ts";
import type { Dialect, SqlValue } from "../../src/schema/physical.ts";
import { validateInsert } from "../../src/schema/validate.ts";
import { PostgresSchema, skipPostgres } from "./psql.ts";

const DAY_MS = 86_400_000;
const YEAR_1_MS = -62_135_596_800_000;
const YEAR_9999_MS = 253_402_300_799_999;

/** Every kind with values of every sort; the borders stand beside what is drawn at random. */
const KINDS: Readonly<Record<string, readonly [AnyColumn, fc.Arbitrary<unknown>]>> = {
  int: [t.int(), fc.oneof(fc.maxSafeInteger(), fc.constantFrom(-0, 2 ** 53 - 1, 1 - 2 ** 53))],
  bigint: [
    t.bigint(),
    fc.oneof(
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      fc.constantFrom(2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n, 2n ** 53n + 1n, 0n),
    ),
  ],
  real: [
    t.real(),
    fc.oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.constantFrom(-0, Number.MAX_VALUE, Number.MIN_VALUE, 2 ** 53 + 2, 0.1 + 0.2),
    ),
  ],
  text: [t.text(), plainText()],
  boolean: [t.boolean(), fc.boolean()],
  json: [
    t.json(),
    fc.jsonValue().filter((value) => value !== null && !JSON.stringify(value).includes("\\u")),
  ],
  uuid: [t.uuid(), fc.uuid()],
  date: [
    t.date(),
    fc
      .oneof(
        fc.integer({ min: YEAR_1_MS / DAY_MS, max: Math.floor(YEAR_9999_MS / DAY_MS) }),
        fc.integer({ min: 1, max: 9_999 }).map((year) => Date.parse(`${pad(year)}-12-31`) / DAY_MS),
        fc.integer({ min: 1, max: 9_999 }).map((year) => Date.parse(`${pad(year)}-01-01`) / DAY_MS),
      )
      .map((day) => new Date(day * DAY_MS).toISOString().slice(0, 10)),
  ],
  timestamp: [
    t.timestamp(),
    fc
      .oneof(
        fc.integer({ min: YEAR_1_MS, max: YEAR_9999_MS }),
        fc.constantFrom(YEAR_1_MS, YEAR_9999_MS, -1, 0, 1),
      )
      .map((ms) => new Date(ms)),
  ],
  blob: [t.blob(), fc.uint8Array({ maxLength: 300 })],
  enum: [t.enum(["a", "it's", '"', "한"]), fc.constantFrom("a", "it's", '"', "한")],
};

function pad(year: number): string {
  return String(year).padStart(4, "0");
}

/** Any text that can be stored: no NUL, no lone surrogate. */
function plainText(): fc.Arbitrary<string> {
  const emoji = fc.constantFrom("👍", "👨‍👩‍👧", "e\u0301", "\ufeff", "'", '"', "\\", "\n");
  return fc
    .oneof(
      fc.string({ unit: "binary" }),
      fc.array(emoji).map((parts) => parts.join("")),
    )
    .map((text) => text.replaceAll("\0", ""));
}

function single(column: AnyColumn): {
  readonly column: ColumnFacts;
  readonly facts: ReturnType<typeof factsOf>;
  readonly entity: Parameters<typeof factsOf>[0];
} {
  const columns: Columns = { id: t.int().primaryKey(), value: column };
  const declared = entity("things", columns);
  const facts = factsOf(declared);
  return { column: facts.byName.get("value") as ColumnFacts, facts, entity: declared };
}

function codec(column: AnyColumn, dialect: Dialect): ReturnType<typeof codecOf> {
  return codecOf("things", single(column).column, dialect);
}

describe("on SQLite", () => {
  it.each(Object.entries(KINDS))("%s comes back as it was checked", (_, [declared, values]) => {
    const { column, facts, entity: Thing } = single(declared);
    const { encode, decode } = codecOf("things", column, "sqlite");
    using db = new DatabaseSync(":memory:", { readBigInts: true });
    for (const sql of createStatements(physicalSchema(createCatalog([Thing]), "sqlite"))) {
      db.exec(sql);
    }
    const insert = db.prepare("INSERT INTO things (value) VALUES (?) RETURNING value");

    fc.assert(
      fc.property(values, (given) => {
        const { value } = validateInsert(facts, { value: given }) as { value: unknown };

        const { value: stored } = insert.get(encode(value)) as { value: SqlValue };
        const narrow =
          typeof stored === "bigint" && Number.isSafeInteger(Number(stored))
            ? Number(stored)
            : stored;

        expect(decode(stored)).toStrictEqual(value);
        expect(decode(narrow)).toStrictEqual(value);
      }),
    );
  });
});

describe.skipIf(skipPostgres)("on PostgreSQL", () => {
  it.each(Object.entries(KINDS))("%s comes back as it was checked", (_, [declared, values]) => {
    const { column, facts, entity: Thing } = single(declared);
    const { encode, decode } = codecOf("things", column, "postgres");
    using schema = new PostgresSchema();
    const checked = fc
      .sample(values, 60)
      .map((given) => (validateInsert(facts, { value: given }) as { value: unknown }).value);
    const rows = checked.map((value) => `(${parameter(encode(value))})`).join(", ");
    const create = createStatements(physicalSchema(createCatalog([Thing]), "postgres"));

    schema.run(`${create.join(";\n")};\nINSERT INTO things (value) VALUES ${rows};`);
    // As text, which is how a driver without parsers of its own receives every value.
    const stored = schema.rows("SELECT value::text AS value FROM things ORDER BY id");

    expect(stored.map((row) => decode(row["value"] as string))).toStrictEqual(checked);
  });
});

/** A literal without a type, which PostgreSQL treats as it treats a bound parameter. */
function parameter(value: SqlValue): string {
  if (value instanceof Uint8Array) return `'\\x${Buffer.from(value).toString("hex")}'`;
  return `'${String(value).replaceAll("'", "''")}'`;
}

describe("a codec", () => {
  it("is the same object for the same column and dialect", () => {
    const { column } = single(t.int());

    expect(codecOf("things", column, "sqlite")).toBe(codecOf("things", column, "sqlite"));
    expect(codecOf("things", column, "sqlite")).not.toBe(codecOf("things", column, "postgres"));
  });

  it.each(Object.entries(KINDS))("of %s leaves NULL alone", (_, [column]) => {
    expect(codec(column, "sqlite").encode(null)).toBeNull();
    expect(codec(column, "sqlite").encode(undefined)).toBeNull();
    expect(codec(column, "postgres").decode(null)).toBeNull();
  });

  const unstorable: readonly (readonly [AnyColumn, unknown])[] = [
    [t.int(), 1.5],
    [t.int(), 2 ** 60],
    [t.bigint(), 5],
    [t.real(), Number.NaN],
    [t.text(), 5],
    [t.boolean(), 1],
    [t.timestamp(), "yesterday"],
    [t.blob(), "abc"],
    [t.json(), () => 1],
    [t.json(), { a: [1n] }],
  ];

  it.each(unstorable)("refuses to store what is not of its kind", (column, value) => {
    expect(() => codec(column, "sqlite").encode(value)).toThrowError(
      expect.objectContaining({ code: "INVALID_ARGUMENT" }),
    );
  });

  const corrupt: readonly (readonly [string, AnyColumn, SqlValue])[] = [
    ["an unsafe integer", t.int(), 2n ** 60n],
    ["a fraction", t.int(), 1.5],
    ["a text in an int", t.int(), "7a"],
    ["a fraction in a bigint", t.bigint(), 0.5],
    ["a text in a real", t.real(), "abc"],
    ["an empty text in a real", t.real(), ""],
    ["bytes in a real", t.real(), new Uint8Array()],
    ["bytes in a text", t.text(), new Uint8Array([1, 2])],
    ["a 2 in a boolean", t.boolean(), 2],
    ["broken JSON", t.json(), '{"a":'],
    ["a number as JSON", t.json(), 5],
    ["a moment as words", t.timestamp(), "yesterday"],
    ["a moment on no day", t.timestamp(), "2025-99-01 00:00:00+00"],
    ["a moment with a fraction", t.timestamp(), 0.5],
    ["a moment out of reach", t.timestamp(), 9e15],
    ["a text as bytes", t.blob(), "abc"],
    ["half a byte", t.blob(), "\\x0"],
  ];

  it.each(corrupt)("names table and column when it finds %s", (_, column, stored) => {
    const run = (): unknown => codec(column, "sqlite").decode(stored);

    expect(run).toThrowError(/^"things"\."value" holds .+, which is (not a|beyond what)/);
    expect(run).toThrowError(
      expect.objectContaining({
        code: "CORRUPT",
        fields: expect.objectContaining({ table: "things", column: "value" }),
      }),
    );
  });

  it("does not show the text that it could not read", () => {
    try {
      codec(t.json(), "sqlite").decode('{"password":"hunter2"');
      expect.unreachable();
    } catch (error) {
      expect(String(error)).not.toContain("hunter2");
    }
  });

  it("reads what PostgreSQL writes", () => {
    const read = (column: AnyColumn, text: SqlValue): unknown =>
      codec(column, "postgres").decode(text);

    expect(read(t.timestamp(), "2025-12-31 23:59:59.5+00")).toEqual(
      new Date("2025-12-31T23:59:59.500Z"),
    );
    expect(read(t.timestamp(), "2026-01-01 05:29:59+05:30")).toEqual(
      new Date("2025-12-31T23:59:59Z"),
    );
    expect(read(t.boolean(), "t")).toBe(true);
    expect(read(t.boolean(), "f")).toBe(false);
    expect(read(t.bigint(), "-9223372036854775808")).toBe(-(2n ** 63n));
    expect(read(t.real(), "1e-7")).toBe(1e-7);
    expect(read(t.blob(), "\\x00ff")).toEqual(new Uint8Array([0, 255]));
  });
});

describe("a parameter of raw SQL", () => {
  it("is encoded by its JavaScript type", () => {
    const moment = new Date(5);

    expect(encodeParameter(null, "sqlite")).toBeNull();
    expect(encodeParameter("a", "sqlite")).toBe("a");
    expect(encodeParameter(5, "sqlite")).toBe(5n);
    expect(encodeParameter(5, "postgres")).toBe(5);
    expect(encodeParameter(-0, "sqlite")).toBe(0n);
    expect(encodeParameter(1.5, "sqlite")).toBe(1.5);
    expect(encodeParameter(2 ** 60, "sqlite")).toBe(2 ** 60);
    expect(encodeParameter(2n ** 60n, "sqlite")).toBe(2n ** 60n);
    expect(encodeParameter(true, "sqlite")).toBe(1);
    expect(encodeParameter(false, "postgres")).toBe("false");
    expect(encodeParameter(moment, "sqlite")).toBe(5);
    expect(encodeParameter(moment, "postgres")).toBe("1970-01-01T00:00:00.005Z");
    expect(encodeParameter(new Uint8Array([1]), "sqlite")).toEqual(new Uint8Array([1]));
    expect(encodeParameter({ a: [1] }, "sqlite")).toBe('{"a":[1]}');
    expect(encodeParameter([1, null], "postgres")).toBe("[1,null]");
  });

  it("divides as a literal does", () => {
    using db = new DatabaseSync(":memory:");

    const { result } = db.prepare("SELECT 7 / ? AS result").get(encodeParameter(2, "sqlite")) ?? {};

    expect(result).toBe(3);
  });

  it.each([
    undefined,
    () => 1,
    Symbol("x"),
    Number.NaN,
    Number.POSITIVE_INFINITY,
    2n ** 63n,
    new Date(Number.NaN),
    { a: new Map() },
  ])("is refused when SQL has no such value (%#)", (value) => {
    try {
      encodeParameter(value, "sqlite");
      expect.unreachable();
    } catch (error) {
      expect(isSpringhouseError(error, "INVALID_ARGUMENT")).toBe(true);
    }
  });

  it("says what to give instead of undefined", () => {
    expect(() => encodeParameter(undefined, "sqlite")).toThrowError(/undefined.*Give null/);
  });
});
