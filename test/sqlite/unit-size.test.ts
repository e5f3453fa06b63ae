import { describe, expect, it } from "vitest";
import {
  MESSAGE_BYTES_MAX,
  MESSAGE_STATEMENTS_MAX,
  pieces,
  unitBytes,
} from "../../src/sqlite/unit-size.ts";
import { sql } from "./support.ts";

const small = sql("INSERT INTO t VALUES (?)", 1);
const large = sql("INSERT INTO t VALUES (?)", "x".repeat(300_000));

describe("the size of a unit", () => {
  it("is about what its texts and values take", () => {
    expect(unitBytes([large])).toBeGreaterThan(300_000);
    expect(unitBytes([large])).toBeLessThan(301_000);
    expect(unitBytes([sql("SELECT ?", new Uint8Array(5_000))])).toBeGreaterThan(5_000);
  });

  it("is infinite when the unit does not fit into one message", () => {
    expect(unitBytes([large, large])).toBe(Number.POSITIVE_INFINITY);
    expect(unitBytes(Array(MESSAGE_STATEMENTS_MAX + 1).fill(small))).toBe(Number.POSITIVE_INFINITY);
    expect(unitBytes(Array(MESSAGE_STATEMENTS_MAX).fill(small))).toBeLessThan(MESSAGE_BYTES_MAX);
  });

  it("of a single statement is finite, since it cannot be cut", () => {
    const huge = sql("INSERT INTO t VALUES (?)", new Uint8Array(MESSAGE_BYTES_MAX * 2));

    expect(unitBytes([huge])).toBeLessThan(Number.POSITIVE_INFINITY);
  });
});

describe("the pieces of a unit", () => {
  it("are small enough for a message and together are the unit", () => {
    const unit = [...Array(2_500).fill(small), large, large, small];

    const parts = [...pieces(unit)];

    expect(parts.flat()).toEqual(unit);
    expect(parts.map((part) => part.length)).toEqual([1_000, 1_000, 501, 2]);
  });

  it("hold a statement that is too large alone", () => {
    const huge = sql("INSERT INTO t VALUES (?)", new Uint8Array(MESSAGE_BYTES_MAX * 2));

    expect([...pieces([small, huge, small])].map((part) => part.length)).toEqual([1, 1, 1]);
  });

  it("of nothing are none", () => {
    expect([...pieces([])]).toEqual([]);
  });
});
