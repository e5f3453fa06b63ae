import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeValue, encodeValue } from "../../src/core/codec.ts";

const RUNS = { numRuns: 300 };

function roundTrip(value: unknown): unknown {
  const { codec, bytes } = encodeValue(value);
  return decodeValue(codec, bytes);
}

function structured(tree: unknown): unknown {
  return decodeValue("structured", Buffer.from(JSON.stringify(tree)));
}

/** Everything the codec calls data, nested. */
const data = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthIdentifier: "value" },
    fc.string({ unit: "binary" }),
    fc.double(),
    fc.integer(),
    fc.bigInt(),
    fc.boolean(),
    fc.constantFrom(null, undefined, -0),
    fc.date({ noInvalidDate: false }),
    fc.uint8Array(),
    fc.float32Array({ noNaN: true }),
    fc.bigInt64Array(),
    fc.array(tie("value"), { maxLength: 5 }),
    fc.uniqueArray(tie("value"), { maxLength: 4 }).map((list) => new Set(list)),
    fc.array(fc.tuple(tie("value"), tie("value")), { maxLength: 4 }).map((list) => new Map(list)),
    fc.dictionary(fc.oneof(fc.string(), fc.constantFrom("$", "v", "__proto__")), tie("value"), {
      maxKeys: 4,
      noNullPrototype: true,
    }),
  ),
})).value;

describe("a round trip", () => {
  it("keeps every value that is data", () => {
    fc.assert(
      fc.property(data, (value) => {
        expect(roundTrip(value)).toStrictEqual(value);
      }),
      RUNS,
    );
  });

  it("keeps JSON as JSON, readable by everybody", () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
        fc.pre(
          !JSON.stringify(value, (_, item) => (Object.is(item, -0) ? "-0" : item)).includes('"-0"'),
        );
        const { codec, bytes } = encodeValue(value);

        expect(codec).toBe("json");
        expect(Buffer.from(bytes).toString()).toBe(JSON.stringify(value));
        expect(decodeValue(codec, bytes)).toStrictEqual(value);
      }),
      RUNS,
    );
  });

  it("keeps bytes as they are, and shares them with nobody", () => {
    const value = Buffer.from("bytes");

    const encoded = encodeValue(value);
    value.fill(0);
    const first = decodeValue(encoded.codec, encoded.bytes) as Uint8Array;
    const second = decodeValue(encoded.codec, encoded.bytes) as Uint8Array;
    first.fill(1);

    expect(encoded.codec).toBe("bytes");
    expect(Buffer.from(second).toString()).toBe("bytes");
    expect(second.constructor).toBe(Uint8Array);
  });

  it("takes a view of a larger buffer for what it shows only", () => {
    const large = new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]);

    expect(roundTrip(large.subarray(2, 4))).toStrictEqual(new Uint8Array([3, 4]));
    expect(roundTrip([new Uint16Array(large.buffer, 2, 1)])).toStrictEqual([
      new Uint16Array([0x0403]),
    ]);
  });

  it.each([
    ["-0", -0],
    ["NaN", Number.NaN],
    ["Infinity", Number.POSITIVE_INFINITY],
    ["-Infinity", Number.NEGATIVE_INFINITY],
    ["undefined", undefined],
    ["an invalid date", new Date(Number.NaN)],
    ["a big integer", -(2n ** 200n)],
    ["a lone surrogate", "\ud800 and \udc00"],
    ["a lone surrogate as a key", { "\ud800": { "\udc00": 1n } }],
    ["a NUL", "a\0b"],
    ["empty things", [{}, [], new Map(), new Set(), "", new Uint8Array()]],
    ["a map of maps", new Map([[new Map([[1, 2]]), new Set([new Date(0)])]])],
  ])("keeps %s", (_, value) => {
    expect(roundTrip(value)).toStrictEqual(value);
    expect(roundTrip([value])).toStrictEqual([value]);
  });

  it("keeps a key `$` as data, alone and beside what is no JSON", () => {
    const value = { $: "date", v: 0 };

    expect(encodeValue(value).codec).toBe("json");
    expect(roundTrip(value)).toStrictEqual(value);
    expect(roundTrip([1n, value, { $: { $: undefined } }])).toStrictEqual([
      1n,
      value,
      { $: { $: undefined } },
    ]);
  });

  it("keeps a key `__proto__` as data, and gives nothing another prototype", () => {
    const value = JSON.parse('{"__proto__":{"admin":true},"$":{"__proto__":1},"n":0}');

    for (const item of [value, { ...value, n: 1n, ["__proto__"]: { admin: 1n } }]) {
      const back = roundTrip(item) as object;

      expect(Object.getPrototypeOf(back)).toBe(Object.prototype);
      expect(Object.hasOwn(back, "__proto__")).toBe(true);
      expect("admin" in back).toBe(false);
    }
    expect("admin" in {}).toBe(false);
  });

  it("gives an object without a prototype that of all objects", () => {
    const value = Object.assign(Object.create(null), { a: 1n });

    expect(roundTrip(value)).toStrictEqual({ a: 1n });
  });

  it("fills the holes of a list with `undefined`", () => {
    const sparse = [1];
    sparse[3] = 4;

    expect(roundTrip(sparse)).toStrictEqual([1, undefined, undefined, 4]);
  });

  it("leaves out symbols as keys, and takes no method for the value", () => {
    const list = Object.assign([1], { toJSON: () => "no" });
    const object = Object.defineProperty({ a: 1 }, "toJSON", { value: () => "no" });

    expect(roundTrip({ [Symbol("s")]: 1, a: 1 })).toStrictEqual({ a: 1 });
    expect(roundTrip(list)).toStrictEqual([1]);
    expect(roundTrip(object)).toStrictEqual({ a: 1 });
  });

  it("keeps what is shared within a value, twice", () => {
    const shared = { at: new Date(1) };

    expect(roundTrip([shared, shared])).toStrictEqual([shared, shared]);
  });
});

