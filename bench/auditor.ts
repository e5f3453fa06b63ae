/**
 * The auditor with the data set of the origin's size: what a week of 5,000 tasks takes to read, the
 * memory of a program that does not load everything, and whether a live view holds up others.
 *
 * "Cold" is a read whose result a write has just dropped: each round writes a task of the week
 * first. "Warm" is a read from memory.
 */

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { type AuditorDatabase, openAuditor } from "../examples/auditor/database.ts";
import { ForeignProcess } from "../examples/auditor/foreign-process.ts";
import { generateWeeks, WEEK_SIZES } from "../examples/auditor/generate.ts";
import { importGenerated } from "../examples/auditor/import-generated.ts";
import { setDuration } from "../examples/auditor/mixed-writes.ts";
import { countStatistics } from "../examples/auditor/statistics.ts";
import { WeekReads } from "../examples/auditor/week-reads.ts";
import type { BenchOptions, BenchResult } from "./bench.ts";
import { longestGap } from "./event-loop/gap.ts";
import { buildOnce, median, timeMs, withFolder } from "./support.ts";

const WEEK_TASKS = 5_000;
const PAGE_ROWS = 20;
const HITS = 50_000;
/** The set so many times over is a year of weeks. */
const YEAR_SETS = 5;

/** Runs the bench. */
export function run({ quick }: BenchOptions): Promise<BenchResult> {
  buildOnce();
  return withFolder(async (folder) => {
    const path = join(folder, "auditor.db");
    const rounds = quick ? 5 : 21;
    const reads = await measure(path, rounds);
    const tasks = WEEK_SIZES.reduce((sum, size) => sum + size);
    const small = memoryOf(path);
    const large = memoryOf(await makeYear(join(folder, "year.db")));
    return {
      bench: "auditor",
      figures: {
        ...reads,
        memory_share: large.cachedMb / large.allMb,
        memory_all_mb: large.allMb,
        memory_cached_mb: large.cachedMb,
        small_memory_share: small.cachedMb / small.allMb,
      },
      targets: {
        week_cold_ms: { atMost: 50 },
        analytics_cold_ms: { atMost: 100 },
        analytics_warm_us: { atMost: 50 },
        memory_share: { atMost: 0.6 },
        longest_gap_ms: { atMost: 10 },
      },
      notes: [
        `${tasks} tasks, the week has ${WEEK_TASKS} of them; medians of ${rounds} rounds`,
        "week_cold_ms: all tasks of the week; page_cold_ms: the 20 newest",
        "memory: resident, of a process that loads all tasks and of one with the cached reads,",
        `for ${YEAR_SETS * tasks} tasks in ${YEAR_SETS * WEEK_SIZES.length} weeks; small: ${tasks}`,
        "longest_gap_ms: figures, list and newest tasks are live, two processes write",
      ],
    };
  });
}

async function measure(path: string, rounds: number): Promise<Record<string, number>> {
  await using db = await openAuditor(path);
  await importGenerated(db, generateWeeks());
  const weekId = WEEK_SIZES.indexOf(WEEK_TASKS) + 1;
  const reads = new WeekReads(db);
  const figures: Record<string, number> = {};
  const cold = async (name: string, read: () => Promise<unknown>): Promise<void> => {
    const times: number[] = [];
    for (let round = 1; round <= rounds; round++) {
      await touch(db, weekId, round);
      times.push(await timeMs(read));
    }
    figures[name] = median(times);
  };
  await cold("week_cold_ms", () => reads.getWeekTasks(weekId));
  await cold("page_cold_ms", () => reads.getWeekTasks(weekId, PAGE_ROWS));
  await cold("analytics_cold_ms", () => reads.getWeekAnalytics(weekId));
  await cold("analytics_counted_ms", () => countStatistics(db, weekId));
  await reads.getWeekAnalytics(weekId);
  const warmMs = await timeMs(async () => {
    for (let hit = 0; hit < HITS; hit++) await reads.getWeekAnalytics(weekId);
  });
  figures["analytics_warm_us"] = (warmMs * 1_000) / HITS;
  const gaps: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const gap = await longestGap(() => watchBriefly(db, path, reads, weekId));
    if (round > 0) gaps.push(gap.ownMs);
  }
  figures["longest_gap_ms"] = median(gaps);
  return figures;
}

/** Changes a task of the week. */
async function touch(db: AuditorDatabase, weekId: number, seconds: number): Promise<void> {
  const { rows } = await db.execute("SELECT min(id) AS id FROM tasks WHERE week_id = ?", [weekId]);
  const { sql, parameters } = setDuration(Number(rows[0]?.["id"]), seconds);
  await db.execute(sql, parameters);
}

/** A live view of the week while this process and a second one write to it. */
async function watchBriefly(
  db: AuditorDatabase,
  path: string,
  reads: WeekReads,
  weekId: number,
): Promise<void> {
  const writes = 50;
  const end = new AbortController();
  const { signal } = end;
  const views = [
    db.live(reads.weekAnalytics, weekId, "all").values({ signal }),
    db.live(reads.weekTasks, weekId, PAGE_ROWS, 0).values({ signal }),
    db.live(reads.weekList).values({ signal }),
  ];
  const loops = views.map(async (view) => {
    for await (const _ of view);
  });
  await using foreign = new ForeignProcess(path);
  const { rows } = await db.execute("SELECT max(id) AS id FROM tasks WHERE week_id = ?", [weekId]);
  const id = Number(rows[0]?.["id"]);
  const others = foreign.write(Array.from({ length: writes }, (_, at) => setDuration(id, at)));
  for (let round = 1; round <= writes; round++) await touch(db, weekId, round);
  await others;
  end.abort();
  await Promise.allSettled(loops);
}

/** A file with a year of weeks. */
async function makeYear(path: string): Promise<string> {
  await using db = await openAuditor(path);
  const sizes = Array.from({ length: YEAR_SETS }, () => WEEK_SIZES).flat();
  const weeks = [...generateWeeks(1, sizes)];
  while (weeks.length > 0) await importGenerated(db, weeks.splice(0, WEEK_SIZES.length));
  return path;
}

/** Resident memory of both kinds of programs. */
function memoryOf(path: string): { readonly allMb: number; readonly cachedMb: number } {
  return { allMb: residentBytes("all", path) / 1e6, cachedMb: residentBytes("cached", path) / 1e6 };
}

function residentBytes(mode: "all" | "cached", path: string): number {
  const script = join(import.meta.dirname, "auditor/memory.ts");
  const { stdout, stderr, status } = spawnSync(process.execPath, [script, mode, path], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`${mode}: ${stderr}`);
  return (JSON.parse(stdout) as { readonly bytes: number }).bytes;
}
