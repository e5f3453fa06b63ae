import { describe, expect, it } from "vitest";
import { describeAtom } from "../../src/change/describe.ts";
import { wholeTable } from "../../src/change/footprint.ts";
import type { Predicate } from "../../src/change/predicate.ts";
import type { StoredValue } from "../../src/change/value.ts";

function where(predicate: Predicate): string {
  return describeAtom({ table: "tasks", columns: new Set(["score"]), predicate }).replace(
    "tasks(score) where ",
    "",
  );
}

function equals(value: StoredValue): Predicate {
  return { kind: "compare", column: "a", operator: "=", value };
}

describe("an atom in words", () => {
  it("has table, columns and condition", () => {
    const columns = new Set(["week_id", "score"]);
    const predicate: Predicate = { kind: "compare", column: "week_id", operator: "=", value: 7n };

    const text = describeAtom({ table: "tasks", columns, predicate });

    expect(text).toBe("tasks(week_id, score) where week_id = 7");
    expect(describeAtom(wholeTable("tasks"))).toBe("tasks(*)");
  });

  it("shows the storage class of a value", () => {
    const values = [null, 7n, 7, 0.5, "it's", new Uint8Array([0, 255])];

    expect(values.map((value) => where(equals(value)))).toEqual([
      "a = null",
      "a = 7",
      "a = 7.0",
      "a = 0.5",
      "a = 'it''s'",
      "a = x'00ff'",
    ]);
  });

  it("has parentheses where AND and OR meet, and a question mark for what is opaque", () => {
    const either: Predicate = { kind: "or", parts: [equals(1n), { kind: "opaque" }] };
    const none: Predicate = { kind: "or", parts: [] };

    expect(where({ kind: "and", parts: [equals(2n), either] })).toBe("a = 2 and (a = 1 or ?)");
    expect(where({ kind: "not", part: either })).toBe("not (a = 1 or ?)");
    expect(where({ kind: "not", part: { kind: "always" } })).toBe("not true");
    expect(where({ kind: "and", parts: [none, equals(1n)] })).toBe("(false) and a = 1");
  });

  it("is cut where lists, texts and blobs are long", () => {
    const values = Array.from({ length: 100 }, (_, at) => BigInt(at));

    expect(where({ kind: "in", column: "a", values })).toBe(
      "a in (0, 1, 2, 3, 4, 5, 6, 7, … 92 more)",
    );
    expect(where(equals("x".repeat(50)))).toBe(`a = '${"x".repeat(40)}…'`);
    expect(where(equals(new Uint8Array(20)))).toBe(`a = x'${"00".repeat(16)}…'`);
    expect(where({ kind: "in", column: "a", values: [] })).toBe("a in ()");
  });
});
