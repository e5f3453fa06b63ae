/** Of the tier contract: keys are any texts, told apart exactly, and so are prefixes. */

import { strict as assert } from "node:assert";
import { hasOf, keysOf, listed, livingOf, type TierCases, valuesOf } from "./context.ts";

const LONG_CHARS = 10_000;
const COMPOSED = "caf\u00e9";
const DECOMPOSED = "cafe\u0301";
/** Keys that a careless tier takes for one another, or for something else. */
const TEXTS: readonly string[] = [
  "a",
  "A",
  "a ",
  " a",
  "a%",
  "a_",
  "a\\",
  "a%b",
  "a'b",
  'a"b',
  "a\nb",
  "a\0b",
  "a\0c",
  "1",
  "01",
  "1.0",
  COMPOSED,
  DECOMPOSED,
  "👩‍👩‍👧",
  "👩",
  "\u{10ffff}",
  "\uffff",
  "../../etc/passwd",
  "C:\\con",
  "__proto__",
  "constructor",
  "null",
  "x".repeat(LONG_CHARS),
  `${"x".repeat(LONG_CHARS - 1)}y`,
];

export const keyTexts: TierCases = {
  cases: {
    "tells it from all others": async ({ tier, entry }) => {
      await tier.setMany(TEXTS.map((key, index) => entry(key, { value: index })));

      assert.deepEqual(
        await valuesOf(tier, TEXTS),
        TEXTS.map((_, index) => index),
      );
      assert.deepEqual(await listed(tier), [...TEXTS].sort());
      for (const [index, key] of TEXTS.entries()) {
        assert.equal(await tier.dropMany([key]), 1);
        assert.equal((await listed(tier)).length, TEXTS.length - index - 1);
      }
    },

    "is no pattern when it is a prefix": async ({ tier, entry }) => {
      const keys = ["a%b", "a%c", "a_b", "a\\b", "aXb", "AXb", "b"];
      await tier.setMany(keys.map((key) => entry(key)));

      assert.deepEqual(await listed(tier, { prefix: "a%" }), ["a%b", "a%c"]);
      assert.deepEqual(await listed(tier, { prefix: "a_" }), ["a_b"]);
      assert.deepEqual(await listed(tier, { prefix: "a\\" }), ["a\\b"]);
      assert.equal(await tier.dropPrefix("a%"), 2);
      assert.equal(await tier.dropPrefix("a_"), 1);
      assert.equal(await tier.dropPrefix("a\\"), 1);
      assert.deepEqual(await livingOf(tier, keys), ["aXb", "AXb", "b"]);
    },

    "is taken to the letter when it is a prefix": async ({ tier, entry }) => {
      const keys = [
        `${COMPOSED}:1`,
        `${DECOMPOSED}:1`,
        "👩‍👩‍👧:1",
        "👩:1",
        "\u{10ffff}",
        "\u{10ffff}\u{10ffff}",
      ];
      await tier.setMany(keys.map((key) => entry(key)));

      assert.equal(await tier.dropPrefix(COMPOSED), 1);
      assert.deepEqual(await livingOf(tier, keys), keys.slice(1));
      assert.deepEqual(await listed(tier, { prefix: "👩" }), ["👩:1", "👩‍👩‍👧:1"].sort());
      assert.equal(await tier.dropPrefix("👩‍"), 1);
      assert.equal(await tier.dropPrefix("\u{10ffff}"), 2);
      assert.deepEqual(await livingOf(tier, keys), [`${DECOMPOSED}:1`, "👩:1"]);
    },

    "is one of its own prefixes": async ({ tier, entry }) => {
      await tier.setMany(["user", "user:1", "users", "use", "v"].map((key) => entry(key)));

      assert.equal(await tier.dropPrefix("user:2"), 0);
      assert.equal(await tier.dropPrefix("user"), 3);
      assert.deepEqual(await listed(tier), ["use", "v"]);
    },

    "begins with the empty text": async ({ tier, entry }) => {
      await tier.setMany(TEXTS.map((key) => entry(key)));

      assert.deepEqual(await listed(tier, { prefix: "" }), [...TEXTS].sort());
      assert.equal(await tier.dropPrefix(""), TEXTS.length);
      assert.deepEqual(await listed(tier), []);
    },

    "may be long as a prefix, too": async ({ tier, entry }) => {
      const long = "x".repeat(LONG_CHARS);
      await tier.setMany([entry(`${long}a`), entry(`${long}b`), entry("x")]);

      assert.equal(await tier.dropPrefix(long), 2);
      assert.deepEqual(await listed(tier), ["x"]);
    },

    "is one of thousands that a prefix drops": async ({ tier, entries, entry }) => {
      const many = entries(2_500, "many:", { tags: ["t"] });
      await tier.setMany([...many, entry("many"), entry("many;")]);
      const keys = keysOf(many);

      const count = await tier.dropPrefix("many:");

      assert.ok(count > 0 && count <= many.length, `${count} were removed at once`);
      assert.deepEqual(await listed(tier), ["many", "many;"]);
      assert.deepEqual(await listed(tier, { tag: "t" }), []);
      assert.deepEqual(await livingOf(tier, keys), []);
      assert.equal((await hasOf(tier, keys)).includes(true), false);
      assert.equal(await tier.expireMany(keys.slice(-200)), 0);
      assert.deepEqual(await livingOf(tier, ["many", "many;"]), ["many", "many;"]);
      assert.ok((await tier.dropPrefix("man")) >= 2);
      assert.deepEqual(await listed(tier), []);
    },

    "may come again at once under a prefix that thousands were dropped by": async ({
      tier,
      clock,
      entries,
      entry,
    }) => {
      await tier.setMany([...entries(2_500, "many:"), entry("many;")]);
      const older = entry("many:2499", { createdMs: clock.nowMs() - 1_000 });

      await tier.dropPrefix("many:");

      assert.deepEqual(await tier.setMany([entry("many:7"), older]), ["stored", "stored"]);
      for (let time = 0; time < 2; time++) {
        assert.deepEqual(await listed(tier), ["many:2499", "many:7", "many;"]);
        assert.deepEqual(await tier.getMany(["many:2499"]), [older]);
        await tier.sweep();
      }
      assert.equal(tier.statistics().entries, 3);
    },
  },
};
