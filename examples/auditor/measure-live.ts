/** Counts what a live query tells of commits of this process and of another one, and how soon. */

import { once } from "node:events";
import { Auditor } from "./auditor.ts";
import { type AuditorDatabase, openAuditor } from "./database.ts";
import { ForeignProcess } from "./foreign-process.ts";
import { setDuration } from "./mixed-writes.ts";
import { WeekReads } from "./week-reads.ts";

/** Commits of each of the two processes. */
const COMMITS = 25;
/** One that is not told of by then never will be. */
const DEADLINE_MS = 30_000;

/** What was seen of the commits of one process. */
export interface LiveUpdates {
  readonly commits: number;
  /** How many of them the live query told of. */
  readonly seen: number;
  /** From before the commit to the update, milliseconds; 0 when none was seen. */
  readonly medianMs: number;
}

/** Own commits, and those of the second process. */
export interface LiveReport {
  readonly own: LiveUpdates;
  readonly foreign: LiveUpdates;
}

/** Watches the total time of a week of its own, which it removes again. */
export async function measureLive(path: string, signal?: AbortSignal): Promise<LiveReport> {
  await using db = await openAuditor(path);
  await using foreign = new ForeignProcess(path);
  const auditor = new Auditor(db);
  const week = await auditor.createWeek({ label: "measurement of live updates" });
  const { id } = await auditor.createTask({ weekId: week.id });
  const deadline = AbortSignal.timeout(DEADLINE_MS);
  const updates = new Totals(db, week.id, signal ? AbortSignal.any([signal, deadline]) : deadline);
  const set = (seconds: number) => setDuration(id, seconds);
  const own = await measure(updates, 1, (seconds) => {
    const { sql, parameters } = set(seconds);
    return db.execute(sql, parameters);
  });
  const others = await measure(updates, COMMITS + 1, (seconds) => foreign.write([set(seconds)]));
  await updates.end();
  signal?.throwIfAborted();
  await auditor.deleteWeek(week.id);
  return { own, foreign: others };
}

/** Commits durations from `first` on, one after the other, each when the one before was seen. */
async function measure(
  totals: Totals,
  first: number,
  commit: (seconds: number) => Promise<unknown>,
): Promise<LiveUpdates> {
  const times: number[] = [];
  for (let seconds = first; seconds < first + COMMITS; seconds++) {
    const startMs = performance.now();
    const seen = totals.until(seconds);
    await commit(seconds);
    if (!(await seen)) break;
    times.push(performance.now() - startMs);
  }
  times.sort((a, b) => a - b);
  const medianMs = times[Math.floor(times.length / 2)] ?? 0;
  return { commits: COMMITS, seen: times.length, medianMs };
}

/** The total time of a week, as a live query tells it. */
class Totals {
  readonly #end = new AbortController();
  readonly #loop: Promise<void>;
  readonly #heard = new EventTarget();
  #total: number | undefined;

  constructor(db: AuditorDatabase, weekId: number, signal: AbortSignal) {
    const reads = new WeekReads(db);
    const either = AbortSignal.any([signal, this.#end.signal]);
    const live = db.live(reads.weekAnalytics, weekId, "totalDurationSeconds");
    this.#loop = this.#follow(live.values({ signal: either }), either);
  }

  /** Resolves with true when the total is told, with false when the loop has ended before. */
  async until(total: number): Promise<boolean> {
    while (this.#total !== total) {
      const told = once(this.#heard, "total").then(() => true);
      if (!(await Promise.race([told, this.#loop.then(() => false)]))) return false;
    }
    return true;
  }

  end(): Promise<void> {
    this.#end.abort();
    return this.#loop;
  }

  async #follow(totals: AsyncIterable<unknown>, signal: AbortSignal): Promise<void> {
    try {
      for await (const total of totals) {
        this.#total = Number(total);
        this.#heard.dispatchEvent(new Event("total"));
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
}
