/** Of the tier contract: listing keys. */

import { strict as assert } from "node:assert";
import { keysOf, listed, type TierCases } from "./context.ts";

const CHUNK_MAX = 1_000;

export const listing: TierCases = {
  cases: {
    "comes in chunks of at most a thousand, each key once": async ({ tier, entries }) => {
      const all = entries(2_500);
      await tier.setMany(all);

      const seen: string[] = [];
      for await (const chunk of tier.keys()) {
        assert.ok(chunk.length <= CHUNK_MAX, `a chunk of ${chunk.length} keys`);
        seen.push(...chunk);
      }

      assert.deepEqual(seen.sort(), keysOf(all).sort());
    },

    "can be of a prefix, of a tag, and of both": async ({ tier, entry }) => {
      await tier.setMany([
        entry("user:1", { tags: ["vip"] }),
        entry("user:2"),
        entry("shop:1", { tags: ["vip", "new"] }),
      ]);

      assert.deepEqual(await listed(tier, { prefix: "user:" }), ["user:1", "user:2"]);
      assert.deepEqual(await listed(tier, { tag: "vip" }), ["shop:1", "user:1"]);
      assert.deepEqual(await listed(tier, { prefix: "user:", tag: "vip" }), ["user:1"]);
      assert.deepEqual(await listed(tier, { prefix: "user:", tag: "new" }), []);
      assert.deepEqual(await listed(tier, { tag: "unknown" }), []);
    },

    "names living entries only": async ({ tier, clock, entry }) => {
      const short = { freshUntilMs: clock.nowMs() + 100, keepUntilMs: clock.nowMs() + 100 };
      await tier.setMany([
        entry("expired", { ...short, tags: ["t"] }),
        entry("dropped", { tags: ["t"] }),
        entry("tagged", { tags: ["t", "gone"] }),
        entry("living", { tags: ["t"] }),
      ]);
      clock.advance(200);
      await tier.dropMany(["dropped"]);
      await tier.dropTags(["gone"]);

      assert.deepEqual(await listed(tier), ["living"]);
      assert.deepEqual(await listed(tier, { tag: "t" }), ["living"]);
      assert.deepEqual(await listed(tier, { prefix: "" }), ["living"]);
    },

    "goes on while its keys are dropped": async ({ tier, entries }) => {
      const all = entries(1_500);
      await tier.setMany(all);

      const seen: string[] = [];
      for await (const chunk of tier.keys()) {
        seen.push(...chunk);
        await tier.dropMany(chunk);
      }

      assert.deepEqual(seen.sort(), keysOf(all).sort());
      assert.deepEqual(await listed(tier), []);
    },

    "may be left early": async ({ tier, entries }) => {
      await tier.setMany(entries(2_500));
      for (let round = 0; round < 20; round++) {
        for await (const chunk of tier.keys()) {
          assert.ok(chunk.length > 0);
          break;
        }
      }

      assert.equal((await listed(tier)).length, 2_500);
    },
  },
};
