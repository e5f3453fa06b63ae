import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Key, type KeyPart, keyText } from "../../src/cache/key.ts";
import { errorOf, listOf, openTiered } from "./support.ts";

const part = fc.oneof(
  fc.string({ unit: "binary", minLength: 0, maxLength: 6 }),
  fc.constantFrom("a", ":", "%", "%3A", "a:b", "%25"),
  fc.integer(),
  fc.bigInt(),
  fc.boolean(),
);

describe("a key", () => {
  it("is the same as a text and as a list of parts", () => {
    expect(keyText(["week", 7])).toBe("week:7");
    expect(keyText("week:7")).toBe("week:7");
    expect(keyText(["flag", true, 9n])).toBe("flag:true:9");
  });

  it("is the same in all forms that Unicode has for its text", async () => {
    const { cache } = openTiered();
    const [composed, decomposed] = ["한글", "한글".normalize("NFD")];
    expect(decomposed).not.toBe(composed);

    await cache.set(decomposed, 1);
    await cache.set([composed, "é".normalize("NFD")], 2);

    expect(await cache.get(composed)).toBe(1);
    expect(cache.peek(decomposed)).toBe(1);
    expect(await cache.getMany([[decomposed, "é"]])).toEqual([2]);
    expect(await listOf(cache.keys({ prefix: decomposed }))).toEqual([composed, `${composed}:é`]);
  });

  it("of parts is that of no other list of parts", () => {
    fc.assert(
      fc.property(fc.array(part, { minLength: 1 }), fc.array(part, { minLength: 1 }), (a, b) => {
        fc.pre(textsOf(a) !== undefined && textsOf(b) !== undefined);
        const same = JSON.stringify(textsOf(a)) === JSON.stringify(textsOf(b));
        expect(keyText(a) === keyText(b)).toBe(same);
      }),
      { numRuns: 5_000 },
    );
  });

  it.each([
    ["an empty text", ""],
    ["an empty list", []],
    ["a number", 7],
    ["nothing", undefined],
    ["null", null],
    ["an object", { week: 7 }],
    ["a list with null in it", ["week", null]],
    ["a list with undefined in it", ["week", undefined]],
    ["a list with a list in it", ["week", [7]]],
    ["a text of more than 10,000 characters", "x".repeat(10_001)],
  ])("is refused when it is %s, by every call", async (_, given) => {
    const { cache } = openTiered();
    const key = given as Key;
    const calls = [
      () => cache.get(key),
      () => cache.lookup(key),
      () => cache.getMany([key]),
      () => cache.has(key),
      () => cache.getOrSet(key, () => 1),
      () => cache.set(key, 1),
      () => cache.drop(key),
      () => cache.dropPrefix(key),
      () => cache.expire(key),
      () => cache.explain(key),
      () => cache.warm([key], () => []),
      async () => cache.peek(key),
      async () => cache.refreshAhead(key, () => 1),
    ];

    for (const call of calls) {
      expect((await errorOf(call())).code, String(call)).toBe("INVALID_ARGUMENT");
    }
  });

  it("may be any other text, those that mean something elsewhere too", async () => {
    const { cache } = openTiered();
    const keys = [
      "__proto__",
      "constructor",
      "a/b",
      "100%",
      "a_b",
      "*",
      "\u0000",
      "x".repeat(10_000),
    ];

    for (const key of keys) await cache.set(key, key);

    expect(await cache.getMany(keys)).toEqual(keys);
    expect(await listOf(cache.keys())).toEqual([...keys].sort());
  });
});

describe("a prefix", () => {
  it("is of whole parts", async () => {
    const { cache, memory } = openTiered();
    for (const key of ["week:1", "week:1:tasks", "week:10", "week", "weekly"]) {
      await cache.set(key, key);
    }

    expect(await listOf(cache.keys({ prefix: ["week", 1] }))).toEqual(["week:1", "week:1:tasks"]);
    await cache.dropPrefix(["week", 1]);

    expect(await listOf(cache.keys())).toEqual(["week", "week:10", "weekly"]);
    await memory.clear();
    expect(await cache.getMany(["week:1", "week:1:tasks", "week:10"])).toEqual([
      undefined,
      undefined,
      "week:10",
    ]);
  });

  it("is taken literally, whatever it means in a pattern", async () => {
    const { cache } = openTiered();
    for (const key of ["a%:1", "ab:1", "a_:1", "a*:1"]) await cache.set(key, key);

    await cache.dropPrefix("a%");
    await cache.dropPrefix("a_");

    expect(await listOf(cache.keys())).toEqual(["a*:1", "ab:1"]);
  });
});

/** The parts as they are told apart; undefined for a list whose text would be empty. */
function textsOf(parts: readonly KeyPart[]): string[] | undefined {
  const texts = parts.map((one) => String(one).normalize("NFC"));
  return texts.join(":") === "" ? undefined : texts;
}
