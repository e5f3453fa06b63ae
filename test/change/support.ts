/**
 * Random tables of every affinity and collation, and random predicates as both sides have them: as
 * SQL with bound values, and as data. Values come from small domains, so that they often meet.
 */

import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import fc from "fast-check";
import { withAffinity } from "../../src/change/affinity.ts";
import type { Image } from "../../src/change/change.ts";
import type { Comparison, Predicate } from "../../src/change/predicate.ts";
import type { Affinity, ColumnStructure, TableStructure } from "../../src/change/structure.ts";
import type { StoredValue } from "../../src/change/value.ts";

const INTEGERS = [
  ...[0n, 1n, -1n, 7n, 2n ** 53n, 2n ** 53n + 1n, -(2n ** 53n) - 1n],
  ...[2n ** 63n - 1n, -(2n ** 63n), 10n ** 16n],
];
const REALS = [
  ...[0, -0, 1, -1, 1.5, 0.1, 7, 2 ** 53, 2 ** 53 + 2, 1e16, 2 ** 63, -(2 ** 63)],
  ...[Infinity, -Infinity, 1e300, 5e-324],
];
const WORDS = [
  ...["", " ", "a", "A", "a ", "A  ", "a\t", "ab", "aB", "b", "Z", "_", "[", "é", "É", "k"],
  ...["\u212A", "\uE000", "\uFF5E", "\u{1F600}", "\u{1F600}a", "\uFEFFa", "inf", "nan"],
];
const NUMERALS = [
  ...["1", "1.0", "-1", "0.1", "7", "+7", "007", "1e3", "0x10", " 1", "1 ", ".5", "5.", "1e", "-"],
  ...["9007199254740993", "9223372036854775807", "9223372036854775808", "10000000000000000"],
  ...["2024-01-15", "1_000", "-0", "0.0"],
];
const BLOBS = [[], [0], [0x61], [0x61, 0], [0x31], [0xff]].map((bytes) => new Uint8Array(bytes));

/** Values of which everything is certain, in families that often meet. */
const FAMILIES: readonly (readonly StoredValue[])[] = [
  [...INTEGERS, ...REALS],
  WORDS,
  [...INTEGERS, ...REALS, ...NUMERALS],
  [...WORDS, ...BLOBS],
  [...INTEGERS, ...REALS, ...WORDS, ...NUMERALS, ...BLOBS],
];

/** Texts that are read as something else, or that SQLite's functions see only half of. */
class RawText {
  readonly bytes: Uint8Array;

  constructor(bytes: number[]) {
    this.bytes = new Uint8Array(bytes);
  }
}

/** A value that can be written: raw texts only by a CAST. */
export type Written = StoredValue | RawText;

export function isRaw(value: Written): value is RawText {
  return value instanceof RawText;
}

const DOUBTFUL: readonly Written[] = [
  ...["a\0b", "a\0", "\uFFFD", "a\uFFFD", "\ud83d"],
  ...[[0x61, 0xff], [0xff], [0xed, 0xa0, 0xbd], [0xc0, 0x80], [0xef, 0xbf, 0xbd]].map(
    (bytes) => new RawText(bytes),
  ),
  // In UTF-16, in both orders: two first halves, which are read as one character, and U+FFFE.
  ...["\uFFFE", "\u{10041}"],
  ...[
    [0x00, 0xd8, 0x41, 0x00],
    [0xd8, 0x00, 0x00, 0x41],
    [0xfe, 0xff],
    [0xff, 0xfe],
  ].map((bytes) => new RawText(bytes)),
];

const TYPES: readonly (readonly [type: string, affinity: Affinity])[] = [
  ...([
    ["INTEGER", "integer"],
    ["TINYINT", "integer"],
    ["REAL", "real"],
    ["DOUBLE", "real"],
    ["NUMERIC", "numeric"],
    ["DATETIME", "numeric"],
    ["TEXT", "text"],
    ["VARCHAR(9)", "text"],
    ["BLOB", "blob"],
    ["", "blob"],
  ] as const),
];
const STRICT_TYPES: typeof TYPES = [
  ["INT", "integer"],
  ["REAL", "real"],
  ["TEXT", "text"],
  ["BLOB", "blob"],
  ["ANY", "blob"],
];
const COLUMN_COUNT = 3;

/** What a random case is made of; numbers are places in lists, modulo their length. */
export interface Case {
  readonly strict: boolean;
  readonly columns: readonly { readonly type: number; readonly collation: string }[];
  readonly domain: readonly Written[];
  readonly rows: readonly (readonly number[])[];
  readonly conditions: readonly Condition[];
}

