/** Of the tier contract: calls that are given up, the end of a tier, and what outlasts it. */

import { strict as assert } from "node:assert";
import { listed, rejectsWith, type TierCases, valuesOf } from "./context.ts";

export const lifecycle: TierCases = {
  cases: {
    "comes for calls whose signal has fired, which change nothing": async ({ tier, entry }) => {
      await tier.setMany([entry("a", { tags: ["t"] })]);
      const options = { signal: AbortSignal.abort() };
      const first = async (): Promise<unknown> =>
        await tier.keys({}, options)[Symbol.asyncIterator]().next();

      await rejectsWith("ABORTED", () => tier.getMany(["a"], options));
      await rejectsWith("ABORTED", () => tier.lookMany(["a"], options));
      await rejectsWith("ABORTED", () => tier.setMany([entry("b")], options));
      await rejectsWith("ABORTED", () => tier.expireMany(["a"], options));
      await rejectsWith("ABORTED", () => tier.dropMany(["a"], options));
      await rejectsWith("ABORTED", () => tier.dropTags(["t"], options));
      await rejectsWith("ABORTED", () => tier.dropPrefix("", options));
      await rejectsWith("ABORTED", () => tier.clear(options));
      await rejectsWith("ABORTED", () => tier.sweep(options));
      await rejectsWith("ABORTED", first);

      assert.deepEqual(await listed(tier), ["a"]);
    },

    "comes once, however often it is asked for": async ({ tier, entry }) => {
      await tier.setMany([entry("a")]);

      await Promise.all([tier.close(), tier.close()]);
      await tier.close();
      await tier[Symbol.asyncDispose]();
    },

    "may come before a tier was used": async ({ tier }) => {
      await tier.close();
      await rejectsWith("CLOSED", () => tier.getMany(["a"]));
    },

    "refuses every later call": async ({ tier, entry }) => {
      await tier.setMany([entry("a")]);
      await tier.close();
      const first = async (): Promise<unknown> => await tier.keys()[Symbol.asyncIterator]().next();

      await rejectsWith("CLOSED", () => tier.getMany(["a"]));
      await rejectsWith("CLOSED", () => tier.lookMany(["a"]));
      await rejectsWith("CLOSED", () => tier.setMany([entry("b")]));
      await rejectsWith("CLOSED", () => tier.expireMany(["a"]));
      await rejectsWith("CLOSED", () => tier.dropMany(["a"]));
      await rejectsWith("CLOSED", () => tier.dropTags(["t"]));
      await rejectsWith("CLOSED", () => tier.dropPrefix(""));
      await rejectsWith("CLOSED", () => tier.clear());
      await rejectsWith("CLOSED", () => tier.sweep());
      await rejectsWith("CLOSED", first);
    },

    "waits for what was begun": async ({ tier, entries }) => {
      const begun = tier.setMany(entries(500));
      const closing = tier.close();

      assert.deepEqual(await begun, new Array(500).fill("stored"));
      await closing;
    },

    "leaves what a lasting tier keeps": async ({ tier, subject, reopen, entry, clock }) => {
      if (subject.reopen === undefined) return;
      const whole = entry("a", { tags: ["t"], etag: "1", loadMs: 3, value: { n: 1n } });
      await tier.setMany([whole, entry("dropped"), entry("tagged", { tags: ["gone"] })]);
      await tier.dropMany(["dropped"]);
      await tier.dropTags(["gone"]);
      await tier.close();
      clock.advance(1_000);

      const again = await reopen(tier);

      assert.deepEqual(await again.getMany(["a"]), [whole]);
      assert.deepEqual(await valuesOf(again, ["dropped", "tagged"]), [undefined, undefined]);
      assert.deepEqual(await listed(again, { tag: "t" }), ["a"]);
      await again.dropTags(["t"]);
      assert.deepEqual(await listed(again), []);
    },
  },
};
