/** Of the tier contract: nothing holds the event loop for more than 10 ms. */

import { strict as assert } from "node:assert";
import type { Tier } from "../../tier/tier.ts";
import { type CaseContext, keysOf, type TierCases } from "./context.ts";
import { longestGapMs } from "./longest-gap.ts";

const GAP_MS_MAX = 10;
const ENTRIES = 5_000;
/** The compiler takes turns, too: the best of so many counts. */
const ATTEMPTS = 6;

type Step = (tier: Tier, context: CaseContext) => Promise<unknown>;

const STEPS: Readonly<Record<string, Step>> = {
  setMany: (tier, { entries }) => tier.setMany(entries(ENTRIES, "key ", { tags: ["t"] })),
  getMany: (tier, { entries }) => tier.getMany(keysOf(entries(ENTRIES))),
  hasMany: (tier, { entries }) => tier.hasMany(keysOf(entries(ENTRIES))),
  keys: async (tier) => {
    for await (const chunk of tier.keys()) assert.ok(chunk.length > 0);
  },
  dropTags: (tier) => tier.dropTags(["t"]),
  sweep: (tier) => tier.sweep(),
  "setMany again": (tier, { entries }) => tier.setMany(entries(ENTRIES)),
  dropPrefix: (tier) => tier.dropPrefix("key 1"),
  clear: (tier) => tier.clear(),
};

export const responsiveness: TierCases = {
  cases: {
    "is held by no call for more than 10 ms": async (context) => {
      const shortest = new Map<string, number>();
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        for (const [name, step] of Object.entries(STEPS)) {
          const gapMs = await longestGapMs(() => step(context.tier, context));
          shortest.set(name, Math.min(gapMs, shortest.get(name) ?? gapMs));
        }
        if (Math.max(...shortest.values()) <= GAP_MS_MAX) return;
      }
      for (const [name, gapMs] of shortest) {
        assert.ok(gapMs <= GAP_MS_MAX, `${name} held the event loop for ${gapMs.toFixed(1)} ms`);
      }
    },
  },
};
