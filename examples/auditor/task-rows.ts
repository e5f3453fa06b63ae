/**
 * Rows of many tasks and events for imports: plain SQL with plain parameters, so that a stream of
 * any length can be written without an object for each row of the database.
 */

import { displayDuration } from "./durations.ts";

/** What the database stores. */
export type Parameter = string | number | null;

/** A task as importers make it; moments in UTC milliseconds. */
export interface NewTask {
  readonly attemptId: string;
  readonly durationSeconds: number;
  readonly projectId: string;
  readonly projectName: string;
  readonly operationId: string;
  readonly timeLimitSeconds: number;
  readonly dateAudited: string | null;
  readonly score: number;
  readonly feedback: string;
  readonly locale: string;
  readonly bonusPaid: boolean;
  readonly beginMs: number | null;
  readonly endMs: number | null;
  readonly createdMs: number;
}

/** Inserts a task; the parameters come from `taskRow`. */
export const INSERT_TASK = `INSERT INTO tasks (
  id, week_id, attempt_id, duration_seconds, duration_display, project_id, project_name,
  operation_id, time_limit_seconds, time_limit_display, date_audited, score, feedback, locale,
  bonus_paid, time_begin, time_end, created_at, updated_at
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;

/** The parameters of `INSERT_TASK`; with id null the database numbers the row. */
export function taskRow(id: number | null, weekId: number, task: NewTask): Parameter[] {
  return [
    id,
    weekId,
    task.attemptId,
    task.durationSeconds,
    displayDuration(task.durationSeconds),
    task.projectId,
    task.projectName,
    task.operationId,
    task.timeLimitSeconds,
    displayDuration(task.timeLimitSeconds),
    task.dateAudited,
    task.score,
    task.feedback,
    task.locale,
    task.bonusPaid ? 1 : 0,
    task.beginMs,
    task.endMs,
    task.createdMs,
    task.createdMs,
  ];
}

/** Inserts an event: task, type, moment, JSON or null, seconds added, user action. */
export const INSERT_EVENT = `INSERT INTO task_events (
  task_id, event_type, timestamp, event_data, duration_change, user_action
) VALUES (?, ?, ?, ?, ?, ?)`;

/**
 * Inserts the "task_created" event of every task from an id on. Parameters: how the tasks were
 * made, twice ("import" or "migration"), and the id.
 */
export const INSERT_CREATIONS = `INSERT INTO task_events (
  task_id, event_type, timestamp, event_data, duration_change, user_action
) SELECT id, 'task_created', created_at,
  json_object('week_id', week_id, 'creation_method', ?), duration_seconds, ?
FROM tasks WHERE id >= ? ORDER BY id`;
