/** Of the tier contract: bounds on entries, bytes and the size of one entry. */

import { strict as assert } from "node:assert";
import { keysOf, livingOf, noise, type TierCases, valuesOf } from "./context.ts";

const KB = 1_024;

export const bounds: TierCases = {
  cases: {
    "on entries holds, within one batch while writing": async ({ open, entries }) => {
      const tier = await open({ maxEntries: 40 });
      const all = entries(200);
      for (let start = 0; start < all.length; start += 10) {
        await tier.setMany(all.slice(start, start + 10));
        assert.ok(tier.statistics().entries <= 50, `${tier.statistics().entries} entries`);
      }
      await tier.sweep();

      const living = await livingOf(tier, keysOf(all));
      assert.ok(living.length <= 40 && living.length >= 20, `${living.length} entries live`);
      assert.equal(tier.statistics().entries, living.length);
      assert.equal(tier.statistics().evictions, 200 - living.length);
    },

    "on entries is not touched by setting the same again": async ({ open, clock, entries }) => {
      const tier = await open({ maxEntries: 20 });
      for (let round = 0; round < 10; round++) {
        await tier.setMany(entries(10));
        clock.advance(1);
      }

      assert.equal((await livingOf(tier, keysOf(entries(10)))).length, 10);
      assert.equal(tier.statistics().evictions, 0);
    },

    "on bytes holds": async ({ open, entry }) => {
      const tier = await open({ maxBytes: 64 * KB });
      for (let index = 0; index < 200; index++) {
        await tier.setMany([entry(`key ${index}`, { value: noise(KB, index) })]);
        assert.ok(tier.statistics().bytes <= 72 * KB, `${tier.statistics().bytes} bytes`);
      }
      await tier.sweep();

      const { bytes, entries } = tier.statistics();
      assert.ok(bytes <= 64 * KB, `${bytes} bytes`);
      assert.ok(entries >= 10, `${entries} entries`);
    },

    "on one entry refuses what is larger, and says so": async ({ open, entry }) => {
      const tier = await open({ maxEntryBytes: 8 * KB });
      const outcomes = await tier.setMany([
        entry("small"),
        entry("large", { value: noise(64 * KB, 1) }),
        entry("other"),
      ]);

      assert.deepEqual(outcomes, ["stored", "too-large", "stored"]);
      assert.deepEqual(await livingOf(tier, ["small", "large", "other"]), ["small", "other"]);
      assert.equal(tier.statistics().refusals, 1);
    },

    "on all bytes refuses what is larger than all of it": async ({ open, entry }) => {
      const tier = await open({ maxBytes: 32 * KB });
      await tier.setMany([entry("small")]);

      assert.deepEqual(await tier.setMany([entry("large", { value: noise(256 * KB, 1) })]), [
        "too-large",
      ]);
      assert.deepEqual(await livingOf(tier, ["small", "large"]), ["small"]);
    },

    "leaves no older entry of a key that it refused": async ({ open, clock, entry }) => {
      const tier = await open({ maxEntryBytes: 8 * KB });
      await tier.setMany([entry("a", { value: "old" }), entry("b", { value: "old" })]);
      clock.advance(1);

      await tier.setMany([entry("a", { value: noise(64 * KB, 1) })]);
      assert.deepEqual(await valuesOf(tier, ["a", "b"]), [undefined, "old"]);

      const outcomes = await tier.setMany([
        entry("b", { value: "new" }),
        entry("b", { value: noise(64 * KB, 1) }),
      ]);
      assert.deepEqual(outcomes, ["stored", "too-large"]);
      assert.deepEqual(await valuesOf(tier, ["b"]), [undefined]);
    },

    "counts the present bytes, and none when there is nothing": async ({ tier, entry }) => {
      assert.equal(tier.statistics().bytes, 0);
      await tier.setMany([entry("a", { value: noise(10 * KB, 1) })]);
      const { bytes } = tier.statistics();
      assert.ok(bytes >= 7 * KB && bytes <= 60 * KB, `${bytes} bytes for 10 KB`);

      await tier.setMany([entry("a", { value: noise(10 * KB, 1) })]);
      assert.equal(tier.statistics().bytes, bytes);
      await tier.setMany([entry("a", { value: "small" })]);
      assert.ok(tier.statistics().bytes < bytes);
      await tier.dropMany(["a"]);
      assert.equal(tier.statistics().bytes, 0);
    },
  },
};
