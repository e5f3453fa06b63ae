/** Of the tier contract: tags. */

import { strict as assert } from "node:assert";
import { keysOf, listed, livingOf, type TierCases } from "./context.ts";

const MANY = 2_500;

export const tags: TierCases = {
  cases: {
    "takes all of its entries with it, and no other": async ({ tier, entry }) => {
      await tier.setMany([
        entry("a", { tags: ["red"] }),
        entry("b", { tags: ["blue"] }),
        entry("c", { tags: ["red", "blue"] }),
        entry("d"),
      ]);

      await tier.dropTags(["red"]);

      assert.deepEqual(await livingOf(tier, ["a", "b", "c", "d"]), ["b", "d"]);
      assert.deepEqual(await listed(tier), ["b", "d"]);
      assert.deepEqual(await listed(tier, { tag: "red" }), []);
      assert.deepEqual(await listed(tier, { tag: "blue" }), ["b"]);
    },

    "is one of several in a call": async ({ tier, entry }) => {
      await tier.setMany([
        entry("a", { tags: ["red"] }),
        entry("b", { tags: ["blue"] }),
        entry("c", { tags: ["green"] }),
      ]);

      await tier.dropTags(["red", "blue", "red", "unknown"]);

      assert.deepEqual(await livingOf(tier, ["a", "b", "c"]), ["c"]);
    },

    "lives again for what is set after its drop, within the same millisecond": async ({
      tier,
      entry,
    }) => {
      for (let round = 0; round < 3; round++) {
        await tier.setMany([entry("a", { tags: ["red"], value: round }), entry("b")]);
        assert.deepEqual(await livingOf(tier, ["a", "b"]), ["a", "b"]);
        assert.deepEqual(await listed(tier, { tag: "red" }), ["a"]);
        await tier.dropTags(["red"]);
        assert.deepEqual(await livingOf(tier, ["a", "b"]), ["b"]);
      }
    },

    "can be dropped with its entries being swept, and lives again": async ({ tier, entry }) => {
      await tier.setMany([entry("a", { tags: ["red"] }), entry("b", { tags: ["red"] })]);
      await tier.dropTags(["red"]);
      await tier.setMany([entry("a", { tags: ["red"], value: "again" })]);
      await tier.sweep();

      assert.deepEqual(await livingOf(tier, ["a", "b"]), ["a"]);
      await tier.dropTags(["red"]);
      assert.deepEqual(await livingOf(tier, ["a", "b"]), []);
    },

    "is that of the last entry of a key": async ({ tier, entry }) => {
      await tier.setMany([entry("a", { tags: ["red"] })]);
      await tier.setMany([entry("a", { tags: ["blue"] })]);

      assert.deepEqual(await listed(tier, { tag: "red" }), []);
      await tier.dropTags(["red"]);
      assert.deepEqual(await livingOf(tier, ["a"]), ["a"]);
      await tier.dropTags(["blue"]);
      assert.deepEqual(await livingOf(tier, ["a"]), []);
    },

    "is any text": async ({ tier, entry }) => {
      const texts = [
        "%",
        "_",
        "a,b",
        'say "hi"',
        "é",
        "e\u0301",
        "👩‍👩‍👧",
        "Red",
        "red",
        "__proto__",
        "\\",
      ];
      await tier.setMany(texts.map((text, index) => entry(`key ${index}`, { tags: [text] })));
      for (const [index, text] of texts.entries()) {
        assert.deepEqual(await listed(tier, { tag: text }), [`key ${index}`]);
      }
      for (const [index, text] of texts.entries()) {
        await tier.dropTags([text]);
        assert.equal((await listed(tier)).length, texts.length - index - 1);
      }
    },

    "may have thousands of entries": async ({ tier, entries }) => {
      const all = entries(MANY, "key ", { tags: ["many"] });
      await tier.setMany(all);
      assert.deepEqual(await listed(tier, { tag: "many" }), keysOf(all).sort());

      await tier.dropTags(["many"]);

      assert.deepEqual(await livingOf(tier, keysOf(all)), []);
      await tier.sweep();
      assert.equal(tier.statistics().entries, 0);
    },
  },
};
