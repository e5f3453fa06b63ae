import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { keptCopy, ownCopy } from "../../../src/tier/memory/own-copy.ts";
import { textBytes } from "../../../src/tier/memory/own-text.ts";

/** The real issues of the project; they are not in the repository. */
const ISSUES = join(import.meta.dirname, "../../../../shared/data/jira");
const ROOT = join(import.meta.dirname, "../../..");
const ERROR_MAX = 0.05;
/** What names and hidden classes take is said rather too high than too low. */
const ERROR_MAX_OF_OWN_NAMES = 0.2;
const NAMES_OF_ITS_OWN = /own name|identifiers|many names/;

/** Bytes that entries are said to take, and by which the heap has grown. */
interface Measure {
  readonly said: number;
  readonly grown: number;
}

/** What a script prints that has a heap of its own. */
function measuredBy<T>(name: string, ...args: readonly string[]): T {
  const script = join(import.meta.dirname, name);
  const node = ["--conditions=springhouse-source", "--expose-gc", script, ...args];
  return JSON.parse(execFileSync(process.execPath, node).toString());
}

describe("the bytes that entries are said to take", () => {
  it.skipIf(!existsSync(ISSUES))(
    "are within 5 % of what the heap grows by, with real issues",
    () => {
      const { entries, said, grown } = measuredBy<Measure & { readonly entries: number }>(
        "heap-child.ts",
        ISSUES,
      );

      expect(entries).toBeGreaterThan(1_000);
      expect(Math.abs(said - grown) / grown).toBeLessThan(ERROR_MAX);
    },
  );

  it("are within 5 % of what the heap grows by, whatever the shape of values", {
    timeout: 120_000,
  }, () => {
    const shapes = measuredBy<Record<string, Measure>>("shapes-heap-child.ts");

    expect(Object.keys(shapes)).toHaveLength(41);
    for (const [shape, { said, grown }] of Object.entries(shapes)) {
      expect(grown / said, shape).toBeLessThan(1 + ERROR_MAX);
      const spareMax = NAMES_OF_ITS_OWN.test(shape) ? ERROR_MAX_OF_OWN_NAMES : ERROR_MAX;
      expect(grown / said, shape).toBeGreaterThan(1 - spareMax);
    }
  });

  it("are within 5 % of the heap after long churn, however entries are tagged", () => {
    const ways = measuredBy<Record<string, Measure>>("tags-heap-child.ts");

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

  it("are those of the names too, for the first of them that is kept", () => {
    const names = ["first of them", "second of them"];
    const value = () => Object.fromEntries(names.map((name) => [name, 1]));
    const alone = ownCopy(value()).bytes;
    const namesBytes = names.reduce((sum, name) => sum + textBytes(name), 0);

    expect(ownCopy(value()).bytes).toBe(alone);
    expect(keptCopy(value()).bytes).toBeGreaterThan(alone + namesBytes);
    expect(keptCopy(value()).bytes).toBe(alone);
  });

  it("of a large integer are those of its digits", () => {
    for (const bits of [1, 63, 64, 65, 1_000, 80_000]) {
      const bytes = 16 + 8 * Math.ceil(bits / 64);
      expect(ownCopy(2n ** BigInt(bits) - 1n).bytes, `${bits}`).toBe(bytes);
      expect(ownCopy(1n - 2n ** BigInt(bits)).bytes, `-${bits}`).toBe(bytes);
    }
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

  it("has the names that its object has itself, in their order, however rare they are", () => {
    const values = [
      JSON.parse('{"b":1,"__proto__":{"a":[1]},"7":2,"a":3,"3":4}') as object,
      Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`of 300: ${index}`, index])),
      { 0: 1, 4294967294: 2, 4294967295: 3, 1.5: 4, "-1": 5, "01": 6 },
      Object.create(Object.prototype, {
        a: { value: 1 },
        b: { value: 2, enumerable: true },
      }) as object,
      Object.create(null, { toString: { value: 1, enumerable: true } }) as object,
    ];
    for (const value of [...values, ...values]) {
      const copy = ownCopy(value).value as object;

      expect(Object.entries(copy)).toEqual(Object.entries(value));
      expect(Object.getPrototypeOf(copy)).toBe(Object.prototype);
      expect(Object.isFrozen(copy)).toBe(true);
    }
  });

  it("has nothing of what others gave to the prototype of all objects", () => {
    const stray = { value: 1, writable: true, enumerable: true, configurable: true };
    Object.defineProperty(Object.prototype, "stray", stray);
    const copies = [1, 2, 3].map((own) => ownCopy({ own }).value as object);
    Reflect.deleteProperty(Object.prototype, "stray");

    expect(copies.map((copy) => Object.keys(copy))).toEqual([["own"], ["own"], ["own"]]);
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

  it("has properties of any name, also when nobody may change what all objects inherit", () => {
    const script = `
      import { ownCopy } from "./src/tier/memory/own-copy.ts";
      Object.freeze(Object.prototype);
      const value = JSON.parse('{"constructor":1,"toString":{"valueOf":2},"__proto__":3,"a":4}');
      process.stdout.write(JSON.stringify(ownCopy(value).value));`;
    const node = [
      "--conditions=springhouse-source",
      "--input-type=module-typescript",
      "-e",
      script,
    ];
    const text = '{"constructor":1,"toString":{"valueOf":2},"__proto__":3,"a":4}';

    expect(execFileSync(process.execPath, node, { cwd: ROOT }).toString()).toBe(text);
    expect(JSON.stringify(ownCopy(JSON.parse(text)).value)).toBe(text);
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
