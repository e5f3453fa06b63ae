/** Of the tier contract: entries whose freshness is ended where they lie. */

import { strict as assert } from "node:assert";
import { HOUR_MS, hasOf, listed, type TierCases, valuesOf } from "./context.ts";

const SLIDING_MS = 1_000;

export const expiry: TierCases = {
  cases: {
    "is stale at once, and kept as long as it would have been": async ({
      tier,
      clock,
      entries,
    }) => {
      const all = entries(3, "key ", { keepUntilMs: clock.nowMs() + 2 * HOUR_MS, etag: "1" });
      await tier.setMany(all);
      clock.advance(500);

      assert.equal(await tier.expireMany(["key 0", "missing", "key 2"]), 2);

      const [first, second, third] = all;
      const freshUntilMs = clock.nowMs();
      const found = [{ ...first, freshUntilMs }, second, { ...third, freshUntilMs }];
      assert.deepEqual(await tier.getMany(["key 0", "key 1", "key 2"]), found);
      clock.advance(2 * HOUR_MS - 501);
      assert.deepEqual(await valuesOf(tier, ["key 0"]), ["value of key 0"]);
      clock.advance(1);
      assert.deepEqual(await valuesOf(tier, ["key 0"]), [undefined]);
    },

    "has been so since the moment that was said, unless it was made later": async ({
      tier,
      clock,
      entry,
    }) => {
      await tier.setMany([entry("before")]);
      clock.advance(100);
      const atMs = clock.nowMs();
      await tier.setMany([entry("then")]);
      clock.advance(100);
      const later = entry("later");
      await tier.setMany([later]);
      clock.advance(100);

      assert.equal(await tier.expireMany(["before", "then", "later"], { atMs }), 2);

      const [before, then, after] = await tier.lookMany(["before", "then", "later"]);
      assert.equal(before?.freshUntilMs, atMs);
      assert.equal(then?.freshUntilMs, atMs);
      assert.equal(after?.freshUntilMs, later.freshUntilMs);
    },

    "stays as stale as it is when it was stale before": async ({ tier, clock, entry }) => {
      const stale = entry("a", { freshUntilMs: clock.nowMs() + 100 });
      await tier.setMany([stale]);
      clock.advance(500);

      assert.equal(await tier.expireMany(["a"]), 1);

      assert.deepEqual(await tier.getMany(["a"]), [stale]);
    },

    "counts for nothing": async ({ tier, entries }) => {
      await tier.setMany(entries(3));
      await tier.getMany(["key 0", "missing"]);
      const { bytes: _, ...before } = tier.statistics();

      await tier.expireMany(["key 0", "key 1", "missing"]);

      const { bytes: __, ...after } = tier.statistics();
      assert.deepEqual(after, before);
    },

    "slides no more, and keeps what hits have added before": async ({ tier, clock, entry }) => {
      const endMs = clock.nowMs() + SLIDING_MS;
      const life = { freshUntilMs: endMs, keepUntilMs: endMs + 5_000, slidingMs: SLIDING_MS };
      await tier.setMany([entry("hit", life), entry("unread", life)]);
      clock.advance(900);
      await tier.getMany(["hit"]);
      const keptUntilMs = endMs + 5_000 + 900;

      assert.equal(await tier.expireMany(["hit", "unread"]), 2);

      const expiredMs = clock.nowMs();
      for (let hit = 0; hit < 3; hit++) {
        clock.advance(10);
        const [one, other] = await tier.getMany(["hit", "unread"]);
        assert.deepEqual([one?.freshUntilMs, one?.keepUntilMs], [expiredMs, keptUntilMs]);
        assert.deepEqual([other?.freshUntilMs, other?.keepUntilMs], [expiredMs, endMs + 5_000]);
        // A tier that writes uses later does so now at the latest.
        await tier.sweep();
      }
    },

    "is not what was dead before": async ({ tier, clock, entry }) => {
      const short = { freshUntilMs: clock.nowMs() + 100, keepUntilMs: clock.nowMs() + 100 };
      await tier.setMany([
        entry("over", short),
        entry("dropped"),
        entry("tagged", { tags: ["t"] }),
      ]);
      clock.advance(100);
      await tier.dropMany(["dropped"]);
      await tier.dropTags(["t"]);
      const keys = ["over", "dropped", "tagged"];

      assert.equal(await tier.expireMany(keys), 0);

      assert.deepEqual(await valuesOf(tier, keys), [undefined, undefined, undefined]);
      assert.deepEqual(await hasOf(tier, keys), [false, false, false]);
      assert.deepEqual(await listed(tier), []);
    },

    "is found by its tags, and goes with them": async ({ tier, entry }) => {
      await tier.setMany([entry("a", { tags: ["t"] }), entry("b", { tags: ["u"] })]);
      await tier.expireMany(["a", "b"]);

      assert.deepEqual(await listed(tier, { tag: "t" }), ["a"]);
      await tier.dropTags(["t"]);
      assert.deepEqual(await valuesOf(tier, ["a", "b"]), [undefined, "value of b"]);
    },

    "gives way to a new entry, and to no older one": async ({ tier, clock, entry }) => {
      const older = entry("a", { value: "older" });
      clock.advance(1_000);
      await tier.setMany([entry("a", { value: "expired" })]);
      clock.advance(1_000);
      await tier.expireMany(["a"]);

      assert.deepEqual(await tier.setMany([older]), ["outdated"]);
      assert.deepEqual(await valuesOf(tier, ["a"]), ["expired"]);
      const fresh = entry("a", { value: "new" });
      assert.deepEqual(await tier.setMany([fresh]), ["stored"]);
      assert.deepEqual(await tier.getMany(["a"]), [fresh]);
    },

    "was made in the future, and is not fresh when the clock is put right": async ({
      tier,
      clock,
      entry,
    }) => {
      clock.advance(HOUR_MS);
      await tier.setMany([entry("a")]);
      clock.setBack(10_000);

      assert.equal(await tier.expireMany(["a"]), 0);

      clock.advance(20_000);
      const [look] = await tier.lookMany(["a"]);
      assert.ok((look?.freshUntilMs ?? 0) <= clock.nowMs(), "it is fresh");
    },

    "is not fresh again when the clock is set back": async ({ tier, clock, entry }) => {
      const sliding = { freshUntilMs: clock.nowMs() + HOUR_MS, slidingMs: HOUR_MS };
      await tier.setMany([entry("a"), entry("b", sliding)]);
      clock.advance(60_000);
      await tier.getMany(["b"]);
      await tier.expireMany(["a", "b"]);

      clock.setBack(10_000);

      for (const found of [await tier.lookMany(["a", "b"]), await tier.getMany(["a", "b"])]) {
        for (const look of found) {
          assert.ok(look !== undefined, "it is kept");
          assert.ok(look.freshUntilMs <= clock.nowMs(), `${look.key} is fresh`);
        }
      }
    },

    "is so for whoever opens a lasting tier again": async ({
      tier,
      subject,
      reopen,
      clock,
      entry,
    }) => {
      if (subject.reopen === undefined) return;
      const endMs = clock.nowMs() + SLIDING_MS;
      const sliding = { freshUntilMs: endMs, keepUntilMs: endMs + 5_000, slidingMs: SLIDING_MS };
      await tier.setMany([entry("a", { tags: ["t"], value: { n: 1n } }), entry("b", sliding)]);
      clock.advance(500);
      await tier.getMany(["a", "b"]);
      await tier.expireMany(["a", "b"]);
      const expiredMs = clock.nowMs();
      const before = await tier.lookMany(["a", "b"]);
      await tier.close();
      clock.advance(100);

      const again = await reopen(tier);

      assert.deepEqual(await again.lookMany(["a", "b"]), before);
      const [a, b] = await again.getMany(["a", "b"]);
      assert.deepEqual([a?.freshUntilMs, b?.freshUntilMs], [expiredMs, expiredMs]);
      assert.deepEqual(a?.value, { n: 1n });
      await again.dropTags(["t"]);
      assert.deepEqual(await valuesOf(again, ["a"]), [undefined]);
    },
  },
};
