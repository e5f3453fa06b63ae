/**
 * The rows of the origin's `tasks.db`, read into the shapes of the new file.
 *
 * The old tables hold any value in any column, and older files lack the columns that later versions
 * added, so each value is taken as text and parsed; what is NULL, empty or missing gets the
 * origin's default. What cannot be parsed is a problem of that row, named by its id.
 */

import { parseDuration } from "./durations.ts";
import { invalid } from "./invalid.ts";
import { parseDate, parseMoment } from "./moments.ts";
import { parseCount } from "./numbers.ts";
import type { Problem } from "./problems.ts";
import { RowReader } from "./row-reader.ts";
import { SETTING_TYPES } from "./schema.ts";
import type { NewTask, Parameter } from "./task-rows.ts";

/** A row as the database gives it, by column name. */
export type LegacyRow = Readonly<Record<string, unknown>>;

/** A row that was read, with everything that is wrong with it. */
export interface LegacyRead<T> {
  readonly id: number;
  readonly value: T;
  readonly problems: readonly Problem[];
}

/** Columns of a table; only the first ones must be there. */
export interface LegacyTable {
  readonly required: readonly string[];
  readonly optional: readonly string[];
}

/** The tables of the origin. */
export type LegacyTableName = "weeks" | "tasks" | "feedback_files" | "app_settings";

/** A column of `weeks` that is copied: its name, how to read it, and its default. */
type WeekColumn = readonly [string, (text: string) => Parameter, Parameter];

const parseDay = between(1, 7);
const parseHour = between(0, 23);
const parseBonusDay = between(0, 7);
const parseText = (text: string): string => text;

const WEEK_COLUMNS: readonly WeekColumn[] = [
  ["week_start_day", parseDay, 1],
  ["week_start_hour", parseHour, 0],
  ["week_end_day", parseDay, 7],
  ["week_end_hour", parseHour, 23],
  ["is_custom_duration", parseFlag, 0],
  ["is_bonus_week", parseFlag, 0],
  ["week_specific_bonus_payrate", parseReal, null],
  ["week_specific_bonus_start_day", parseBonusDay, null],
  ["week_specific_bonus_start_time", parseText, null],
  ["week_specific_bonus_end_day", parseBonusDay, null],
  ["week_specific_bonus_end_time", parseText, null],
  ["week_specific_enable_task_bonus", parseFlag, null],
  ["week_specific_bonus_task_threshold", parseCount, null],
  ["week_specific_bonus_additional_amount", parseReal, null],
  ["use_global_bonus_settings", parseFlag, 1],
  ["office_hour_count", parseCount, 0],
  ["office_hour_payrate", parseReal, null],
  ["office_hour_session_duration_minutes", parseCount, null],
  ["use_global_office_hours_settings", parseFlag, 1],
];

/** What the old file may contain. */
export const LEGACY_TABLES: Readonly<Record<LegacyTableName, LegacyTable>> = {
  weeks: { required: ["id", "week_label"], optional: WEEK_COLUMNS.map(([name]) => name) },
  tasks: {
    required: ["id", "week_id"],
    optional: [
      "attempt_id",
      "duration",
      "project_id",
      "project_name",
      "operation_id",
      "time_limit",
      "date_audited",
      "score",
      "feedback",
      "locale",
      "bonus_paid",
      "time_begin",
      "time_end",
    ],
  },
  feedback_files: { required: ["id", "task_id"], optional: ["content"] },
  app_settings: {
    required: ["id", "setting_key"],
    optional: ["setting_value", "setting_type"],
  },
};

/** Inserts a week as `readLegacyWeek` gives it. */
export const INSERT_LEGACY_WEEK: string = `INSERT INTO weeks (
  id, week_label, ${WEEK_COLUMNS.map(([name]) => name).join(", ")}
) VALUES (?, ?${", ?".repeat(WEEK_COLUMNS.length)})`;

/** Reads a week into the parameters of `INSERT_LEGACY_WEEK`. */
export function readLegacyWeek(source: LegacyRow): LegacyRead<Parameter[]> {
  const { row, id } = openRow(source);
  const label = row.read("week_label", parseLabel, "");
  const settings = WEEK_COLUMNS.map(([name, parse, byDefault]) =>
    row.readOptional(name, parse, byDefault),
  );
  return { id, value: [id, label, ...settings], problems: row.problems };
}

