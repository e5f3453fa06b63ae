/** Of the tier contract: nothing comes out whose time is over, or has not come. */

import { strict as assert } from "node:assert";
import { HOUR_MS, hasOf, listed, livingOf, type TierCases } from "./context.ts";

const SLIDING_MS = 1_000;

export const time: TierCases = {
  cases: {
    "ends an entry when it may be kept no longer": async ({ tier, clock, entry }) => {
      const life = { freshUntilMs: clock.nowMs() + 500, keepUntilMs: clock.nowMs() + 1_000 };
      await tier.setMany([entry("a", life), entry("b")]);

      clock.advance(999);
      assert.deepEqual(await livingOf(tier, ["a", "b"]), ["a", "b"]);
      clock.advance(1);
      assert.deepEqual(await livingOf(tier, ["a", "b"]), ["b"]);
      assert.deepEqual(await listed(tier), ["b"]);
    },

    "does not bring back an entry that comes too late": async ({ tier, clock, entry }) => {
      const late = entry("a", { keepUntilMs: clock.nowMs() + 100, freshUntilMs: clock.nowMs() });
      clock.advance(100);
      await tier.setMany([late]);

      assert.deepEqual(await livingOf(tier, ["a"]), []);
    },

    "does not end an entry that is kept for ever": async ({ tier, clock, entry }) => {
      const life = {
        freshUntilMs: Number.POSITIVE_INFINITY,
        keepUntilMs: Number.POSITIVE_INFINITY,
      };
      await tier.setMany([entry("a", life)]);
      clock.advance(100 * 365 * 24 * HOUR_MS);
      await tier.sweep();

      assert.deepEqual(await livingOf(tier, ["a"]), ["a"]);
    },

    "keeps a stale entry as stale as it is": async ({ tier, clock, entry }) => {
      const stale = entry("a", { freshUntilMs: clock.nowMs() + 100 });
      await tier.setMany([stale]);
      clock.advance(500);

      assert.deepEqual(await tier.getMany(["a"]), [stale]);
    },

    "is given anew to a sliding entry by each hit": async ({ tier, clock, entry }) => {
      const endMs = clock.nowMs() + SLIDING_MS;
      await tier.setMany([
        entry("a", { freshUntilMs: endMs, keepUntilMs: endMs + 500, slidingMs: SLIDING_MS }),
      ]);
      for (let hit = 0; hit < 5; hit++) {
        clock.advance(900);
        const [found] = await tier.getMany(["a"]);
        assert.equal(found?.freshUntilMs, clock.nowMs() + SLIDING_MS);
        assert.equal(found?.keepUntilMs, clock.nowMs() + SLIDING_MS + 500);
      }
      await tier.sweep();
      clock.advance(1_499);
      assert.deepEqual(await hasOf(tier, ["a"]), [true]);
      clock.advance(1);
      assert.deepEqual(await hasOf(tier, ["a"]), [false]);
    },

    "is not given anew by a look": async ({ tier, clock, entry }) => {
      const endMs = clock.nowMs() + SLIDING_MS;
      const life = { freshUntilMs: endMs, keepUntilMs: endMs, slidingMs: SLIDING_MS };
      await tier.setMany([entry("a", life)]);
      clock.advance(900);
      assert.deepEqual(await hasOf(tier, ["a"]), [true]);
      clock.advance(100);

      assert.deepEqual(await livingOf(tier, ["a"]), []);
    },

    "is not given anew to a sliding entry that is stale already": async ({
      tier,
      clock,
      entry,
    }) => {
      const freshUntilMs = clock.nowMs() + SLIDING_MS;
      const sliding = entry("a", { freshUntilMs, slidingMs: SLIDING_MS });
      await tier.setMany([sliding]);
      clock.advance(SLIDING_MS + 1);

      assert.deepEqual(await tier.getMany(["a"]), [sliding]);
      assert.deepEqual(await tier.getMany(["a"]), [sliding]);
    },

    "that was set back hides what was made after it": async ({ tier, clock, entry }) => {
      clock.advance(HOUR_MS);
      await tier.setMany([entry("a", { tags: ["t"] })]);
      clock.setBack(10_000);

      assert.deepEqual(await livingOf(tier, ["a"]), []);
      assert.deepEqual(await listed(tier), []);
      assert.deepEqual(await listed(tier, { tag: "t" }), []);
    },

    "that was set back lets new entries in": async ({ tier, clock, entry }) => {
      clock.advance(HOUR_MS);
      await tier.setMany([entry("a", { value: "future" })]);
      clock.setBack(10_000);
      const fresh = entry("a", { value: "now" });

      assert.deepEqual(await tier.setMany([fresh]), ["stored"]);
      assert.deepEqual(await tier.getMany(["a"]), [fresh]);
    },
  },
};
