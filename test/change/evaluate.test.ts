import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Image } from "../../src/change/change.ts";
import { holds } from "../../src/change/evaluate.ts";
import type { Comparison, Predicate } from "../../src/change/predicate.ts";
import type { TableStructure } from "../../src/change/structure.ts";
import { type ImageValue, type StoredValue, UNKNOWN } from "../../src/change/value.ts";
import {
  type Built,
  build,
  cases,
  createTable,
  databaseIn,
  ENCODINGS,
  imagesOf,
} from "./support.ts";

const TASKS: TableStructure = {
  name: "tasks",
  columns: [
    { name: "score", affinity: "integer", collation: "binary" },
    { name: "title", affinity: "text", collation: "binary" },
    { name: "owner", affinity: "text", collation: "nocase" },
    { name: "note", affinity: "text", collation: "rtrim" },
    { name: "city", affinity: "text", collation: "swedish" },
  ],
  capture: "rows",
};

function imageOf(values: Readonly<Record<string, ImageValue>>): Image {
  return { columns: Object.keys(values), values: Object.values(values) };
}

function compare(column: string, operator: Comparison, value: StoredValue): Predicate {
  return { kind: "compare", column, operator, value };
}

function not(part: Predicate): Predicate {
  return { kind: "not", part };
}

/** What can be told of a predicate: true, false, null, or "unknown" when both it and its NOT may hold. */
function truth(
  predicate: Predicate,
  values: Readonly<Record<string, ImageValue>>,
  structure = TASKS,
): unknown {
  const image = imageOf(values);
  const [may, mayNot] = [predicate, not(predicate)].map((one) => holds(one, image, structure));
  if (may && mayNot) return "unknown";
  return may === mayNot ? null : may;
}

describe("a predicate on the image of a row", () => {
  it("compares texts by their bytes, folded or trimmed as the collation says", () => {
    expect(truth(compare("title", "<", "\u{1F600}"), { title: "\uFF5E" })).toBe(true);
    expect(truth(compare("title", "=", "a"), { title: "A" })).toBe(false);
    expect(truth(compare("owner", "=", "a"), { owner: "A" })).toBe(true);
    expect(truth(compare("owner", "=", "é"), { owner: "É" })).toBe(false);
    expect(truth(compare("owner", "=", "k"), { owner: "\u212A" })).toBe(false);
    expect(truth(compare("note", "=", "a"), { note: "a  " })).toBe(true);
    expect(truth(compare("note", "=", "a"), { note: "a\t" })).toBe(false);
  });

  it("compares integers and reals by their exact values", () => {
    const score = 2n ** 53n + 1n;

    expect(truth(compare("score", ">", 2 ** 53), { score })).toBe(true);
    expect(truth(compare("score", "=", 1), { score: 1n })).toBe(true);
    expect(truth(compare("score", "<", Number.POSITIVE_INFINITY), { score })).toBe(true);
    expect(truth(compare("score", "=", Number.NaN), { score: 1 })).toBe("unknown");
  });

  it("has NULL neither equal nor different, except for IS", () => {
    expect(truth(compare("score", "=", null), { score: null })).toBe(null);
    expect(truth(compare("score", "<>", 1n), { score: null })).toBe(null);
    expect(truth(compare("score", "is", null), { score: null })).toBe(true);
    expect(truth(compare("score", "is not", 1n), { score: null })).toBe(true);
    expect(truth({ kind: "in", column: "score", values: [1n, null] }, { score: 2n })).toBe(null);
    expect(truth({ kind: "in", column: "score", values: [1n, null] }, { score: 1n })).toBe(true);
    expect(truth({ kind: "in", column: "score", values: [] }, { score: null })).toBe(false);
  });

  it("is unknown where the value, the column, the text or the collation is", () => {
    expect(truth(compare("score", "=", 1n), { score: UNKNOWN })).toBe("unknown");
    expect(truth(compare("score", "is", null), { score: UNKNOWN })).toBe("unknown");
    expect(truth(compare("score", "=", 1n), { title: "a" })).toBe("unknown");
    expect(truth(compare("absent", "=", 1n), { absent: 1n })).toBe("unknown");
    expect(truth(compare("city", "=", "a"), { city: "a" })).toBe("unknown");
    expect(truth(compare("title", "=", "a\uFFFD"), { title: "b" })).toBe("unknown");
    expect(truth(compare("title", "=", "b"), { title: "\ud800" })).toBe("unknown");
    expect(truth(compare("title", "<", "b"), { title: "a\0" })).toBe("unknown");
    expect(truth({ kind: "in", column: "city", values: ["a"] }, { city: "b" })).toBe("unknown");
    expect(truth({ kind: "opaque" }, {})).toBe("unknown");
  });

  it("tells texts of a file in UTF-16 apart, and does not put them in order", () => {
    const inUtf16 = (column: string, operator: Comparison, value: string, found: ImageValue) =>
      truth(compare(column, operator, value), { [column]: found }, { ...TASKS, isUtf16: true });

    expect(inUtf16("title", "<", "B", "\u0100")).toBe("unknown");
    expect(inUtf16("title", ">=", "a", "a")).toBe("unknown");
    expect(inUtf16("title", "<", "B", 7n)).toBe(true);
    expect(inUtf16("title", "=", "\u0100", "\u0100")).toBe(true);
    expect(inUtf16("title", "=", "B", "\u0100")).toBe(false);
    expect(inUtf16("owner", "is not", "a", "A")).toBe(false);
    expect(inUtf16("note", "<>", "a", "a ")).toBe(false);
    expect(inUtf16("title", "=", "\u{10041}", "\u{10041}")).toBe("unknown");
    expect(inUtf16("title", "=", "a", "\uFFFE")).toBe("unknown");
  });

  it("is known where a doubt cannot matter", () => {
    const no = compare("score", "=", 2n);
    const yes = compare("score", "=", 1n);
    const opaque: Predicate = { kind: "opaque" };

    expect(truth({ kind: "and", parts: [opaque, no] }, { score: 1n })).toBe(false);
    expect(truth({ kind: "or", parts: [opaque, yes] }, { score: 1n })).toBe(true);
    expect(truth({ kind: "and", parts: [opaque, yes] }, { score: 1n })).toBe("unknown");
    expect(truth({ kind: "or", parts: [opaque, not(yes)] }, { score: 1n })).toBe("unknown");
    expect(truth(compare("city", "<", 1n), { city: "a" })).toBe(false);
    expect(truth(compare("city", "is", null), { city: "a" })).toBe(false);
  });

  it("never holds for NULL and an opaque part, though its NOT may", () => {
    const parts: Predicate[] = [compare("score", "=", 1n), { kind: "opaque" }];

    const image = imageOf({ score: null });

    expect(holds({ kind: "and", parts }, image, TASKS)).toBe(false);
    expect(holds(not({ kind: "and", parts }), image, TASKS)).toBe(true);
  });

  it("is true for no parts of an AND and false for no parts of an OR", () => {
    expect(truth({ kind: "and", parts: [] }, {})).toBe(true);
    expect(truth({ kind: "or", parts: [] }, {})).toBe(false);
    expect(truth({ kind: "always" }, {})).toBe(true);
  });
});

