/**
 * What a week adds up to: read from the rollups, or counted from the tasks to check them. And what
 * the events say about a stretch of time.
 */

import { SpringhouseError } from "springhouse";
import type { AuditorDatabase, AuditorQuery } from "./database.ts";

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

/** The value of a metric. */
export type MetricValue<M extends Metric> = M extends keyof WeekStatistics
  ? WeekStatistics[M]
  : WeekStatistics;

/** Gives one figure by its name, or all of them. */
export function metricOf<M extends Metric>(figures: WeekStatistics, metric: M): MetricValue<M> {
  const value = metric === "all" ? figures : figures[metric as keyof WeekStatistics];
  return value as MetricValue<M>;
}

/**
 * Reads the figures of a week from the rollups. Inside of a cached function all of it is one
 * snapshot. Throws `NOT_FOUND` when there is no such week.
 */
export async function readStatistics(q: AuditorQuery, weekId: number): Promise<WeekStatistics> {
  // The joins name the week once more, so that it is known of each rollup which group is read.
  const week = await q
    .selectFrom("weeks")
    .leftJoin("week_totals as t", (join) => join.on("t.week_id", "=", weekId))
    .leftJoin("week_limited as l", (join) => join.on("l.week_id", "=", weekId))
    .leftJoin("week_punctual as p", (join) => join.on("p.week_id", "=", weekId))
    .select(["t.total_tasks", "t.total_duration_seconds", "t.avg_task_duration", "t.avg_score"])
    .select(["l.tasks as limited", "p.tasks as punctual"])
    .where("weeks.id", "=", weekId)
    .executeTakeFirst();
  if (week === undefined) throw noWeek(weekId);
  const projects = await q
    .selectFrom("week_projects")
    .select(["project_name", "duration_seconds", "task_count"])
    .where("week_id", "=", weekId)
    .orderBy("duration_seconds", "desc")
    .orderBy("project_name")
    .execute();
  return {
    weekId,
    totalTasks: week.total_tasks ?? 0,
    totalDurationSeconds: week.total_duration_seconds ?? 0,
    avgTaskDuration: week.avg_task_duration ?? 0,
    avgScore: week.avg_score ?? 0,
    productivityScore: week.limited === null ? 0 : (100 * (week.punctual ?? 0)) / week.limited,
    ...breakdownOf(projects.map((row) => [row.project_name, row.duration_seconds, row.task_count])),
  };
}

/** The same figures counted from the tasks, by one plain statement; `weekStatisticsOf` reads it. */
export const COUNT_STATISTICS = `
  SELECT
    w.id AS week_id,
    count(t.id) AS total_tasks,
    coalesce(sum(t.duration_seconds), 0) AS total_duration_seconds,
    coalesce(avg(t.duration_seconds), 0.0) AS avg_task_duration,
    coalesce(avg(t.score), 0.0) AS avg_score,
    coalesce(100.0 * sum(t.duration_seconds <= t.time_limit_seconds)
      FILTER (WHERE t.time_limit_seconds > 0) / count(*)
      FILTER (WHERE t.time_limit_seconds > 0), 0.0) AS productivity_score,
    (SELECT json_group_array(json_array(project_name, duration, task_count))
      FROM (SELECT project_name, sum(duration_seconds) AS duration, count(*) AS task_count
        FROM tasks WHERE week_id = w.id GROUP BY project_name ORDER BY 2 DESC, 1)
    ) AS breakdown
  FROM weeks w LEFT JOIN tasks t ON t.week_id = w.id
  WHERE w.id = ?
  GROUP BY w.id`;

/** Counts the figures of a week, past rollups and cache. Throws `NOT_FOUND` when there is none. */
export async function countStatistics(
  db: AuditorDatabase,
  weekId: number,
): Promise<WeekStatistics> {
  const { rows } = await db.execute(COUNT_STATISTICS, [weekId]);
  const [row] = rows;
  if (row === undefined) throw noWeek(weekId);
  return weekStatisticsOf(row);
}

/** The figures in a row of `COUNT_STATISTICS`. */
export function weekStatisticsOf(row: Readonly<Record<string, unknown>>): WeekStatistics {
  return {
    weekId: Number(row["week_id"]),
    totalTasks: Number(row["total_tasks"]),
    totalDurationSeconds: Number(row["total_duration_seconds"]),
    avgTaskDuration: Number(row["avg_task_duration"]),
    avgScore: Number(row["avg_score"]),
    productivityScore: Number(row["productivity_score"]),
    ...breakdownOf(JSON.parse(String(row["breakdown"])) as Share[]),
  };
}

/** A project with its seconds and tasks. */
type Share = readonly [string, number, number];
type Breakdown = Pick<WeekStatistics, "projects" | "projectBreakdown" | "projectSeconds">;

function breakdownOf(shares: readonly Share[]): Breakdown {
  const full = shares.map(([name, duration, tasks]) => [name, { duration, task_count: tasks }]);
  return {
    projects: shares.map(([name]) => name).sort(),
    projectBreakdown: Object.fromEntries(full),
    projectSeconds: Object.fromEntries(shares.map(([name, duration]) => [name, duration])),
  };
}

/**
 * Reads a stored breakdown in either of the forms that the plan has for it: seconds by project, or
 * time and tasks by project, of which the seconds are taken.
 */
export function readBreakdown(json: string): Readonly<Record<string, number>> {
  const stored = JSON.parse(json) as Readonly<Record<string, number | ProjectShare>>;
  const seconds = Object.entries(stored).map(([name, share]) => [
    name,
    typeof share === "number" ? share : share.duration,
  ]);
  return Object.fromEntries(seconds);
}

function noWeek(weekId: number): SpringhouseError {
  return new SpringhouseError("NOT_FOUND", `There is no week ${weekId}.`, { fields: { weekId } });
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
