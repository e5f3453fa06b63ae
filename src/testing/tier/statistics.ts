/** Of the tier contract: sweeping, clearing, and what is counted. */

import { strict as assert } from "node:assert";
import { listed, type TierCases } from "./context.ts";

export const statistics: TierCases = {
  cases: {
    "count hits, misses, sets and drops": async ({ tier, entries }) => {
      await tier.setMany(entries(4));
      await tier.getMany(["key 0", "key 1", "missing"]);
      await tier.lookMany(["key 0", "missing"]);
      await tier.expireMany(["key 0", "missing"]);
      await tier.dropMany(["key 0", "missing"]);
      await tier.dropPrefix("key 1");

      const { hits, misses, sets, drops, entries: present } = tier.statistics();
      assert.deepEqual(
        { hits, misses, sets, drops, present },
        { hits: 2, misses: 1, sets: 4, drops: 2, present: 2 },
      );
    },

    "begin again when they are reset, except for the present": async ({ tier, entries }) => {
      await tier.setMany(entries(4));
      await tier.getMany(["key 0", "missing"]);
      await tier.dropMany(["key 3"]);
      const { bytes } = tier.statistics();
      assert.ok(bytes > 0);

      tier.resetStatistics();

      assert.deepEqual(tier.statistics(), {
        entries: 3,
        bytes,
        hits: 0,
        misses: 0,
        sets: 0,
        drops: 0,
        evictions: 0,
        expirations: 0,
        refusals: 0,
        errors: 0,
      });
    },

    "say what a sweep removed, which is all that is dead": async ({ tier, clock, entries }) => {
      const short = { freshUntilMs: clock.nowMs() + 100, keepUntilMs: clock.nowMs() + 100 };
      await tier.setMany([
        ...entries(3, "expiring ", short),
        ...entries(2, "tagged ", { tags: ["t"] }),
        ...entries(4, "living "),
      ]);
      clock.advance(200);
      await tier.dropTags(["t"]);
      const before = tier.statistics();

      const swept = await tier.sweep();

      const after = tier.statistics();
      assert.equal(after.entries, 4);
      // A tier may have removed some of them before.
      assert.equal(before.expirations + swept.expired, 3);
      assert.equal(after.expirations, 3);
      assert.equal(before.entries - after.entries, swept.expired + swept.reclaimed);
      assert.equal((await listed(tier)).length, 4);
      assert.deepEqual(await tier.sweep(), { expired: 0, reclaimed: 0 });
    },

    "are those of nothing after clear": async ({ tier, entries }) => {
      await tier.setMany(entries(1_500, "key ", { tags: ["t"] }));

      await tier.clear();

      const { entries: present, bytes } = tier.statistics();
      assert.deepEqual({ present, bytes }, { present: 0, bytes: 0 });
      assert.deepEqual(await listed(tier), []);
      assert.deepEqual(await listed(tier, { tag: "t" }), []);
      assert.deepEqual(await tier.getMany(["key 0"]), [undefined]);
    },

    "do not keep what comes after clear from being stored": async ({ tier, entry }) => {
      await tier.setMany([entry("a", { tags: ["t"] })]);
      await tier.clear();
      await tier.setMany([entry("a", { tags: ["t"], value: "again" })]);

      assert.equal((await tier.getMany(["a"]))[0]?.value, "again");
      assert.deepEqual(await listed(tier, { tag: "t" }), ["a"]);
    },
  },
};