type Condition =
  | { readonly kind: "always" }
  | { readonly kind: "opaque"; readonly truth: 0 | 1 | null }
  | {
      readonly kind: "compare";
      readonly column: number;
      readonly operator: Comparison;
      readonly value: number;
    }
  | { readonly kind: "in"; readonly column: number; readonly values: readonly number[] }
  | { readonly kind: "and" | "or"; readonly parts: readonly Condition[] }
  | { readonly kind: "not"; readonly part: Condition };

const place = fc.nat(997);
const column = fc.nat(COLUMN_COUNT - 1);
const OPERATORS: readonly Comparison[] = ["=", "<>", "<", "<=", ">", ">=", "is", "is not"];

function conditions(leaves: readonly fc.Arbitrary<Condition>[]): fc.Arbitrary<Condition> {
  const { condition } = fc.letrec<{ condition: Condition }>((tie) => {
    const parts = fc.array(tie("condition"), { maxLength: 3 });
    return {
      condition: fc.oneof(
        { maxDepth: 3 },
        ...leaves,
        fc.record({ kind: fc.constantFrom("and", "or"), parts }),
        fc.record({ kind: fc.constant("not"), part: tie("condition") }),
      ),
    };
  });
  return condition;
}

const compare: fc.Arbitrary<Condition> = fc.record({
  kind: fc.constant("compare"),
  ...{ column, value: place, operator: fc.constantFrom(...OPERATORS) },
});
const among: fc.Arbitrary<Condition> = fc.record({
  kind: fc.constant("in"),
  ...{ column, values: fc.array(place, { maxLength: 3 }) },
});
const always: fc.Arbitrary<Condition> = fc.constant({ kind: "always" });
const opaque: fc.Arbitrary<Condition> = fc.record({
  kind: fc.constant("opaque"),
  truth: fc.constantFrom(0, 1, null),
});

/** Random cases; with doubt they have opaque parts and doubtful texts too. */
export function cases(doubt: boolean): fc.Arbitrary<Case> {
  const domains = (doubt ? [...FAMILIES, [...WORDS, ...DOUBTFUL]] : FAMILIES).map(domainOf);
  const leaves = [compare, compare, compare, compare, among, among, always];
  return fc.record({
    strict: fc.boolean(),
    columns: fc.array(
      fc.record({ type: place, collation: fc.constantFrom("binary", "nocase", "rtrim") }),
      { minLength: COLUMN_COUNT, maxLength: COLUMN_COUNT },
    ),
    domain: fc.oneof(...domains),
    rows: fc.array(fc.array(place, { minLength: COLUMN_COUNT, maxLength: COLUMN_COUNT }), {
      ...{ minLength: 6, maxLength: 8 },
    }),
    conditions: fc.array(conditions(doubt ? [...leaves, opaque] : leaves), {
      ...{ minLength: 6, maxLength: 8 },
    }),
  });
}

function domainOf(family: readonly Written[]): fc.Arbitrary<Written[]> {
  const value = { arbitrary: fc.constantFrom(...family), weight: 7 };
  const none = { arbitrary: fc.constant(null), weight: 1 };
  return fc.array(fc.oneof(value, none), { minLength: 5, maxLength: 8 });
}

/** Makes the table `t` of the case, with its rows as far as a STRICT table takes them. */
export function createTable(db: DatabaseSync, example: Case): TableStructure {
  const columns = example.columns.map(({ type, collation }, at) => {
    const types = example.strict ? STRICT_TYPES : TYPES;
    const [declared, affinity] = cyclic(types, type);
    return { name: `c${at}`, declared, affinity, collation };
  });
  const list = columns.map((c) => `${c.name} ${c.declared} COLLATE ${c.collation}`).join(", ");
  db.exec(`DROP TABLE IF EXISTS t; CREATE TABLE t (${list})${example.strict ? " STRICT" : ""};
    CREATE INDEX t_c0 ON t (c0); CREATE INDEX t_c1_c2 ON t (c1 DESC, c2);`);
  for (const row of example.rows) {
    insert(
      db,
      row.map((at) => cyclic(example.domain, at)),
    );
  }
  const isUtf16 = db.prepare("PRAGMA encoding").get()?.["encoding"] !== "UTF-8";
  return { name: "t", columns, capture: "rows", isUtf16 };
}

/** In memory; in UTF-16 the bytes are in the one order or in the other. */
export function databaseIn(encoding: string): DatabaseSync {
  const db = new DatabaseSync(":memory:");
  db.exec(`PRAGMA encoding = '${encoding}'`);
  return db;
}

