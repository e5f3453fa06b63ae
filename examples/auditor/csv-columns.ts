/** The origin's ten columns of a task: from a CSV row to a task and back. */

import type { CsvRecord } from "springhouse/import";
import { displayDuration, parseDuration } from "./durations.ts";
import { parseDate } from "./moments.ts";
import { parseCount } from "./numbers.ts";
import type { Problem } from "./problems.ts";
import { csvRow, type Header } from "./row-reader.ts";
import type { NewTask } from "./task-rows.ts";

/** The columns, in the order in which they are written. */
export const CSV_COLUMNS = [
  "Attempt ID",
  "Duration",
  "Project ID",
  "Project Name",
  "Operation ID",
  "Time Limit",
  "Date Audited",
  "Score",
  "Feedback",
  "Locale",
] as const;

/** What a task shows in CSV. */
export type CsvTask = Pick<
  NewTask,
  | "attemptId"
  | "durationSeconds"
  | "projectId"
  | "projectName"
  | "operationId"
  | "timeLimitSeconds"
  | "dateAudited"
  | "score"
  | "feedback"
  | "locale"
>;

/** Reads a row: the task, or everything that is wrong with it. Texts may be empty. */
export function readCsvTask(
  header: Header,
  record: CsvRecord,
): { readonly task: CsvTask; readonly problems: readonly Problem[] } {
  const row = csvRow(header, record);
  const task = {
    attemptId: row.text("Attempt ID"),
    durationSeconds: row.read("Duration", parseDuration, 0),
    projectId: row.text("Project ID"),
    projectName: row.text("Project Name"),
    operationId: row.text("Operation ID"),
    timeLimitSeconds: row.read("Time Limit", parseDuration, 0),
    dateAudited: row.readOptional("Date Audited", parseDate, null),
    score: row.read("Score", parseCount, 0),
    feedback: row.text("Feedback"),
    locale: row.text("Locale"),
  };
  return { task, problems: row.problems };
}

/** The fields of a task, in the order of `CSV_COLUMNS`. */
export function csvFields(task: CsvTask): string[] {
  return [
    task.attemptId,
    displayDuration(task.durationSeconds),
    task.projectId,
    task.projectName,
    task.operationId,
    displayDuration(task.timeLimitSeconds),
    task.dateAudited ?? "",
    String(task.score),
    task.feedback,
    task.locale,
  ];
}

const FILE = /^(?:auditor_tasks_(.+?)|(\d{4}-W\d{2}))\.csv(?:\.gz|\.zst)?$/i;
/** Characters that cannot be in the name of a file everywhere, and the one that escapes them. */
const UNSAFE = /[/\\:*?"<>|%]|\p{Cc}/gu;

/**
 * The label that a file's name carries: "auditor_tasks_2012-W44.csv" is week "2012-W44", and so is
 * "2012-W44.csv". What `fileNameOf` has escaped is read back. Any other name is no label.
 */
export function labelOfFile(name: string): string | undefined {
  const [, label, week] = FILE.exec(name) ?? [];
  return (label ?? week)?.replaceAll(/%([0-9A-F]{2})/g, (_, code: string) =>
    String.fromCharCode(Number.parseInt(code, 16)),
  );
}

/** The name of a week's file; "01/06 - 07/06" becomes "auditor_tasks_01%2F06 - 07%2F06.csv". */
export function fileNameOf(label: string): string {
  const safe = label.replaceAll(
    UNSAFE,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`,
  );
  return `auditor_tasks_${safe}.csv`;
}
