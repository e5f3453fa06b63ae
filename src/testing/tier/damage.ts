/** Of the tier contract: damaged bytes are a miss, and are gone. */

import { strict as assert } from "node:assert";
import { hasOf, listed, noise, type TierCases, valuesOf } from "./context.ts";

export const damage: TierCases = {
  needs: "damage",
  cases: {
    "is a miss that is counted, and removed": async ({ tier, subject, entry }) => {
      await tier.setMany([entry("a"), entry("b"), entry("c", { value: noise(100_000, 1) })]);
      await subject.damage?.(tier, "a");
      await subject.damage?.(tier, "c");

      assert.deepEqual(await valuesOf(tier, ["a", "b", "c"]), [undefined, "value of b", undefined]);

      assert.equal(tier.statistics().errors, 2);
      assert.equal(tier.statistics().misses, 2);
      assert.deepEqual(await hasOf(tier, ["a", "b", "c"]), [false, true, false]);
      assert.deepEqual(await listed(tier), ["b"]);
    },

    "does not keep a new entry out": async ({ tier, subject, entry }) => {
      await tier.setMany([entry("a")]);
      await subject.damage?.(tier, "a");
      await tier.getMany(["a"]);

      assert.deepEqual(await tier.setMany([entry("a", { value: "whole" })]), ["stored"]);
      assert.deepEqual(await valuesOf(tier, ["a"]), ["whole"]);
    },
  },
};
