/**
 * Measures durable writes, with tasks in a week that is removed again, and the time of reads with
 * and without the cache.
 */

import type { AuditorDatabase } from "./database.ts";
import { Task, Week } from "./schema.ts";
import { countStatistics } from "./statistics.ts";
import { WeekReads } from "./week-reads.ts";

/** Repetitions behind a median; odd, so that there is a middle one. */
const REPETITIONS = 21;
/** Reads from memory behind a mean. */
const HITS = 20_000;

/** Writes a second by a number of callers, each of which waits for its write. */
export interface WriteRate {
  readonly callers: number;
  readonly writes: number;
  readonly perSecond: number;
  /** The slowest of 99 in 100 writes, milliseconds. */
  readonly p99Ms: number;
}

/** How long a read takes, milliseconds. */
export interface ReadTime {
  readonly firstMs: number;
  readonly medianMs: number;
}

/** Lets `callers` create tasks for `durationMs`, each after the other, and counts them. */
export async function measureWrites(
  db: AuditorDatabase,
  callers: number,
  durationMs: number,
  signal?: AbortSignal,
): Promise<WriteRate> {
  const weeks = db.repository(Week);
  const week = await weeks.create({ label: `measurement with ${callers} callers` });
  const tasks = db.repository(Task);
  const times: number[] = [];
  const startMs = performance.now();
  const endMs = startMs + durationMs;
  const call = async (): Promise<void> => {
    while (performance.now() < endMs) {
      signal?.throwIfAborted();
      const beforeMs = performance.now();
      await tasks.create({ weekId: week.id, projectName: "measurement" });
      times.push(performance.now() - beforeMs);
    }
  };
  let perSecond = 0;
  try {
    await Promise.all(Array.from({ length: callers }, call));
    perSecond = Math.round((times.length * 1_000) / (performance.now() - startMs));
  } finally {
    if (signal?.aborted !== true) await weeks.delete(week.id);
  }
  times.sort((a, b) => a - b);
  const p99Ms = times[Math.floor(times.length * 0.99)] ?? 0;
  return { callers, writes: times.length, perSecond, p99Ms };
}

/** Runs a read several times: the last result, the first time and the median. */
export async function measureRead<T>(read: () => Promise<T>): Promise<ReadTime & { result: T }> {
  const times: number[] = [];
  let result: T;
  do {
    const startMs = performance.now();
    result = await read();
    times.push(performance.now() - startMs);
  } while (times.length < REPETITIONS);
  const [firstMs = 0] = times;
  const medianMs = times.sort((a, b) => a - b)[Math.floor(REPETITIONS / 2)] ?? 0;
  return { result, firstMs, medianMs };
}

/** The figures of weeks: counted, computed for the cache, and from it. */
export interface CacheTimes {
  /** The week that is counted and hit. */
  readonly tasks: number;
  /** Counting its tasks, median, milliseconds. */
  readonly uncachedMs: number;
  /** The first read of each of the largest weeks, median, milliseconds. */
  readonly coldMs: number;
  /** A read from memory, mean, microseconds. */
  readonly warmUs: number;
}

/** Measures cached and uncached figures; `weekIds` begins with the largest week. */
export async function measureCache(
  db: AuditorDatabase,
  weekIds: readonly number[],
): Promise<CacheTimes> {
  const [largest = 0] = weekIds;
  const reads = new WeekReads(db);
  const uncached = await measureRead(() => countStatistics(db, largest));
  const cold: number[] = [];
  for (const weekId of weekIds.slice(0, REPETITIONS)) {
    const startMs = performance.now();
    await reads.getWeekAnalytics(weekId);
    cold.push(performance.now() - startMs);
  }
  cold.sort((a, b) => a - b);
  const startMs = performance.now();
  for (let hit = 0; hit < HITS; hit++) await reads.getWeekAnalytics(largest);
  return {
    tasks: uncached.result.totalTasks,
    uncachedMs: uncached.medianMs,
    coldMs: cold[Math.floor(cold.length / 2)] ?? 0,
    warmUs: ((performance.now() - startMs) * 1_000) / HITS,
  };
}