export const ENCODINGS = ["UTF-8", "UTF-16le", "UTF-16be"];

/** Whether the row was taken. */
export function insert(db: DatabaseSync, values: readonly Written[]): boolean {
  const list = values.map(placeholderOf).join(", ");
  return written(() => db.prepare(`INSERT INTO t VALUES (${list})`).run(...values.map(boundOf)));
}

/** False when a STRICT table refused it. */
export function written(write: () => void): boolean {
  try {
    write();
    return true;
  } catch (error) {
    if (String(error).includes("cannot store")) return false;
    throw error;
  }
}

export function placeholderOf(value: Written): string {
  return isRaw(value) ? "CAST(? AS TEXT)" : "?";
}

export function boundOf(value: Written): SQLInputValue {
  return isRaw(value) ? value.bytes : value;
}

/** All rows of `t` by rowid, as the log would have them. */
export function imagesOf(db: DatabaseSync, structure: TableStructure): Map<bigint, Image> {
  const columns = structure.columns.map(({ name }) => name);
  const statement = db.prepare(`SELECT rowid, ${columns.join()} FROM t`);
  statement.setReadBigInts(true);
  statement.setReturnArrays(true);
  const rows = statement.all() as unknown as [bigint, ...StoredValue[]][];
  return new Map(rows.map(([rowid, ...values]) => [rowid, { columns, values }]));
}

/** One condition for both sides. */
export interface Built {
  readonly sql: string;
  readonly parameters: readonly SQLInputValue[];
  readonly predicate: Predicate;
  /** Columns that it names. */
  readonly columns: ReadonlySet<string>;
  /** Whether nothing in the data is opaque. */
  readonly certain: boolean;
}

/** Compiles a condition; a value that has no certain affinity makes its comparison opaque. */
export function build(
  condition: Condition,
  structure: TableStructure,
  domain: readonly Written[],
): Built {
  switch (condition.kind) {
    case "always":
      return built("1", [], { kind: "always" });
    case "opaque":
      return built(String(condition.truth ?? "null"), [], { kind: "opaque" });
    case "compare": {
      const { operator } = condition;
      const target = cyclic(structure.columns, condition.column);
      const { parameters, values } = operands([condition.value], target, domain);
      const value = values?.[0];
      const { name } = target;
      return built(
        `${name} ${operator} ?`,
        parameters,
        value === undefined
          ? { kind: "opaque" }
          : { kind: "compare", column: name, operator, value },
        [name],
      );
    }
    case "in": {
      const target = cyclic(structure.columns, condition.column);
      const { parameters, values } = operands(condition.values, target, domain);
      const { name } = target;
      return built(
        `${name} in (${parameters.map(() => "?").join()})`,
        parameters,
        values === undefined ? { kind: "opaque" } : { kind: "in", column: name, values },
        [name],
      );
    }
    case "and":
    case "or": {
      const { kind } = condition;
      const parts = condition.parts.map((part) => build(part, structure, domain));
      return {
        sql: `(${parts.map(({ sql }) => sql).join(` ${kind} `) || Number(kind === "and")})`,
        parameters: parts.flatMap(({ parameters }) => parameters),
        predicate: { kind, parts: parts.map(({ predicate }) => predicate) },
        columns: new Set(parts.flatMap(({ columns }) => [...columns])),
        certain: parts.every(({ certain }) => certain),
      };
    }
    case "not": {
      const part = build(condition.part, structure, domain);
      const { predicate } = part;
      return { ...part, sql: `not (${part.sql})`, predicate: { kind: "not", part: predicate } };
    }
  }
}

function built(
  sql: string,
  parameters: readonly SQLInputValue[],
  predicate: Predicate,
  columns: readonly string[] = [],
): Built {
  const certain = predicate.kind !== "opaque";
  return { sql, parameters, predicate, columns: new Set(columns), certain };
}

function operands(
  places: readonly number[],
  target: ColumnStructure,
  domain: readonly Written[],
): { parameters: StoredValue[]; values: StoredValue[] | undefined } {
  const parameters = places.map((at) => {
    const value = cyclic(domain, at);
    return isRaw(value) ? new TextDecoder().decode(value.bytes) : value;
  });
  const values = parameters.map((value) => withAffinity(value, target));
  const certain = values.filter((value) => value !== undefined);
  return { parameters, values: certain.length === values.length ? certain : undefined };
}

export function cyclic<T>(list: readonly T[], at: number): T {
  return list[at % list.length] as T;
}
