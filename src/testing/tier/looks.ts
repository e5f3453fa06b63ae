/** Of the tier contract: looks at entries, which are no use of them. */

import { strict as assert } from "node:assert";
import { noise, type TierCases } from "./context.ts";

const SLIDING_MS = 1_000;

export const looks: TierCases = {
  cases: {
    "finds what a read finds, but for the value": async ({ tier, clock, entry }) => {
      const nowMs = clock.nowMs();
      await tier.setMany([
        entry("whole", { tags: ["t", "u"], loadMs: 17.25, etag: '"v1"', category: "people" }),
        entry("large", { value: noise(100_000, 1) }),
        entry("stale", { freshUntilMs: nowMs + 100 }),
        entry("over", { freshUntilMs: nowMs + 100, keepUntilMs: nowMs + 100 }),
        entry("for ever", {
          freshUntilMs: Number.POSITIVE_INFINITY,
          keepUntilMs: Number.POSITIVE_INFINITY,
        }),
        entry("dropped"),
        entry("tagged", { tags: ["gone"] }),
      ]);
      await tier.dropMany(["dropped"]);
      await tier.dropTags(["gone"]);
      clock.advance(200);
      const keys = ["whole", "large", "stale", "over", "for ever", "dropped", "tagged", "missing"];

      const seen = await tier.lookMany(keys);

      const found = await tier.getMany(keys);
      assert.deepEqual(
        seen,
        found.map((each) => {
          if (each === undefined) return undefined;
          const { value: _, ...look } = each;
          return look;
        }),
      );
      assert.equal(seen.filter((look) => look !== undefined).length, 4);
    },

    "sees the life that a hit has renewed": async ({ tier, clock, entry }) => {
      const endMs = clock.nowMs() + SLIDING_MS;
      await tier.setMany([
        entry("a", { freshUntilMs: endMs, keepUntilMs: endMs + 500, slidingMs: SLIDING_MS }),
      ]);
      clock.advance(900);
      await tier.getMany(["a"]);
      clock.advance(50);

      const [look] = await tier.lookMany(["a"]);

      assert.equal(look?.freshUntilMs, endMs + 900);
      assert.equal(look?.keepUntilMs, endMs + 500 + 900);
    },

    "counts nothing": async ({ tier, entries }) => {
      await tier.setMany(entries(3));
      await tier.getMany(["key 0", "missing"]);
      const before = tier.statistics();

      await tier.lookMany(["key 0", "key 1", "missing"]);

      assert.deepEqual(tier.statistics(), before);
    },
  },
};
