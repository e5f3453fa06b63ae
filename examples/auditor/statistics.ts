/**
 * What a week adds up to, computed by one query, so that all figures come from one snapshot; and
 * what the events say about a stretch of time.
 */

import { SpringhouseError } from "springhouse";
import type { AuditorDatabase } from "./database.ts";

/** Time and number of tasks of one project; the names are those of the stored JSON. */
export interface ProjectShare {
  readonly duration: number;
  readonly task_count: number;
}

/** The figures of a week; averages of a week without tasks are 0. */
export interface WeekStatistics {
  readonly weekId: number;
  readonly totalTasks: number;
  readonly totalDurationSeconds: number;
  readonly avgTaskDuration: number;
  readonly avgScore: number;
  /**
   * How many of 100 tasks were done within their time limit; tasks without a limit do not count,
   * and without any limit it is 0.
   */
  readonly productivityScore: number;
  /** The names of all projects, each once, in order. */
  readonly projects: readonly string[];
  /** By project, the one with the most time first. */
  readonly projectBreakdown: Readonly<Record<string, ProjectShare>>;
  /** The short form of the breakdown: seconds by project. */
  readonly projectSeconds: Readonly<Record<string, number>>;
}

/** One figure of a week, or all of them. */
export type Metric = keyof WeekStatistics | "all";

const STATISTICS = `
  SELECT
    w.id AS week_id,
    count(t.id) AS total_tasks,
    coalesce(sum(t.duration_seconds), 0) AS total_duration_seconds,
    coalesce(avg(t.duration_seconds), 0.0) AS avg_task_duration,
    coalesce(avg(t.score), 0.0) AS avg_score,
    coalesce(100.0 * avg(t.duration_seconds <= t.time_limit_seconds)
      FILTER (WHERE t.time_limit_seconds > 0), 0.0) AS productivity_score,
    json_group_array(DISTINCT t.project_name) FILTER (WHERE t.id IS NOT NULL) AS projects,
    (SELECT json_group_array(json_array(project_name, duration, task_count))
      FROM (SELECT project_name, sum(duration_seconds) AS duration, count(*) AS task_count
        FROM tasks WHERE week_id = w.id GROUP BY project_name ORDER BY 2 DESC, 1)
    ) AS breakdown
  FROM weeks w LEFT JOIN tasks t ON t.week_id = w.id
  WHERE w.id = ?
  GROUP BY w.id`;

/** The figures of a week. Throws `NOT_FOUND` when there is none. */
export async function weekStatistics(db: AuditorDatabase, weekId: number): Promise<WeekStatistics> {
  const { rows } = await db.execute(STATISTICS, [weekId]);
  const [row] = rows;
  if (row === undefined) {
    throw new SpringhouseError("NOT_FOUND", `There is no week ${weekId}.`, { fields: { weekId } });
  }
  const breakdown = JSON.parse(String(row["breakdown"])) as [string, number, number][];
  return {
    weekId,
    totalTasks: Number(row["total_tasks"]),
    totalDurationSeconds: Number(row["total_duration_seconds"]),
    avgTaskDuration: Number(row["avg_task_duration"]),
    avgScore: Number(row["avg_score"]),
    productivityScore: Number(row["productivity_score"]),
    projects: (JSON.parse(String(row["projects"])) as string[]).sort(),
    projectBreakdown: Object.fromEntries(
      breakdown.map(([name, duration, count]) => [name, { duration, task_count: count }]),
    ),
    projectSeconds: Object.fromEntries(breakdown.map(([name, duration]) => [name, duration])),
  };
}

/** One figure of a week by its name, or all of them. */
export async function weekAnalytics<M extends Metric = "all">(
  db: AuditorDatabase,
  weekId: number,
  metric: M = "all" as M,
): Promise<M extends keyof WeekStatistics ? WeekStatistics[M] : WeekStatistics> {
  const statistics = await weekStatistics(db, weekId);
  const value = metric === "all" ? statistics : statistics[metric as keyof WeekStatistics];
  return value as M extends keyof WeekStatistics ? WeekStatistics[M] : WeekStatistics;
}

/** What happened on one day (UTC). */
export interface DayActivity {
  readonly day: string;
  readonly events: number;
  readonly tasks: number;
  /** Seconds that were added, less those that were taken away. */
  readonly seconds: number;
}

/** What the events say about the days from `from` to before `to`. */
export async function activity(db: AuditorDatabase, from: Date, to: Date): Promise<DayActivity[]> {
  const { rows } = await db.execute(
    `SELECT date(timestamp / 1000, 'unixepoch') AS day, count(*) AS events,
       count(DISTINCT task_id) AS tasks, sum(duration_change) AS seconds
     FROM task_events WHERE timestamp >= ? AND timestamp < ?
     GROUP BY day ORDER BY day`,
    [from.getTime(), to.getTime()],
  );
  return rows.map((row) => ({
    day: String(row["day"]),
    events: Number(row["events"]),
    tasks: Number(row["tasks"]),
    seconds: Number(row["seconds"]),
  }));
}
