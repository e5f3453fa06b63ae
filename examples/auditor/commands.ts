/** What the commands of the auditor do; `cli.ts` turns words into calls of these. */

import { count, Progress, type ProgressStream, rowsText } from "../common/progress.ts";
import { type Cell, list, moreLine, table } from "../common/table.ts";
import { Auditor, type TaskRow } from "./auditor.ts";
import { fileNameOf } from "./csv-columns.ts";
import { type AuditorDatabase, openAuditor, openExisting } from "./database.ts";
import { displayDuration } from "./durations.ts";
import { exportCsv, exportToFile } from "./export-csv.ts";
import { cesawFilesIn, importCesaw } from "./import-cesaw.ts";
import { importCsv, requireLabel } from "./import-csv.ts";
import type { ImportOptions, SourceReport } from "./import-report.ts";
import { migrateLegacy } from "./migrate-legacy.ts";
import type { ProblemReport } from "./problems.ts";
import { type Screen, watch } from "./watch.ts";
import { listWeeks } from "./week-list.ts";
import { WeekReads } from "./week-reads.ts";

/** Broken rows that are printed; `--json` has up to a thousand. */
const EXAMPLES_SHOWN = 20;
const PAGE_ROWS = 20;
const TASKS_WATCHED = 5;

/** What all commands need. */
export interface Context {
  /** The database file. */
  readonly path: string;
  readonly signal: AbortSignal;
  readonly stdout: Screen;
  readonly stderr: ProgressStream;
  readonly isJson: boolean;
}

/** The answer of a command. */
export interface Outcome {
  /** False when rows were refused: the exit code is then 1. */
  readonly ok: boolean;
  /** What `--json` prints. */
  readonly data: unknown;
  /** What is printed otherwise. */
  readonly text: string;
  /** What ended the command when a part of its work was done. Default: nothing. */
  readonly failure?: unknown;
  /** It went on until it was interrupted, which is how it is meant to end. Default: false. */
  readonly isEndless?: boolean;
}

/** Imports weeks from CSV files, each in a transaction of its own; ends with the first error. */
export async function runImport(
  context: Context,
  files: readonly string[],
  flags: { readonly week?: string },
): Promise<Outcome> {
  const weeks = files.map((file) => flags.week ?? requireLabel(file));
  await using db = await openAuditor(context.path);
  const reports: SourceReport[] = [];
  for (const [index, file] of files.entries()) {
    const week = weeks[index] ?? file;
    try {
      const { sources } = await during(context, `Importing ${file}`, (options) =>
        importCsv(db, file, { ...options, week }),
      );
      reports.push(...sources);
    } catch (failure) {
      if (reports.length === 0) throw failure;
      return stoppedOutcome(reports, files.slice(index), failure);
    }
  }
  return importOutcome(reports);
}

/** What was imported before a file failed, and which were not. */
function stoppedOutcome(
  reports: readonly SourceReport[],
  notImported: readonly string[],
  failure: unknown,
): Outcome {
  const { text } = importOutcome(reports);
  const data = { sources: reports, notImported };
  return { ok: false, data, text: `${text}Not imported: ${notImported.join(", ")}\n`, failure };
}

/** Imports the CESAW files of a folder. */
export async function runImportCesaw(context: Context, folder: string): Promise<Outcome> {
  await using db = await openAuditor(context.path);
  const { sources } = await during(context, "Importing CESAW", (options) =>
    importCesaw(db, cesawFilesIn(folder), options),
  );
  return importOutcome(sources);
}

/** Migrates the origin's file into a new one. */
export async function runMigrateLegacy(
  context: Context,
  file: string,
  flags: { readonly skipBad?: true },
): Promise<Outcome> {
  const report = await during(context, `Migrating ${file}`, (options) =>
    migrateLegacy(file, context.path, { ...options, skipBad: flags.skipBad === true }),
  );
  const rows = report.tables.map((each): Cell[] => [
    each.table,
    each.read,
    each.migrated,
    each.refused.rows,
  ]);
  const text = [
    table(`Migrated into ${report.target}`, ["table", "rows", "migrated", "left out"], rows),
    ...report.tables.map((each) => refusedText(each.table, each.refused)),
    ...report.ignoredColumns.map((name) => `Left out: column ${name}\n`),
  ];
  const ok = report.tables.every((each) => each.refused.rows === 0);
  return { ok, data: report, text: text.join("") };
}

/** Lists the weeks, or the page of one. */
export async function runWeek(
  context: Context,
  label: string | undefined,
  flags: { readonly limit?: number; readonly offset?: number; readonly cursor?: string },
): Promise<Outcome> {
  await using db = await openExisting(context.path);
  const auditor = new Auditor(db);
  if (label === undefined) {
    return await allWeeks(db, auditor);
  }
  const week = await auditor.weekByLabel(label);
  const page = await auditor.weekTasks(week.id, { limit: PAGE_ROWS, ...flags });
  const heads = ["id", "attempt", "project", "duration", "audited", "score"];
  const more = page.next === undefined ? "" : `  More: --cursor ${page.next}\n`;
  const text = table(`Week ${label}`, heads, page.rows.map(taskCells)) + more;
  return { ok: true, data: { week, ...page }, text };
}

