/** A hundred thousand entries go without holding the event loop for more than 10 ms. */

import { describe, expect, it } from "vitest";
import { type Cache, createCache } from "../../src/cache/cache.ts";
import { FakeClock } from "../../src/testing/fake-clock.ts";
import { longestGap } from "../../src/testing/tier/responsiveness.ts";
import { type MemoryTier, memoryTier } from "../../src/tier/memory/memory-tier.ts";
import { turns } from "./support.ts";

const ENTRIES = 100_000;
const GAP_MS_MAX = 10;
/** Other programs and the collector take turns, too: the best of so many counts. */
const ATTEMPTS = 8;

interface Filled {
  readonly cache: Cache;
  readonly memory: MemoryTier;
  readonly clock: FakeClock;
}

function fill(): Filled {
  const clock = new FakeClock();
  const memory = memoryTier({
    clock,
    maxEntries: 2 * ENTRIES,
    sweepEvery: 0,
  });
  const cache = createCache({ clock, tiers: [memory] });
  for (let index = 0; index < ENTRIES; index++) {
    void cache.set(`p:${index}`, index, { tags: ["t"], ttl: 1_000 });
  }
  return { cache, memory, clock };
}

const ways: Record<string, (filled: Filled) => Promise<unknown>> = {
  "dropped by their tag": ({ cache }) => cache.dropTag("t"),
  "dropped by their prefix": ({ cache }) => cache.dropPrefix("p"),
  "dropped by their prefix through the tier": ({ memory }) =>
    memory.dropPrefix("cache/1/default/p"),
  cleared: ({ cache }) => cache.clear(),
  "swept after their end": async ({ memory, clock }) => {
    clock.advance(1_000);
    await memory.sweep();
  },
  listed: async ({ cache }) => {
    for await (const chunk of cache.keys()) expect(chunk.length).toBeGreaterThan(0);
    await cache.clear();
  },
  "listed by a tag": async ({ cache }) => {
    for await (const chunk of cache.keys({ tag: "t" })) expect(chunk.length).toBeGreaterThan(0);
    await cache.clear();
  },
};

describe("100,000 entries", () => {
  it.each(Object.entries(ways))(
    "are %s without holding up the event loop",
    async (_, go) => {
      let shortestMs = Number.POSITIVE_INFINITY;
      for (let attempt = 0; attempt < ATTEMPTS && shortestMs > GAP_MS_MAX; attempt++) {
        const filled = fill();
        await turns();
        const { workMs } = await longestGap(async () => {
          await go(filled);
          expect(filled.cache.peek("p:5")).toBeUndefined();
          while (filled.memory.statistics().entries > 0) await turns(1);
        });
        shortestMs = Math.min(shortestMs, workMs);
        expect(filled.memory.statistics()).toMatchObject({ entries: 0, bytes: 0 });
        await filled.cache.close();
      }

      expect(shortestMs).toBeLessThanOrEqual(GAP_MS_MAX);
    },
    60_000,
  );
});