describe("what is not data is refused", () => {
  class Money {
    readonly amount = 1;
  }
  class Prices extends Map {}
  class List extends Array {}
  class Bytes extends Uint8Array {}
  class Day extends Date {}

  it.each([
    ["a function", () => 1, "is a function"],
    ["a symbol", Symbol("s"), "is a symbol"],
    ["an instance", new Money(), "is an instance of Money"],
    ["a subclass of Map", new Prices(), "is an instance of Prices"],
    ["a subclass of Array", new List(), "is an instance of List"],
    ["a subclass of Uint8Array", new Bytes(), "is an instance of Bytes"],
    ["a subclass of Date", new Day(), "is an instance of Day"],
    ["an error", new Error("e"), "is an instance of Error"],
    ["a pattern", /x/, "is an instance of RegExp"],
    ["a promise", Promise.resolve(), "is an instance of Promise"],
    ["a number in a box", Object(1), "is an instance of Number"],
    ["a buffer without a view", new ArrayBuffer(1), "is an instance of ArrayBuffer"],
  ])("%s, with its path", (_, value, what) => {
    expect(() => encodeValue(value)).toThrow(`The value ${what}.`);
    expect(() => encodeValue({ rows: [0, { total: value }] })).toThrow(
      expect.objectContaining({
        code: "INVALID_ARGUMENT",
        message: expect.stringContaining(`The value at rows.1.total ${what}.`),
        fields: { path: ["rows", 1, "total"] },
      }),
    );
  });

  it("also as the key or the value of a map, or in a set", () => {
    const path = { fields: { path: ["m", 1] } };

    expect(() =>
      encodeValue({
        m: new Map<unknown, unknown>([
          [1, 1],
          [new Money(), 1],
        ]),
      }),
    ).toThrow(expect.objectContaining(path));
    expect(() =>
      encodeValue({
        m: new Map<unknown, unknown>([
          [1, 1],
          [2, new Money()],
        ]),
      }),
    ).toThrow(expect.objectContaining(path));
    expect(() => encodeValue({ m: new Set([1, new Money()]) })).toThrow(
      expect.objectContaining(path),
    );
  });

  it("a cycle, of any kind", () => {
    const object: Record<string, unknown> = {};
    object["self"] = object;
    const list: unknown[] = [];
    list.push([list], [list]);
    const map = new Map();
    map.set("map", map);
    const set = new Set();
    set.add({ set });

    for (const cycle of [object, list, map, set, { $: object }]) {
      expect(() => encodeValue(cycle)).toThrow("nested too deeply, or contains itself");
    }
  });

  it("nesting beyond 500 levels, and not up to there", () => {
    const nested = (depth: number, inmost: unknown): unknown =>
      depth === 0 ? inmost : [nested(depth - 1, inmost)];

    for (const inmost of [1, 1n]) {
      expect(roundTrip(nested(499, inmost))).toStrictEqual(nested(499, inmost));
      expect(() => encodeValue(nested(501, inmost))).toThrow("nested too deeply");
    }
  });

  it("a list of holes, before it takes the memory", () => {
    const holes: unknown[] = [];
    holes.length = 2 ** 32 - 1;

    expect(() => encodeValue({ holes })).toThrow("The value at holes has too many holes.");
  });
});

