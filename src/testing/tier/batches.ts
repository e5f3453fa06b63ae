/** Of the tier contract: one call for many keys, and entries that travel whole. */

import { strict as assert } from "node:assert";
import { ENTRIES_MAX, HOUR_MS, hasOf, keysOf, type TierCases, valuesOf } from "./context.ts";

export const batches: TierCases = {
  cases: {
    "gives its results in the order of its keys": async ({ tier, entries }) => {
      await tier.setMany(entries(5));

      const keys = ["key 3", "key 0", "missing", "key 4", "key 1"];
      const found = await tier.getMany(keys);

      assert.deepEqual(
        found.map((entry) => entry?.key),
        ["key 3", "key 0", undefined, "key 4", "key 1"],
      );
      assert.deepEqual(await hasOf(tier, keys), [true, true, false, true, true]);
    },

    "of nothing gives nothing": async ({ tier, entry }) => {
      await tier.setMany([entry("a")]);

      assert.deepEqual(await tier.getMany([]), []);
      assert.deepEqual(await hasOf(tier, []), []);
      assert.deepEqual(await tier.setMany([]), []);
      assert.equal(await tier.expireMany([]), 0);
      assert.equal(await tier.dropMany([]), 0);
      await tier.dropTags([]);
      assert.deepEqual(await valuesOf(tier, ["a"]), ["value of a"]);
    },

    "may name a key several times": async ({ tier, entry }) => {
      await tier.setMany([entry("a"), entry("b")]);

      assert.deepEqual(await valuesOf(tier, ["a", "b", "a"]), [
        "value of a",
        "value of b",
        "value of a",
      ]);
      assert.deepEqual(await hasOf(tier, ["b", "b", "c", "c"]), [true, true, false, false]);
      assert.equal(await tier.expireMany(["a", "a", "c"]), 1);
      assert.equal(await tier.dropMany(["a", "a", "c"]), 1);
    },

    "that sets a key several times keeps the newest, and of equals the last": async ({
      tier,
      clock,
      entry,
    }) => {
      clock.advance(1_000);
      const earlier = clock.nowMs() - 500;
      const outcomes = await tier.setMany([
        entry("a", { value: 1, createdMs: earlier }),
        entry("a", { value: 2 }),
        entry("a", { value: 3, createdMs: earlier }),
        entry("b", { value: 4 }),
        entry("b", { value: 5 }),
      ]);

      assert.deepEqual(outcomes, ["stored", "stored", "outdated", "stored", "stored"]);
      assert.deepEqual(await valuesOf(tier, ["a", "b"]), [2, 5]);
    },

    "serves thousands of keys": async ({ tier, entries }) => {
      const all = entries(ENTRIES_MAX);
      const outcomes = await tier.setMany(all);
      assert.equal(outcomes.filter((outcome) => outcome === "stored").length, ENTRIES_MAX);

      // Backwards, with a missing key after each.
      const keys = keysOf(all)
        .reverse()
        .flatMap((key) => [key, `no ${key}`]);
      const found = await tier.getMany(keys);

      assert.deepEqual(
        found.map((entry) => entry?.value),
        keys.map((key) => (key.startsWith("no ") ? undefined : `value of ${key}`)),
      );
      assert.equal(await tier.expireMany(keys), ENTRIES_MAX);
      assert.equal(await tier.dropMany(keys), ENTRIES_MAX);
      assert.deepEqual(await hasOf(tier, keys.slice(0, 10)), new Array(10).fill(false));
    },

    "drops what it names, says how many there were, and leaves the rest": async ({
      tier,
      entries,
    }) => {
      await tier.setMany(entries(4));

      assert.equal(await tier.dropMany(["key 0", "key 2", "missing"]), 2);

      assert.deepEqual(await hasOf(tier, ["key 0", "key 1", "key 2", "key 3"]), [
        false,
        true,
        false,
        true,
      ]);
      assert.equal(await tier.dropMany(["key 0"]), 0);
    },

    "gives entries whole, with the life that remains": async ({ tier, clock, open, entry }) => {
      const whole = entry("a", {
        value: { name: "Ada" },
        category: "people",
        freshUntilMs: clock.nowMs() + 1_234,
        keepUntilMs: clock.nowMs() + HOUR_MS,
        slidingMs: 0,
        tags: ["one", "two"],
        loadMs: 17.25,
        etag: '"v1"',
      });
      const forever = entry("b", {
        freshUntilMs: Number.POSITIVE_INFINITY,
        keepUntilMs: Number.POSITIVE_INFINITY,
      });
      await tier.setMany([whole, forever]);
      clock.advance(600);

      const found = await tier.getMany(["a", "b"]);
      assert.deepEqual(found, [whole, forever]);

      const other = await open({});
      await other.setMany(found.filter((each) => each !== undefined));
      assert.deepEqual(await other.getMany(["a", "b"]), [whole, forever]);
    },

    "takes a sliding life along": async ({ tier, clock, entry }) => {
      const sliding = entry("a", {
        freshUntilMs: clock.nowMs() + 500,
        keepUntilMs: clock.nowMs() + 500,
        slidingMs: 500,
      });
      await tier.setMany([sliding]);

      assert.deepEqual(await tier.getMany(["a"]), [sliding]);
    },
  },
};
