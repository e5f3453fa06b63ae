/**
 * The auditor's five tables, under the column and index names of the origin's plan.
 *
 * The new file has one table of tasks, called `tasks`: the plan's `tasks_optimized` would stand
 * beside a second table of the same rows with nothing to keep the two equal. The old file stays as
 * it is, and `migrate-legacy.ts` builds this one next to it.
 *
 * Moments are UTC milliseconds, days ISO text, flags booleans; all tables are STRICT.
 */

import { entity, t } from "springhouse";
import { DURATION_SECONDS_MAX } from "./durations.ts";

/** What can happen to a task. */
export const EVENT_TYPES = [
  "task_created",
  "task_updated",
  "duration_updated",
  "timer_start",
  "timer_stop",
] as const;
export type EventType = (typeof EVENT_TYPES)[number];

/** Who or what did it. */
export const USER_ACTIONS = ["manual", "timer", "import", "migration"] as const;
export type UserAction = (typeof USER_ACTIONS)[number];

/** How the text of a setting is to be read. */
export const SETTING_TYPES = ["integer", "float", "boolean", "time", "string"] as const;

/** Days of the week: 1 is Monday, 7 is Sunday. */
const day = t.int({ min: 1, max: 7 });
const hour = t.int({ min: 0, max: 23 });
const bonusDay = t.int({ min: 0, max: 7 }).nullable();
const seconds = t.int({ min: 0, max: DURATION_SECONDS_MAX }).default(0);
const display = t.text().default("00:00:00");

/** A week of audited work, with the bonus and office-hour settings of its own. */
export const Week = entity("weeks", {
  id: t.int().primaryKey(),
  label: t.text({ minLength: 1, maxLength: 100 }).unique().column("week_label"),
  weekStartDay: day.default(1),
  weekStartHour: hour.default(0),
  weekEndDay: day.default(7),
  weekEndHour: hour.default(23),
  isCustomDuration: t.boolean().default(false),
  isBonusWeek: t.boolean().default(false),
  weekSpecificBonusPayrate: t.real().nullable(),
  weekSpecificBonusStartDay: bonusDay,
  weekSpecificBonusStartTime: t.text().nullable(),
  weekSpecificBonusEndDay: bonusDay,
  weekSpecificBonusEndTime: t.text().nullable(),
  weekSpecificEnableTaskBonus: t.boolean().nullable(),
  weekSpecificBonusTaskThreshold: t.int().nullable(),
  weekSpecificBonusAdditionalAmount: t.real().nullable(),
  useGlobalBonusSettings: t.boolean().default(true),
  officeHourCount: t.int().default(0),
  officeHourPayrate: t.real().nullable(),
  officeHourSessionDurationMinutes: t.int().nullable(),
  useGlobalOfficeHoursSettings: t.boolean().default(true),
});

/** One audited task. Both forms of a duration are written together (`durations.ts`). */
export const Task = entity(
  "tasks",
  {
    id: t.int().primaryKey(),
    weekId: t.int().references("weeks.id", { onDelete: "cascade" }).index(),
    attemptId: t.text().default(""),
    durationSeconds: seconds.index(),
    durationDisplay: display,
    projectId: t.text().default("").index(),
    projectName: t.text().default(""),
    operationId: t.text().default(""),
    timeLimitSeconds: seconds,
    timeLimitDisplay: display,
    dateAudited: t.date().nullable().index(),
    score: t.int({ min: 0 }).default(0),
    feedback: t.text().default(""),
    locale: t.text().default(""),
    bonusPaid: t.boolean().default(false),
    timeBegin: t.timestamp().nullable(),
    timeEnd: t.timestamp().nullable(),
    createdAt: t.timestamp().defaultNow().index(),
    updatedAt: t.timestamp().defaultNow().onUpdateNow(),
  },
  {
    indexes: [
      // Serves a week's page in its order, and finds the place of a cursor.
      { on: ["weekId", { createdAt: "desc" }, "id"], name: "idx_tasks_week_page" },
      // Covers totals and the breakdown by project.
      {
        on: ["weekId", "projectName", "durationSeconds"],
        name: "idx_tasks_week_projects",
      },
    ],
    checks: [
      { name: "duration_display_is_duration", expression: displayIs("duration") },
      { name: "time_limit_display_is_time_limit", expression: displayIs("time_limit") },
    ],
  },
);

/** What happened to a task and when; the durations of a task's events add up to its own. */
export const TaskEvent = entity(
  "task_events",
  {
    id: t.int().primaryKey(),
    taskId: t.int().references("tasks.id", { onDelete: "cascade" }),
    eventType: t.enum(EVENT_TYPES),
    timestamp: t.timestamp().defaultNow(),
    eventData: t.json<Readonly<Record<string, unknown>>>().nullable(),
    durationChange: t.int().default(0),
    userAction: t.enum(USER_ACTIONS),
  },
  {
    indexes: [
      { on: ["taskId"], name: "idx_events_task_id" },
      { on: ["timestamp"], name: "idx_events_timestamp" },
      { on: ["eventType"], name: "idx_events_type" },
    ],
  },
);

/** A long feedback, as a Markdown text. */
export const FeedbackFile = entity("feedback_files", {
  id: t.int().primaryKey(),
  taskId: t.int().references("tasks.id", { onDelete: "cascade" }).index(),
  content: t.text().nullable(),
});

/** A setting of the whole application, such as the bonus that weeks share. */
export const AppSetting = entity("app_settings", {
  id: t.int().primaryKey(),
  settingKey: t.text({ minLength: 1 }).unique(),
  settingValue: t.text().nullable(),
  settingType: t.enum(SETTING_TYPES).default("string"),
});

/** All of them, a table before those that refer to it. */
export const ENTITIES = [Week, Task, TaskEvent, FeedbackFile, AppSetting] as const;

/** SQL: the display of a duration says the same as its seconds. */
function displayIs(name: string): string {
  const total = `${name}_seconds`;
  const parts = `${total} / 3600, ${total} / 60 % 60, ${total} % 60`;
  return `${name}_display = printf('%02d:%02d:%02d', ${parts})`;
}
