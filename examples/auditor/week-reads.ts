/**
 * The reads that a window on a week asks for again and again, cached under the names of the plan:
 * `getWeekData`, `getWeekTasks`, `getWeekAnalytics`.
 *
 * Nothing here says what invalidates what, and nothing has a time to live: a commit of whatever
 * program drops exactly the results that it has made wrong. So the plan's `max_age_minutes` and
 * `invalidate_task_caches` have nothing left to do.
 */

import type { CachedFunction, CachedOptions } from "springhouse";
import type { TaskRow, WeekRow } from "./auditor.ts";
import type { AuditorDatabase } from "./database.ts";
import { Week } from "./schema.ts";
import {
  type Metric,
  type MetricValue,
  metricOf,
  readStatistics,
  type WeekStatistics,
} from "./statistics.ts";
import { listWeeks, type WeekLine } from "./week-list.ts";

/** Columns of tasks in the order of the plan, as the properties that `TaskRow` has. */
const TASK_COLUMNS = [
  "id",
  "week_id as weekId",
  "attempt_id as attemptId",
  "duration_seconds as durationSeconds",
  "duration_display as durationDisplay",
  "project_id as projectId",
  "project_name as projectName",
  "operation_id as operationId",
  "time_limit_seconds as timeLimitSeconds",
  "time_limit_display as timeLimitDisplay",
  "date_audited as dateAudited",
  "score",
  "feedback",
  "locale",
  "bonus_paid as bonusPaid",
  "time_begin as timeBegin",
  "time_end as timeEnd",
  "created_at as createdAt",
  "updated_at as updatedAt",
] as const;

/** What SQLite takes for a page without an end. */
const NO_LIMIT = -1;

/** The cached reads of one open database; make them once. Results are frozen. */
export class WeekReads {
  /** A week, or null. */
  readonly weekData: CachedFunction<[weekId: number], WeekRow | null>;
  /** Tasks of a week from an offset on, the newest first. */
  readonly weekTasks: CachedFunction<
    [weekId: number, limit: number, offset: number],
    readonly TaskRow[]
  >;
  /** The figures of a week. */
  readonly weekStatistics: CachedFunction<[weekId: number], WeekStatistics>;
  /** One figure of a week, or all of them. */
  readonly weekAnalytics: CachedFunction<[weekId: number, metric: Metric], MetricValue<Metric>>;
  /** All weeks with what is in them. */
  readonly weekList: CachedFunction<[], readonly WeekLine[]>;

  constructor(db: AuditorDatabase, options: CachedOptions = {}) {
    this.weekData = db.cached(
      "getWeekData",
      async (_, weekId: number) => (await db.repository(Week).get(weekId)) ?? null,
      options,
    );
    this.weekTasks = db.cached(
      "getWeekTasks",
      (q, weekId: number, limit: number, offset: number) =>
        q
          .selectFrom("tasks")
          .select(TASK_COLUMNS)
          .where("week_id", "=", weekId)
          .orderBy("created_at", "desc")
          .orderBy("id")
          .limit(limit)
          .offset(offset)
          .execute(),
      options,
    );
    this.weekStatistics = db.cached("weekStatistics", readStatistics, options);
    this.weekAnalytics = db.cached(
      "getWeekAnalytics",
      async (_, weekId: number, metric: Metric) =>
        metricOf(await this.weekStatistics(weekId), metric),
      options,
    );
    this.weekList = db.cached("weekList", listWeeks, options);
  }

  /** A week; null when there is none. */
  getWeekData(weekId: number): Promise<WeekRow | null> {
    return this.weekData(weekId);
  }

  /** Tasks of a week, the newest first. @param limit rows; null for all. 0 gives none. */
  getWeekTasks(
    weekId: number,
    limit: number | null = null,
    offset = 0,
  ): Promise<readonly TaskRow[]> {
    return this.weekTasks(weekId, limit ?? NO_LIMIT, offset);
  }

  /** One figure of a week, or all of them. Throws `NOT_FOUND` when there is no such week. */
  getWeekAnalytics<M extends Metric = "all">(
    weekId: number,
    metric: M = "all" as M,
  ): Promise<MetricValue<M>> {
    return this.weekAnalytics(weekId, metric) as Promise<MetricValue<M>>;
  }
}
