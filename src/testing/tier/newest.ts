/** Of the tier contract: an entry never replaces one that was made later. */

import { strict as assert } from "node:assert";
import { listed, type TierCases, valuesOf } from "./context.ts";

export const newest: TierCases = {
  cases: {
    "wins, whatever comes last": async ({ tier, clock, entry }) => {
      const early = entry("a", { value: "early" });
      clock.advance(1_000);
      await tier.setMany([entry("a", { value: "late" })]);

      assert.deepEqual(await tier.setMany([early]), ["outdated"]);
      assert.deepEqual(await valuesOf(tier, ["a"]), ["late"]);
    },

    "replaces the older one whole": async ({ tier, clock, entry }) => {
      await tier.setMany([entry("a", { tags: ["old"], etag: "1", category: "old" })]);
      clock.advance(1_000);
      const late = entry("a", { value: "late", tags: ["new"] });

      assert.deepEqual(await tier.setMany([late]), ["stored"]);
      assert.deepEqual(await tier.getMany(["a"]), [late]);
      assert.equal(tier.statistics().entries, 1);
    },

    "leaves nothing of the one it was preferred to": async ({ tier, clock, entry }) => {
      const early = entry("a", { value: "early", tags: ["early"] });
      clock.advance(1_000);
      const late = entry("a", { value: "late", tags: ["late"] });
      await tier.setMany([late]);
      await tier.setMany([early]);

      assert.deepEqual(await listed(tier, { tag: "early" }), []);
      await tier.dropTags(["early"]);
      assert.deepEqual(await tier.getMany(["a"]), [late]);
    },

    "among those made in the same millisecond is the last": async ({ tier, entry }) => {
      await tier.setMany([entry("a", { value: 1 })]);

      assert.deepEqual(await tier.setMany([entry("a", { value: 2 })]), ["stored"]);
      assert.deepEqual(await valuesOf(tier, ["a"]), [2]);
    },

    "is no longer known once it was dropped": async ({ tier, clock, entry }) => {
      const early = entry("a", { value: "early" });
      clock.advance(1_000);
      await tier.setMany([entry("a", { value: "late" })]);
      await tier.dropMany(["a"]);

      assert.deepEqual(await tier.setMany([early]), ["stored"]);
      assert.deepEqual(await valuesOf(tier, ["a"]), ["early"]);
    },
  },
};