describe("a random predicate on random rows", () => {
  it("is exactly what SQLite makes of it, where nothing is in doubt", () => {
    using db = new DatabaseSync(":memory:");
    const counts = { true: 0, false: 0, null: 0 };

    fc.assert(
      fc.property(cases(false), (example) => {
        const structure = createTable(db, example);
        const images = imagesOf(db, structure);
        for (const condition of example.conditions) {
          const one = build(condition, structure, example.domain);
          const truths = truthsOf(db, one);
          for (const [rowid, image] of images) {
            const expected = truths.get(rowid);
            const may = holds(one.predicate, image, structure);
            const mayNot = holds(not(one.predicate), image, structure);
            if (expected === 1n) expect(may).toBe(true);
            if (expected === 0n) expect(mayNot).toBe(true);
            if (!one.certain) continue;
            expect([may, mayNot]).toEqual([expected === 1n, expected === 0n]);
            counts[expected === null ? "null" : expected === 1n ? "true" : "false"]++;
          }
        }
      }),
      { seed: 4, numRuns: 600 },
    );

    expect(Math.min(...Object.values(counts))).toBeGreaterThan(1_000);
  });

  it.each(ENCODINGS)(
    "holds wherever SQLite has it true, though much is in doubt, in %s",
    (encoding) => {
      using db = databaseIn(encoding);
      let spared = 0;

      fc.assert(
        fc.property(cases(true), fc.nat(5), (example, hidden) => {
          const structure = createTable(db, example);
          const images = imagesOf(db, structure);
          const known = withDoubt(structure, hidden);
          for (const condition of example.conditions) {
            const one = build(condition, structure, example.domain);
            const truths = truthsOf(db, one);
            for (const [rowid, whole] of images) {
              const image = withoutValue(whole, hidden);
              const may = holds(one.predicate, image, known);
              if (truths.get(rowid) === 1n) expect(may).toBe(true);
              if (truths.get(rowid) === 0n)
                expect(holds(not(one.predicate), image, known)).toBe(true);
              if (!may) spared++;
            }
          }
        }),
        { seed: 5, numRuns: 600 },
      );

      expect(spared).toBeGreaterThan(1_000);
    },
  );
});

/** What SQLite says of each row, asked as a value and, by way of an index, as a condition. */
function truthsOf(db: DatabaseSync, { sql, parameters }: Built): Map<bigint, bigint | null> {
  const rows = (text: string): [bigint, bigint | null][] => {
    const statement = db.prepare(text);
    statement.setReadBigInts(true);
    statement.setReturnArrays(true);
    return statement.all(...parameters) as unknown as [bigint, bigint | null][];
  };
  const truths = new Map(rows(`SELECT rowid, ${sql} FROM t`));
  const met = rows(`SELECT rowid FROM t WHERE ${sql} ORDER BY rowid`).map(([rowid]) => rowid);
  const expected = [...truths].filter(([, value]) => value === 1n).map(([rowid]) => rowid);
  expect(met).toEqual(expected.sort((a, b) => Number(a - b)));
  return truths;
}

/** A collation of the program's own in the place of the real one, for some columns. */
function withDoubt(structure: TableStructure, hidden: number): TableStructure {
  const columns = structure.columns.map((column, at) =>
    at === hidden ? { ...column, collation: "swedish" } : column,
  );
  return { ...structure, columns };
}

/** A value unknown, or a column gone, for some images. */
function withoutValue({ columns, values }: Image, hidden: number): Image {
  if (hidden === 4) return { columns, values: values.with(1, UNKNOWN) };
  return hidden === 5
    ? { columns: columns.slice(1), values: values.slice(1) }
    : { columns, values };
}
