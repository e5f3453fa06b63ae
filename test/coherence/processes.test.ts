/**
 * Other processes write the file, and are killed; the long form is `npm run test:coherence`. The
 * shell of SQLite takes part where it is installed.
 */

import { describe, expect, it } from "vitest";
import { temporaryPath } from "../sqlite/support.ts";
import { type TortureOptions, torture } from "./processes/torture.ts";

const DURATION_MS = 1_500;
/** Fewer prove nothing; a busy machine takes longer for them. */
const HITS = 60;

describe("while processes that know of no cache write the file and are killed", () => {
  it.each<TortureOptions["freshness"]>(["strict", "turn"])(
    'a result from memory is what the database holds (freshness "%s")',
    async (freshness) => {
      const path = temporaryPath();

      const counts = await torture({
        path,
        seed: 1,
        freshness,
        durationMs: DURATION_MS,
        hits: HITS,
      });

      expect(counts.stale).toEqual([]);
      // Otherwise nothing was proved.
      expect(counts.hits).toBeGreaterThanOrEqual(HITS);
      expect(counts.othersSeen).toBeGreaterThan(3);
      expect(counts.killed).toBeGreaterThan(0);
      expect(counts.threadsEnded).toBeGreaterThan(0);
    },
  );
});