async function allWeeks(db: AuditorDatabase, auditor: Auditor): Promise<Outcome> {
  const lines = new Map((await listWeeks(db.query)).map((line) => [line.label, line]));
  const weeks = (await auditor.weeks()).map((week) => {
    const { tasks = 0, durationSeconds = 0 } = lines.get(week.label) ?? {};
    return { ...week, tasks, durationSeconds };
  });
  const rows = weeks.map((week): Cell[] => [
    week.label,
    week.tasks,
    displayDuration(week.durationSeconds),
    week.isBonusWeek ? "bonus" : "",
  ]);
  return { ok: true, data: weeks, text: table("Weeks", ["week", "tasks", "duration", ""], rows) };
}

/** Shows a week, or all weeks, as they change, until the signal fires. */
export async function runWatch(
  { path, signal, stdout, isJson }: Context,
  label: string | undefined,
  { limit = TASKS_WATCHED }: { readonly limit?: number },
): Promise<Outcome> {
  await watch(stdout, { path, label, limit, isJson, signal });
  return { ok: true, data: undefined, text: "", isEndless: true };
}

/** Starts or stops the timer of a task. */
export async function runTimer(
  context: Context,
  action: "start" | "stop",
  id: number,
): Promise<Outcome> {
  await using db = await openExisting(context.path);
  const auditor = new Auditor(db);
  const task = await (action === "start" ? auditor.startTimer(id) : auditor.stopTimer(id));
  const state = action === "start" ? "runs" : `stopped at ${task.durationDisplay}`;
  return { ok: true, data: task, text: `The timer of task ${id} ${state}.\n` };
}

/** The figures of a week. */
export async function runStats(context: Context, label: string): Promise<Outcome> {
  await using db = await openExisting(context.path);
  const { id } = await new Auditor(db).weekByLabel(label);
  const figures = await new WeekReads(db).getWeekAnalytics(id);
  const projects = Object.entries(figures.projectBreakdown).map(([name, share]): Cell[] => [
    name,
    share.task_count,
    displayDuration(share.duration),
  ]);
  const text = [
    list(`Week ${label}`, [
      ["tasks", figures.totalTasks],
      ["duration", displayDuration(figures.totalDurationSeconds)],
      ["average duration", displayDuration(Math.round(figures.avgTaskDuration))],
      ["average score", figures.avgScore],
      ["within time limit", `${figures.productivityScore.toFixed(1)} %`],
    ]),
    table("Projects", ["project", "tasks", "duration"], projects),
  ];
  return { ok: true, data: { label, ...figures }, text: text.join("") };
}

/** Writes a week as CSV: into a file, or to standard output when that is "-". */
export async function runExport(
  context: Context,
  label: string,
  flags: { readonly to?: string; readonly force?: true },
): Promise<Outcome> {
  await using db = await openExisting(context.path);
  const { id } = await new Auditor(db).weekByLabel(label);
  const { to: file = fileNameOf(label), force = false } = flags;
  if (file === "-") return await print(context, db, id);
  const tasks = await exportToFile(db, id, file, { force });
  return {
    ok: true,
    data: { label, file, tasks },
    text: `${count(tasks)} ${tasks === 1 ? "task" : "tasks"} to ${file}\n`,
  };
}

async function print(context: Context, db: AuditorDatabase, weekId: number): Promise<Outcome> {
  for await (const line of exportCsv(db, weekId)) context.stdout.write(line);
  return { ok: true, data: undefined, text: "" };
}

function during<T>(
  { signal, stderr }: Context,
  title: string,
  run: (options: ImportOptions) => Promise<T>,
): Promise<T> {
  return new Progress(stderr).during(title, (onProgress) => run({ signal, onProgress }));
}

function importOutcome(sources: readonly SourceReport[]): Outcome {
  const rows = sources.map((each): Cell[] => [
    each.name,
    each.week ?? "many",
    each.rowsRead,
    each.rowsImported,
    each.rowsRead - each.rowsImported,
    each.warnings.rows,
  ]);
  const text = [
    table("Imported", ["source", "week", "rows", "imported", "refused", "odd"], rows),
    ...sources.map(({ name, refused }) => refusedText(name, refused)),
  ];
  return {
    ok: sources.every(({ refused }) => refused.rows === 0),
    data: { sources },
    text: text.join(""),
  };
}

function refusedText(name: string, refused: ProblemReport): string {
  if (refused.rows === 0) return "";
  const rows = refused.first
    .slice(0, EXAMPLES_SHOWN)
    .map(({ line, column, value, reason }): Cell[] => [line, column, value, reason]);
  const title = `Refused from ${name}: ${rowsText(refused.rows)}`;
  const problems = refused.totals.reduce((sum, { rows: each }) => sum + each, 0);
  const more = moreLine(problems - rows.length);
  return table(title, ["line", "column", "value", "reason"], rows) + more;
}

function taskCells(task: TaskRow): Cell[] {
  const { id, attemptId, projectName, durationDisplay, dateAudited, score } = task;
  return [id, attemptId, projectName, durationDisplay, dateAudited, score];
}
