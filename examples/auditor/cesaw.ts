/**
 * The rows of the CESAW time tracking data: the task list has one for each task of one person, the
 * time log one for each stretch of work on it. `week-tasks.ts` says what becomes of them.
 */

import type { CsvRecord } from "springhouse/import";
import { invalid } from "./invalid.ts";
import { parseCesawMoment } from "./moments.ts";
import { parseCount } from "./numbers.ts";
import type { Problem } from "./problems.ts";
import { csvRow, type Header, type RowReader } from "./row-reader.ts";

/** The log rounds start, end and minutes apart from each other. */
const ROUNDING_MINUTES = 2;
const MINUTE_MS = 60_000;

/** The columns of the task list. */
export const PLAN_COLUMNS = [
  "project_key",
  "person_key",
  "team_key",
  "wbs_element_key",
  "plan_item_key",
  "task_actual_start_date",
  "task_actual_complete_date",
  "task_actual_time_minutes",
  "task_plan_time_minutes",
  "phase_key",
  "phase_short_name",
  "process_name",
] as const;

/** The columns of the time log. */
export const LOG_COLUMNS = [
  "time_log_fact_key",
  "organization",
  "project_key",
  "person_key",
  "team_key",
  "wbs_element_key",
  "plan_item_key",
  "time_log_start_date",
  "time_log_end_date",
  "time_log_delta_minutes",
  "time_log_interrupt_minutes",
  "phase_key",
  "phase_short_name",
  "phase.process_key",
  "process_name",
] as const;

/** What both files say about the work. */
export interface Work {
  /** "project/person/plan item": what the two files have in common. */
  readonly key: string;
  readonly project: string;
  readonly phase: string;
  readonly process: string;
}

/** One row of the task list. */
export interface PlanItem extends Work {
  readonly line: number;
  readonly planSeconds: number;
  readonly actualSeconds: number;
  /** Absent when the file has no readable start. */
  readonly startMs: number | undefined;
  readonly completeMs: number | undefined;
}

/** One row of the time log. */
export interface LogEntry extends Work {
  readonly line: number;
  readonly id: number;
  readonly startMs: number;
  readonly endMs: number;
  readonly seconds: number;
  readonly interruptMinutes: number;
}

/** A row that was read with what is odd about it, or why it cannot be used. */
export type Read<T> =
  | { readonly ok: true; readonly value: T; readonly oddities: readonly Problem[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Reads a row of the task list. It is used without its dates when they are not readable. */
export function readPlanItem(header: Header, record: CsvRecord): Read<PlanItem> {
  const row = csvRow(header, record);
  const dates = csvRow(header, record);
  const value = {
    line: record.line,
    ...workOf(row),
    planSeconds: row.read("task_plan_time_minutes", parseMinutes, 0),
    actualSeconds: row.read("task_actual_time_minutes", parseMinutes, 0),
    startMs: dates.read("task_actual_start_date", parseOptionalMoment, undefined),
    completeMs: dates.read("task_actual_complete_date", parseOptionalMoment, undefined),
  };
  return row.problems.length > 0
    ? { ok: false, problems: row.problems }
    : { ok: true, value, oddities: dates.problems };
}

/** Reads a row of the time log. */
export function readLogEntry(header: Header, record: CsvRecord): Read<LogEntry> {
  const row = csvRow(header, record);
  const startMs = row.read("time_log_start_date", parseCesawMoment, 0);
  const endMs = row.read("time_log_end_date", parseCesawMoment, startMs);
  if (endMs < startMs) {
    row.note("time_log_end_date", row.text("time_log_end_date"), "lies before the start");
  }
  const value = {
    line: record.line,
    id: row.read("time_log_fact_key", parseCount, 0),
    ...workOf(row),
    startMs,
    endMs,
    seconds: row.read("time_log_delta_minutes", parseCount, 0) * 60,
    interruptMinutes: row.read("time_log_interrupt_minutes", parseCount, 0),
  };
  return row.problems.length > 0
    ? { ok: false, problems: row.problems }
    : { ok: true, value, oddities: odditiesOf(value) };
}

/** What is odd about an entry that is used all the same. */
function odditiesOf(entry: LogEntry): Problem[] {
  const { line, startMs, endMs, seconds, interruptMinutes } = entry;
  const spanMinutes = (endMs - startMs) / MINUTE_MS;
  const saidMinutes = seconds / 60 + interruptMinutes;
  const found: Problem[] = [];
  const note = (column: string, value: number, reason: string): void => {
    found.push({ line, column, value: String(value), reason });
  };
  if (Math.abs(spanMinutes - saidMinutes) > ROUNDING_MINUTES) {
    note("time_log_delta_minutes", seconds / 60, "does not fit the time from start to end");
  }
  if (spanMinutes > 24 * 60) {
    note("time_log_delta_minutes", seconds / 60, "belongs to an entry of more than a day");
  }
  if (seconds === 0) note("time_log_delta_minutes", 0, "adds no time");
  return found;
}

function workOf(row: RowReader): Work {
  const project = row.read("project_key", parseKey, "");
  const person = row.read("person_key", parseKey, "");
  const item = row.read("plan_item_key", parseKey, "");
  return {
    key: `${project}/${person}/${item}`,
    project,
    phase: knownText(row.text("phase_short_name")),
    process: knownText(row.text("process_name")),
  };
}

function parseKey(text: string): string {
  if (/^\d+$/.test(text)) return text;
  throw invalid(text, "is not a key");
}

/** Minutes with a fraction, such as planned ones, as whole seconds. */
function parseMinutes(text: string): number {
  const minutes = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (minutes < 1e9) return Math.round(minutes * 60);
  throw invalid(text, "is not a number of minutes");
}

/** The files write `\N` where a database had NULL. */
function knownText(text: string): string {
  return text === "\\N" ? "" : text;
}

function parseOptionalMoment(text: string): number | undefined {
  return text === "\\N" ? undefined : parseCesawMoment(text);
}
