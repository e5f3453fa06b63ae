import { expect, test } from "vitest";
import { fingerprintOf, maskLiterals } from "../../src/core/sql-fingerprint.ts";

test("no literal is left in a masked text, and parameters stay as they are", () => {
  const sql = `SELECT count(*), "Ann" FROM t -- 'Bob'
    WHERE name = 'It''s' AND age > -1.5e3 AND raw = x'00FF' AND id = :id`;

  expect(maskLiterals(sql)).toBe(
    'SELECT count(*), "Ann" FROM t WHERE name = ? AND age > - ? AND raw = ? AND id = :id',
  );
});

test("a text that ends within a string shows nothing of it", () => {
  expect(maskLiterals("SELECT * FROM t WHERE name = 'Ann and")).toBe(
    "SELECT * FROM t WHERE name = ?",
  );
});

test("runs of one statement have one fingerprint, whatever their values and lists", () => {
  const prints = [
    "SELECT * FROM t WHERE a = ? AND b IN (?, ?)",
    "SELECT * FROM t WHERE a = :a AND b IN ($1, $2, $3)",
    "SELECT *\nFROM t WHERE a = 'x' AND b IN (1,2,3,4)",
  ].map(fingerprintOf);

  expect(new Set(prints)).toEqual(new Set(["SELECT * FROM t WHERE a = ? AND b IN (?)"]));
  expect(fingerprintOf("INSERT INTO t VALUES (1, 'a'), (2, 'b')")).toBe("INSERT INTO t VALUES (?)");
});

test("other columns are another statement", () => {
  expect(fingerprintOf("SELECT a FROM t")).not.toBe(fingerprintOf("SELECT b FROM t"));
});
