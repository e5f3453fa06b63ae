/**
 * Imports the CESAW task list and time log: see `week-tasks.ts` for what becomes of their rows.
 *
 * The list is read once and the log twice: first to gather the tasks of weeks, then, with their ids
 * known, to write each entry as a timer start and stop. So the memory grows with the tasks only,
 * and everything is written in one transaction.
 */

import { basename, join } from "node:path";
import { type CsvRecord, readCsv, readText } from "springhouse/import";
import {
  LOG_COLUMNS,
  type LogEntry,
  PLAN_COLUMNS,
  type Read,
  readLogEntry,
  readPlanItem,
} from "./cesaw.ts";
import {
  type AuditorDatabase,
  type AuditorTransaction,
  IMPORT_DEADLINE,
  nextTaskId,
  weekIdOf,
} from "./database.ts";
import type { ImportOptions, ImportReport, SourceReport } from "./import-report.ts";
import { dayOfMoment } from "./moments.ts";
import { type Problem, Problems } from "./problems.ts";
import { type Header, readHeader } from "./row-reader.ts";
import { Week } from "./schema.ts";
import { INSERT_EVENT, INSERT_TASK, type Parameter, taskRow } from "./task-rows.ts";
import { type WeekTask, WeekTasks, weekOf } from "./week-tasks.ts";

/** The names of the two files in their folder. */
export const CESAW_FILES = {
  list: "CESAW_task_fact.csv.zst",
  log: "CESAW_time_fact.csv.zst",
} as const;

/** Where the two files are. */
export interface CesawFiles {
  readonly list: string;
  readonly log: string;
}

/** The two files of a folder. */
export function cesawFilesIn(folder: string): CesawFiles {
  return { list: join(folder, CESAW_FILES.list), log: join(folder, CESAW_FILES.log) };
}

/**
 * Imports both files.
 *
 * @throws `VALIDATION` when a header is wrong or a file is broken; nothing is written then.
 */
export async function importCesaw(
  db: AuditorDatabase,
  files: CesawFiles,
  options: ImportOptions = {},
): Promise<ImportReport> {
  const { signal } = options;
  const tasks = new WeekTasks();
  const list = new Source(files.list);
  const log = new Source(files.log);
  await gather(tasks, list, log, options);
  const settings = { deadline: IMPORT_DEADLINE, ...(signal && { signal }) };
  const written = await db.transaction((tx) => write(tx, tasks, log, options), settings);
  return { sources: [list.report(), log.report()], written };
}

/** One file with the count of its rows and what was wrong with them. */
class Source {
  readonly refused: Problems = new Problems();
  readonly warnings: Problems = new Problems();
  readonly path: string;
  rowsRead = 0;
  rowsRefused = 0;

  constructor(path: string) {
    this.path = path;
  }

  /** Reads every row; `use` gives what is odd about one. */
  async read<T>(
    columns: readonly string[],
    parse: (header: Header, record: CsvRecord) => Read<T>,
    use: (value: T) => readonly Problem[],
    { signal, onProgress }: ImportOptions,
  ): Promise<void> {
    for await (const { header, record } of rowsOf(this.path, columns)) {
      signal?.throwIfAborted();
      this.rowsRead++;
      onProgress?.(this.rowsRead, 0);
      const read = parse(header, record);
      if (read.ok) this.warnings.addRow([...read.oddities, ...use(read.value)]);
      else this.refuse(read.problems);
    }
  }

  refuse(problems: readonly Problem[]): void {
    this.rowsRefused++;
    this.refused.addRow(problems);
  }

  report(): SourceReport {
    return {
      name: basename(this.path),
      rowsRead: this.rowsRead,
      rowsImported: this.rowsRead - this.rowsRefused,
      refused: this.refused.report(),
      warnings: this.warnings.report(),
    };
  }
}

