/**
 * What is known of every week without counting its tasks: four rollups, which triggers keep in the
 * transaction of each write, and `week_statistics`, the view under the names of the origin's plan.
 */

import { avg, count, rollup, sum } from "springhouse";
import { Task } from "./schema.ts";

const by = { weekId: Task.weekId };

/** Totals and means of each week that has tasks. */
export const WeekTotals = rollup("week_totals", Task, {
  by,
  measures: {
    totalTasks: count(),
    totalDurationSeconds: sum(Task.durationSeconds),
    avgTaskDuration: avg(Task.durationSeconds),
    avgScore: avg(Task.score),
  },
});

/** Time and tasks of each project in each week. */
export const WeekProjects = rollup("week_projects", Task, {
  by: { ...by, projectName: Task.projectName },
  measures: { taskCount: count(), durationSeconds: sum(Task.durationSeconds) },
});

/** Tasks of each week that have a time limit. */
export const WeekLimited = rollup("week_limited", Task, {
  by,
  measures: { tasks: count() },
  where: "time_limit_seconds > 0",
});

/** Those of them that were done within it. */
export const WeekPunctual = rollup("week_punctual", Task, {
  by,
  measures: { tasks: count() },
  where: "time_limit_seconds > 0 AND duration_seconds <= time_limit_seconds",
});

/** All of them. */
export const ROLLUPS = [WeekTotals, WeekProjects, WeekLimited, WeekPunctual] as const;

const PROJECTS = `(SELECT project_name, duration_seconds, task_count FROM week_projects
      WHERE week_id = w.id ORDER BY duration_seconds DESC, project_name)`;

/**
 * The plan's table `week_statistics`, for every reader of SQL. Its `project_breakdown` is seconds
 * by project, as the plan documents it; `project_shares` has what its code stores. The figures are
 * those of the moment of the reading, and so is `last_calculated`: they are never out of date.
 */
export const WEEK_STATISTICS = `CREATE VIEW week_statistics AS
  SELECT
    w.id AS week_id,
    coalesce(t.total_tasks, 0) AS total_tasks,
    coalesce(t.total_duration_seconds, 0) AS total_duration_seconds,
    coalesce(t.avg_task_duration, 0.0) AS avg_task_duration,
    coalesce(t.avg_score, 0.0) AS avg_score,
    (SELECT json_group_object(project_name, duration_seconds) FROM ${PROJECTS}
    ) AS project_breakdown,
    coalesce(100.0 * p.tasks / l.tasks, 0.0) AS productivity_score,
    CAST(unixepoch('subsec') * 1000 AS INTEGER) AS last_calculated,
    (SELECT json_group_object(project_name,
        json_object('duration', duration_seconds, 'task_count', task_count)) FROM ${PROJECTS}
    ) AS project_shares
  FROM weeks w
    LEFT JOIN week_totals t ON t.week_id = w.id
    LEFT JOIN week_limited l ON l.week_id = w.id
    LEFT JOIN week_punctual p ON p.week_id = w.id`;
