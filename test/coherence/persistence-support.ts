import { onTestFinished } from "vitest";
import { sqliteTier } from "../../src/cache/index.ts";
import { type Clock, systemClock } from "../../src/core/clock.ts";
import { open } from "../../src/index.ts";
import type { CachedOptions, CachingOptions } from "../../src/open/caching-options.ts";
import { temporaryPath } from "../sqlite/support.ts";
import { openWeeks, Task, Week } from "./support.ts";

/** Waits for a tier as long as it takes: machines that run tests have more to do. */
export const patientClock: Clock = {
  ...systemClock,
  schedule: () => ({ [Symbol.dispose]: () => undefined }),
};

/** A file with the weeks of `openWeeks`, closed, and a file for a tier. */
export async function weeksFile() {
  const { db, path } = await openWeeks();
  // Prepares the log, so that those who open the file later change no schema.
  await db.cached("prepare", (q) => q.selectFrom("weeks").selectAll().execute())();
  await db.close();
  return { path, tierPath: temporaryPath("tier.db") };
}

export interface Opening {
  readonly path: string;
  readonly tierPath: string;
  readonly cache?: CachingOptions;
  readonly cached?: CachedOptions;
  readonly readOnly?: boolean;
  readonly clock?: Clock;
}

/** Opens the file with a tier, as a new process does, and counts the runs of a function. */
export async function openStored({
  path,
  tierPath,
  cache,
  cached,
  readOnly = false,
  clock = patientClock,
}: Opening) {
  const db = await open({
    url: `sqlite:///${path}`,
    entities: [Week, Task],
    readOnly,
    cache: { freshness: "strict", tiers: [sqliteTier({ path: tierPath })], ...cache },
    clock,
  });
  onTestFinished(() => db.close());
  const counted = { runs: 0 };
  const seconds = db.cached(
    "seconds",
    async (q, weekId: number) => {
      counted.runs++;
      const { total } = await q
        .selectFrom("tasks")
        .select((e) => e.fn.sum<number>("seconds").as("total"))
        .where("week_id", "=", weekId)
        .executeTakeFirstOrThrow();
      return total;
    },
    { version: 1, ...cached },
  );
  return { db, seconds, counted };
}