describe("hostile bytes", () => {
  it.each([
    ["no JSON", "{"],
    ["nothing", ""],
    ["an unknown kind", { $: "function", v: "alert(1)" }],
    ["a kind that is no text", { $: { toString: 1 }, v: 1 }],
    ["a kind that every object has", { $: "constructor" }],
    ["a date of text", { $: "date", v: "1970" }],
    ["a number that is an object", { $: "number", v: {} }],
    ["a big integer that is none", { $: "bigint", v: "1e3" }],
    ["a map of texts", { $: "map", v: "ab" }],
    ["a map of threes", { $: "map", v: [[1, 2, 3]] }],
    ["a map with a text as a pair", { $: "map", v: ["ab"] }],
    ["a set of text", { $: "set", v: "abc" }],
    ["bytes that are a list", { $: "bytes", v: [1] }],
    ["an array of no type", { $: "array", v: "AAAA" }],
    ["an array of a type that is none", { $: "array", t: "Function", v: "AAAA" }],
    ["an array of an inherited type", { $: "array", t: "constructor", v: "AAAA" }],
    ["an array that is cut", { $: "array", t: "Float64Array", v: "AAAA" }],
    ["an object of no entries", { $: "object", v: { a: 1 } }],
    ["an object with an object as a key", { $: "object", v: [[{}, 1]] }],
  ])("are corrupt: %s", (_, tree) => {
    const text = typeof tree === "string" ? tree : JSON.stringify([tree]);

    expect(() => decodeValue("structured", Buffer.from(text))).toThrow(
      expect.objectContaining({ code: "CORRUPT" }),
    );
  });

  it("are corrupt under a codec that nobody knows", () => {
    for (const codec of ["", "pickle", "toString", "json ", "__proto__"]) {
      expect(() => decodeValue(codec, Buffer.from("1"))).toThrow(
        expect.objectContaining({ code: "CORRUPT" }),
      );
    }
  });

  it("nested a million levels deep end neither the process nor the stack", () => {
    const text = "[".repeat(1_000_000) + "]".repeat(1_000_000);

    expect(() => decodeValue("structured", Buffer.from(text))).toThrow(
      expect.objectContaining({ code: "CORRUPT" }),
    );
  });

  it("change no prototype", () => {
    const back = structured({ $: "object", v: [["__proto__", { admin: true }]] }) as object;

    expect(Object.getPrototypeOf(back)).toBe(Object.prototype);
    expect("admin" in back).toBe(false);
  });

  it("give data or CORRUPT, never anything else", () => {
    const kinds = [
      "number",
      "bigint",
      "undefined",
      "date",
      "map",
      "set",
      "bytes",
      "array",
      "object",
    ];
    const tagged = fc.record(
      { $: fc.oneof(fc.constantFrom(...kinds), fc.string()), t: fc.string(), v: fc.jsonValue() },
      { requiredKeys: ["$"] },
    );
    fc.assert(
      fc.property(fc.array(tagged), (tree) => {
        try {
          encodeValue(structured(tree));
        } catch (error) {
          expect(error).toMatchObject({ code: "CORRUPT" });
        }
      }),
      RUNS,
    );
  });
});
