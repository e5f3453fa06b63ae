import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { withAffinity } from "../../src/change/affinity.ts";
import type { Affinity, ColumnStructure } from "../../src/change/structure.ts";

function column(affinity: Affinity): ColumnStructure {
  return { name: "c", affinity, collation: "binary" };
}

describe("a value that is compared with a column", () => {
  it("becomes a number where the column is numeric and the text a plain decimal", () => {
    for (const affinity of ["integer", "real", "numeric"] as const) {
      expect(withAffinity("7", column(affinity))).toBe(7n);
      expect(withAffinity("-007", column(affinity))).toBe(-7n);
      expect(withAffinity("+7", column(affinity))).toBe(7n);
      expect(withAffinity("0.1", column(affinity))).toBe(0.1);
      expect(withAffinity("-12.50", column(affinity))).toBe(-12.5);
    }
  });

  it("stays a text where that is no number", () => {
    for (const text of ["", "a", "7a", "2024-01-15", "0x10", "1e", "-", ".", "1_000", "inf"]) {
      expect(withAffinity(text, column("numeric"))).toBe(text);
    }
  });

  it("is in doubt where SQLite may read a number in its own way", () => {
    for (const text of [
      ...["1e3", " 7", "7 ", ".5", "5.", "0.1234567890123456", "12345678901234567890"],
      ...["7\0", "7\uFFFD"],
    ]) {
      expect(withAffinity(text, column("numeric"))).toBe(undefined);
    }
  });

  it("becomes a text where the column has texts and the value is an integer", () => {
    expect(withAffinity(-7n, column("text"))).toBe("-7");
    expect(withAffinity(7, column("text"))).toBe(undefined);
    expect(withAffinity("7", column("text"))).toBe("7");
  });

  it("stays what it is where nothing is converted", () => {
    const bytes = new Uint8Array([1]);

    for (const affinity of ["integer", "real", "numeric", "text", "blob"] as const) {
      expect(withAffinity(null, column(affinity))).toBe(null);
      expect(withAffinity(bytes, column(affinity))).toBe(bytes);
    }
    expect(withAffinity(7n, column("real"))).toBe(7n);
    expect(withAffinity(7.5, column("integer"))).toBe(7.5);
    expect(withAffinity("7", column("blob"))).toBe("7");
  });

  it("is refused when SQLite cannot hold it", () => {
    expect(withAffinity(2n ** 63n, column("integer"))).toBe(undefined);
    expect(withAffinity(Number.NaN, column("real"))).toBe(undefined);
  });

  it("becomes what SQLite makes of it, for any text that looks like a number", () => {
    using db = new DatabaseSync(":memory:");
    db.exec("CREATE TABLE t (id INTEGER PRIMARY KEY, c NUMERIC)");
    const store = db.prepare("REPLACE INTO t VALUES (1, ?) RETURNING typeof(c) AS type");
    const equal = db.prepare("SELECT c = ? AS equal FROM t");
    const decimal = fc.tuple(fc.nat(99_999_999), fc.nat(9_999_999)).map((pair) => pair.join("."));
    const integer = fc.bigInt({ min: -(10n ** 18n), max: 10n ** 18n }).map(String);
    const form = fc.stringMatching(/^[ +-]?[0-9]{0,9}[._]?[0-9]{0,9}(e[+-]?[0-9]{0,2})?[ a\t]?$/);
    const counts = { text: 0, number: 0 };

    fc.assert(
      fc.property(fc.oneof(decimal, integer, form), (text) => {
        const value = withAffinity(text, column("numeric"));
        if (value === undefined) return;
        const stored = store.get(value);
        counts[typeof value === "string" ? "text" : "number"]++;

        expect(stored?.["type"] === "text").toBe(typeof value === "string");
        expect(equal.get(text)).toEqual({ equal: 1 });
      }),
      { seed: 6, numRuns: 5_000 },
    );

    expect(Math.min(...Object.values(counts))).toBeGreaterThan(500);
  });
});
