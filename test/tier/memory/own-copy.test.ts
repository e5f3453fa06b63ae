import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ownCopy } from "../../../src/tier/memory/own-copy.ts";
import { textBytes } from "../../../src/tier/memory/own-text.ts";

/** The real issues of the project; they are not in the repository. */
const ISSUES = join(import.meta.dirname, "../../../../shared/data/jira");
const ERROR_MAX = 0.05;

describe("the bytes that entries are said to take", () => {
  it.skipIf(!existsSync(ISSUES))(
    "are within 5 % of what the heap grows by, with real issues",
    () => {
      const script = join(import.meta.dirname, "heap-child.ts");
      const node = ["--conditions=springhouse-source", "--expose-gc", script, ISSUES];
      const { entries, said, grown } = JSON.parse(execFileSync(process.execPath, node).toString());

      expect(entries).toBeGreaterThan(1_000);
      expect(Math.abs(said - grown) / grown).toBeLessThan(ERROR_MAX);
    },
  );

  it("are within 5 % of the heap after long churn, however entries are tagged", () => {
    const script = join(import.meta.dirname, "tags-heap-child.ts");
    const node = ["--conditions=springhouse-source", "--expose-gc", script];
    const ways = JSON.parse(execFileSync(process.execPath, node).toString()) as Record<
      string,
      { readonly said: number; readonly grown: number }
    >;

    expect(Object.keys(ways)).toHaveLength(7);
    for (const [way, { said, grown }] of Object.entries(ways)) {
      expect(Math.abs(grown / said - 1), way).toBeLessThan(ERROR_MAX);
    }
  }, 240_000);

  it("of a text depend on whether its letters fit into a byte each", () => {
    expect(textBytes("a".repeat(80))).toBe(96);
    expect(textBytes("ÿ".repeat(80))).toBe(96);
    expect(textBytes("한".repeat(80))).toBe(176);
    expect(textBytes("😀".repeat(40))).toBe(176);
  });

  it("grow with everything that a value has", () => {
    const values = [
      1,
      "a",
      { a: 1 },
      { a: 1, b: 2 },
      [1],
      [1, 2],
      { a: [1], b: 2 },
      { a: [1.5, {}] },
    ];
    const bytes = values.map((value) => ownCopy(value).bytes);

    expect(bytes[0]).toBe(0);
    expect([...bytes].sort((a, b) => a - b)).toEqual(bytes);
    expect(ownCopy(new Uint8Array(1_000)).bytes).toBeGreaterThan(1_000);
    expect(ownCopy(new Map([["k", "v".repeat(500)]])).bytes).toBeGreaterThan(500);
  });
});

describe("a copy", () => {
  it("is equal, frozen as far as it can be, and shares nothing that can be changed", () => {
    const value = {
      list: [1, [2], { a: null }],
      date: new Date(5),
      map: new Map([["k", { deep: [1] }]]),
      set: new Set([[1]]),
      bytes: new Uint8Array([1, 2, 3]),
      numbers: new Int16Array([-1, 5]),
      big: 12n,
      nothing: undefined,
    };

    const { value: copy, changeable } = ownCopy(value) as {
      value: typeof value;
      changeable: boolean;
    };

    expect(copy).toEqual(value);
    expect(changeable).toBe(true);
    expect(Object.isFrozen(copy)).toBe(true);
    expect(Object.isFrozen(copy.list)).toBe(true);
    for (const name of Object.keys(value) as (keyof typeof value)[]) {
      if (typeof value[name] === "object") expect(copy[name], name).not.toBe(value[name]);
    }
    expect(copy.map.get("k")).not.toBe(value.map.get("k"));
    expect(ownCopy({ a: [1, "b", true, null] }).changeable).toBe(false);
  });

  it("of a part of a buffer holds that part alone", () => {
    const pool = Buffer.from("0123456789");
    const { value } = ownCopy(pool.subarray(2, 4)) as { value: Uint8Array };

    expect([...value]).toEqual([0x32, 0x33]);
    expect(value.buffer.byteLength).toBe(2);
    expect(Buffer.isBuffer(value)).toBe(false);
  });

  it("takes no typed array that the codec of the other tiers does not know", () => {
    const { Float16Array } = globalThis as unknown as { Float16Array: new () => object };

    expect(() => ownCopy({ a: [new Float16Array()] })).toThrow(
      /^An instance of Float16Array at a\.0 cannot be cached/,
    );
  });

  it("is made of data only", () => {
    class Week {}
    const values = [
      () => 1,
      Symbol("s"),
      new Week(),
      new Error("e"),
      /x/,
      new WeakMap(),
      Promise.resolve(),
      new ArrayBuffer(1),
      new DataView(new ArrayBuffer(1)),
      new (class Weights extends Float32Array {})([1]),
      new (class Packet extends Uint8Array {})([1]),
    ];
    for (const value of values) {
      expect(() => ownCopy({ a: [value] })).toThrow(/cannot be cached/);
    }
    let deep: unknown = 1;
    for (let level = 0; level < 600; level++) deep = [deep];
    expect(() => ownCopy(deep)).toThrow(/nested too deeply/);
  });
});
