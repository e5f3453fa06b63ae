/**
 * What a commit costs that touches ten live queries, when there are ten of them and when there are
 * ten thousand: from the write to the tenth delivery.
 */

import { join } from "node:path";
import { entity, open, t } from "../src/index.ts";
import type { BenchOptions, BenchResult } from "./bench.ts";
import { median, withFolder } from "./support.ts";

const Task = entity("tasks", {
  id: t.int().primaryKey(),
  weekId: t.int().index(),
  seconds: t.int().default(0),
});

const TOUCHED = 10;
const MANY = 10_000;
const ROWS_PER_WEEK = 5;

/** Runs the bench. */
export function run(options: BenchOptions): Promise<BenchResult> {
  return withFolder((folder) => measure(folder, options));
}

async function measure(folder: string, { quick }: BenchOptions): Promise<BenchResult> {
  const rounds = quick ? 30 : 200;
  const few = await openLive(join(folder, "few.db"), TOUCHED);
  const many = await openLive(join(folder, "many.db"), MANY);
  const [fewMs, manyMs]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    fewMs.push(await few.touchMs(round));
    manyMs.push(await many.touchMs(round));
  }
  await few.close();
  await many.close();
  return {
    bench: "live",
    figures: {
      cost_10000_over_10: median(manyMs) / median(fewMs),
      ms_10: median(fewMs),
      ms_10000: median(manyMs),
      subscribe_10000_ms: many.subscribeMs,
    },
    targets: { cost_10000_over_10: { atMost: 1.5 } },
    notes: [
      `${rounds} commits of one row in each of ten weeks, in alternation; medians`,
      "from the write to the delivery of the tenth result; one query is one week of five tasks",
    ],
  };
}

interface Live {
  readonly subscribeMs: number;
  touchMs(round: number): Promise<number>;
  close(): Promise<void>;
}

async function openLive(path: string, queries: number): Promise<Live> {
  const db = await open({
    url: `sqlite:///${path}`,
    entities: [Task],
    cache: { maxEntries: MANY },
  });
  await db.executeMany(
    "INSERT INTO tasks (week_id, seconds) VALUES (?, 0)",
    Array.from({ length: queries * ROWS_PER_WEEK }, (_, row) => [row % queries]),
  );
  const week = db.cached("week", (q, weekId: number) =>
    q.selectFrom("tasks").selectAll().where("week_id", "=", weekId).execute(),
  );
  let delivered = 0;
  let waiting = { count: queries, resolve: (): void => undefined };
  const consume = async (weekId: number): Promise<void> => {
    for await (const _ of db.live(week, weekId)) {
      delivered++;
      if (delivered === waiting.count) waiting.resolve();
    }
  };
  const deliveries = (count: number): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    delivered = 0;
    waiting = { count, resolve };
    return promise;
  };
  const startMs = performance.now();
  const all = deliveries(queries);
  const loops = Array.from({ length: queries }, (_, weekId) =>
    consume(weekId).catch(() => undefined),
  );
  await all;
  const subscribeMs = performance.now() - startMs;
  return {
    subscribeMs,
    async touchMs(round) {
      const done = deliveries(TOUCHED);
      const sinceMs = performance.now();
      await db.execute(
        `UPDATE tasks SET seconds = ${round + 1} WHERE id IN (SELECT min(id) FROM tasks ` +
          `WHERE week_id < ${TOUCHED} GROUP BY week_id)`,
      );
      await done;
      return performance.now() - sinceMs;
    },
    async close() {
      await db.close();
      await Promise.all(loops);
    },
  };
}