/** Reads a task. It counts as created when its work began, or on the day it was audited. */
export function readLegacyTask(
  source: LegacyRow,
  nowMs: number,
): LegacyRead<NewTask & { readonly weekId: number }> {
  const { row, id } = openRow(source);
  const dateAudited = row.readOptional<string | null>("date_audited", parseDate, null);
  const beginMs = row.readOptional<number | null>("time_begin", parseMoment, null);
  const value = {
    weekId: row.read("week_id", parseCount, 0),
    attemptId: row.text("attempt_id"),
    durationSeconds: row.readOptional("duration", parseDuration, 0),
    projectId: row.text("project_id"),
    projectName: row.text("project_name"),
    operationId: row.text("operation_id"),
    timeLimitSeconds: row.readOptional("time_limit", parseDuration, 0),
    dateAudited,
    score: row.readOptional("score", parseCount, 0),
    feedback: row.text("feedback"),
    locale: row.text("locale"),
    bonusPaid: row.readOptional("bonus_paid", parseFlag, 0) === 1,
    beginMs,
    endMs: row.readOptional<number | null>("time_end", parseMoment, null),
    createdMs: beginMs ?? (dateAudited === null ? nowMs : parseMoment(dateAudited)),
  };
  return { id, value, problems: row.problems };
}

/** Reads a feedback file: its task and its text. */
export function readLegacyFeedback(
  source: LegacyRow,
): LegacyRead<{ readonly taskId: number; readonly content: string | null }> {
  const { row, id } = openRow(source);
  const taskId = row.read("task_id", parseCount, 0);
  const content = source["content"] == null ? null : row.text("content");
  return { id, value: { taskId, content }, problems: row.problems };
}

/** Reads a setting into key, value and type; the value must be of its type. */
export function readLegacySetting(source: LegacyRow): LegacyRead<Parameter[]> {
  const { row, id } = openRow(source);
  const key = row.read("setting_key", parseLabel, "");
  const type = row.readOptional<SettingType>("setting_type", parseSettingType, "string");
  row.readOptional("setting_value", SETTING_PARSERS[type], "");
  const value = source["setting_value"] == null ? null : row.text("setting_value");
  return { id, value: [key, value, type], problems: row.problems };
}

type SettingType = (typeof SETTING_TYPES)[number];

const SETTING_PARSERS: Readonly<Record<SettingType, (text: string) => unknown>> = {
  integer: parseInteger,
  float: parseReal,
  boolean: parseFlag,
  time: parseTime,
  string: parseText,
};

function openRow(source: LegacyRow): { readonly row: RowReader; readonly id: number } {
  const binary = Object.keys(source).find((name) => source[name] instanceof Uint8Array);
  const id = Number(source["id"]);
  const row = new RowReader(id, (column) => {
    const value = source[column];
    return value == null || value instanceof Uint8Array ? "" : String(value);
  });
  if (binary !== undefined) row.note(binary, "(bytes)", "is binary where a text belongs");
  return { row, id };
}

function parseLabel(text: string): string {
  if (text.trim() !== "" && text.length <= 100) return text;
  throw invalid(text, "is not a name of 1 to 100 characters");
}

function parseFlag(text: string): number {
  const flag = { "0": 0, false: 0, no: 0, "1": 1, true: 1, yes: 1 }[text.trim().toLowerCase()];
  if (flag !== undefined) return flag;
  throw invalid(text, "is neither true nor false");
}

function parseReal(text: string): number {
  const value = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text.trim()) ? Number(text) : NaN;
  if (Number.isFinite(value)) return value;
  throw invalid(text, "is not a number");
}

function parseInteger(text: string): number {
  const value = parseReal(text);
  if (Number.isSafeInteger(value)) return value;
  throw invalid(text, "is not a whole number");
}

function parseTime(text: string): string {
  if (/^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$/.test(text)) return text;
  throw invalid(text, "is not a time of day such as 23:59");
}

function parseSettingType(text: string): SettingType {
  const type = SETTING_TYPES.find((each) => each === text);
  if (type !== undefined) return type;
  throw invalid(text, `is not a type of setting (${SETTING_TYPES.join(", ")})`);
}

function between(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = parseInteger(text);
    if (value >= least && value <= most) return value;
    throw invalid(text, `is not a whole number from ${least} to ${most}`);
  };
}