async function* rowsOf(
  path: string,
  columns: readonly string[],
): AsyncGenerator<{ readonly header: Header; readonly record: CsvRecord }> {
  const records = readCsv(readText(path));
  const first = await records.next();
  const header = readHeader(first.done ? undefined : first.value, columns);
  for await (const record of records) yield { header, record };
}

async function gather(
  tasks: WeekTasks,
  list: Source,
  log: Source,
  options: ImportOptions,
): Promise<void> {
  await list.read(PLAN_COLUMNS, readPlanItem, (item) => tasks.addItem(item), options);
  await log.read(LOG_COLUMNS, readLogEntry, (entry) => tasks.addEntry(entry), options);
  for (const problem of tasks.addRest()) list.refuse([problem]);
}

async function write(
  tx: AuditorTransaction,
  tasks: WeekTasks,
  log: Source,
  { signal, onProgress }: ImportOptions,
): Promise<ImportReport["written"]> {
  const total = tasks.size * 2 + (log.rowsRead - log.rowsRefused) * 2;
  const from = (before: number) => ({
    onProgress: (rows: number) => onProgress?.(before + rows, total),
    ...(signal && { signal }),
  });
  const before = await tx.repository(Week).count();
  const weekIds = new Map<string, number>();
  const labels = new Set(tasks.tasks().map(weekOf));
  for (const label of [...labels].sort()) weekIds.set(label, await weekIdOf(tx, label));
  const firstId = await nextTaskId(tx);
  const taskCount = await tx.executeMany(INSERT_TASK, taskRows(tasks, firstId, weekIds), from(0));
  const events = eventRows(tasks, firstId, weekIds, log.path);
  const eventCount = await tx.executeMany(INSERT_EVENT, events, from(taskCount));
  const weekCount = (await tx.repository(Week).count()) - before;
  return { weeks: weekCount, tasks: taskCount, events: eventCount };
}

function* taskRows(
  tasks: WeekTasks,
  firstId: number,
  weekIds: ReadonlyMap<string, number>,
): Generator<Parameter[]> {
  for (const task of tasks.tasks()) {
    const { key, project, phase, process } = task.work;
    yield taskRow(firstId + task.index, weekIds.get(weekOf(task)) ?? 0, {
      attemptId: key,
      durationSeconds: task.seconds,
      projectId: project,
      projectName: `Project ${project}`,
      operationId: phase,
      timeLimitSeconds: task.timeLimitSeconds,
      dateAudited: dayOfMoment(task.beginMs),
      score: 0,
      feedback: process,
      locale: "",
      bonusPaid: false,
      beginMs: task.beginMs,
      endMs: task.endMs,
      createdMs: task.beginMs,
    });
  }
}

/** The creation of each task, then start and stop of each log entry. */
async function* eventRows(
  tasks: WeekTasks,
  firstId: number,
  weekIds: ReadonlyMap<string, number>,
  log: string,
): AsyncGenerator<Parameter[]> {
  for (const task of tasks.tasks()) {
    yield creationRow(task, firstId + task.index, weekIds.get(weekOf(task)) ?? 0);
  }
  for await (const { header, record } of rowsOf(log, LOG_COLUMNS)) {
    const read = readLogEntry(header, record);
    const task = read.ok ? tasks.find(read.value) : undefined;
    if (read.ok && task !== undefined) yield* timerRows(read.value, firstId + task.index);
  }
}

function creationRow(task: WeekTask, id: number, weekId: number): Parameter[] {
  const data = JSON.stringify({ week_id: weekId, creation_method: "import" });
  // A task without log entries has all its time at once; the others get it from their timers.
  const seconds = task.hasEntries ? 0 : task.seconds;
  return [id, "task_created", task.beginMs, data, seconds, "import"];
}

function* timerRows(entry: LogEntry, taskId: number): Generator<Parameter[]> {
  const data = JSON.stringify({ time_log: entry.id, interrupt_minutes: entry.interruptMinutes });
  yield [taskId, "timer_start", entry.startMs, null, 0, "import"];
  yield [taskId, "timer_stop", entry.endMs, data, entry.seconds, "import"];
}
