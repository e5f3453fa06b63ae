import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { withAffinity } from "../../src/change/affinity.ts";
import { valueIn } from "../../src/change/change.ts";
import { canonicalKey, equalitiesOf } from "../../src/change/equality.ts";
import type { Predicate } from "../../src/change/predicate.ts";
import type { ColumnStructure } from "../../src/change/structure.ts";
import { UNKNOWN } from "../../src/change/value.ts";
import { cases, createTable, imagesOf, isRaw } from "./support.ts";

function column(collation: string): ColumnStructure {
  return { name: "c", affinity: "blob", collation };
}

describe("the equalities of a predicate", () => {
  const week: Predicate = { kind: "compare", column: "week", operator: "=", value: 7n };
  const state: Predicate = { kind: "in", column: "state", values: ["open", null, "done"] };
  const owner: Predicate = { kind: "compare", column: "owner", operator: "is", value: "ann" };

  it("are those that every row must meet, without NULL", () => {
    const nested: Predicate = { kind: "and", parts: [state, { kind: "opaque" }] };

    const found = equalitiesOf({ kind: "and", parts: [week, nested, owner] });

    expect([...found]).toEqual([
      ["week", [7n]],
      ["state", ["open", "done"]],
      ["owner", ["ann"]],
    ]);
  });

  it("are the shortest list for a column", () => {
    const values = [7n, 8n];

    const found = equalitiesOf({
      kind: "and",
      parts: [{ ...state, column: "week", values }, week],
    });

    expect([...found]).toEqual([["week", [7n]]]);
  });

  it("are none below OR and NOT, for other operators, and where no value is left", () => {
    const nothing: Predicate[] = [
      { kind: "always" },
      { kind: "or", parts: [week, owner] },
      { kind: "not", part: week },
      { ...week, operator: "<" },
      { ...week, operator: "is not" },
      { ...week, value: null },
      { ...owner, value: null },
      { ...state, values: [] },
      { ...state, values: [null] },
    ];

    expect(nothing.map((predicate) => equalitiesOf(predicate).size)).toEqual(nothing.map(() => 0));
  });
});

describe("the key of a value", () => {
  it("is one for numbers of one value, and for texts that the collation calls equal", () => {
    const same = (one: string | bigint | number, other: typeof one, collation = "binary") =>
      canonicalKey(one, column(collation)) === canonicalKey(other, column(collation));

    expect(same(1n, 1)).toBe(true);
    expect(same(0n, -0)).toBe(true);
    expect(same(2n ** 53n, 2n ** 53n + 1n)).toBe(false);
    expect(same(2n ** 53n + 1n, 2 ** 53)).toBe(false);
    expect(same(-(2n ** 63n), -(2 ** 63))).toBe(true);
    expect(same(1n, "1")).toBe(false);
    expect(same("a", "A")).toBe(false);
    expect(same("aÉ", "AÉ", "nocase")).toBe(true);
    expect(same("é", "É", "nocase")).toBe(false);
    expect(same("a", "a  ", "rtrim")).toBe(true);
  });

  it("keeps the classes apart", () => {
    const values = [null, "null", "#1", 1n, "1", "x31", "", new Uint8Array([0x31]), Infinity, 0.5];

    const keys = values.map((value) => canonicalKey(value, column("binary")));

    expect(new Set(keys).size).toBe(values.length);
  });

  it("is missing for what is unknown, doubtful, or of an unknown collation", () => {
    expect(canonicalKey(UNKNOWN, column("binary"))).toBe(undefined);
    expect(canonicalKey("a\uFFFD", column("binary"))).toBe(undefined);
    expect(canonicalKey("a\0", column("nocase"))).toBe(undefined);
    expect(canonicalKey("\ud800", column("rtrim"))).toBe(undefined);
    expect(canonicalKey(Number.NaN, column("binary"))).toBe(undefined);
    expect(canonicalKey("a", column("swedish"))).toBe(undefined);
    expect(canonicalKey(7n, column("swedish"))).toBe(7);
  });

  it("is the same exactly when SQLite calls two values equal", () => {
    using db = new DatabaseSync(":memory:");
    const counts = { equal: 0, different: 0 };

    fc.assert(
      fc.property(cases(true), (example) => {
        const structure = createTable(db, example);
        const rows = [...imagesOf(db, structure)];
        for (const target of structure.columns) {
          const equal = db.prepare(`SELECT ${target.name} = ? AS e FROM t WHERE rowid = ?`);
          const operands = example.domain.flatMap((v) => (v === null || isRaw(v) ? [] : [v]));
          for (const operand of operands) {
            const converted = withAffinity(operand, target);
            const wanted = converted === undefined ? undefined : canonicalKey(converted, target);
            if (wanted === undefined) continue;
            for (const [rowid, image] of rows) {
              const key = canonicalKey(valueIn(image, target.name), target);
              if (key === undefined) continue;
              const isEqual = equal.get(operand, rowid)?.["e"] === 1;

              expect(key === wanted).toBe(isEqual);
              counts[isEqual ? "equal" : "different"]++;
            }
          }
        }
      }),
      { seed: 7, numRuns: 250 },
    );

    expect(Math.min(...Object.values(counts))).toBeGreaterThan(1_000);
  });
});
