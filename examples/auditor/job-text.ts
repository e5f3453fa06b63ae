/** The report of the main job for people. */

import { count, sizeText, timeText } from "../common/progress.ts";
import { type Cell, list, moreLine, table } from "../common/table.ts";
import { displayDuration } from "./durations.ts";
import type { SourceReport } from "./import-report.ts";
import type { JobReport, WeekView } from "./job.ts";
import type { CacheTimes } from "./measure.ts";
import type { LiveReport, LiveUpdates } from "./measure-live.ts";
import type { MixedReport } from "./mixed-workload.ts";
import type { WeekLine } from "./week-list.ts";

/** Examples of each kind; `--json` has more. */
const EXAMPLES_SHOWN = 5;
const PROJECTS_SHOWN = 5;

/** All tables, one after another. */
export function jobText(report: JobReport): string {
  return [
    importText(report),
    ...report.import.sources.map(problemsText).filter((text) => text !== ""),
    weeksText(report),
    ...(report.week === null ? [] : [weekText(report.week)]),
    table(
      "Durable writes",
      ["callers", "writes", "writes/s", "99 % within (ms)"],
      report.writes.map((rate) => [rate.callers, rate.writes, rate.perSecond, rate.p99Ms]),
    ),
    ...(report.cache === null ? [] : [cacheText(report.cache)]),
    liveText(report.live),
    mixedText(report.mixed),
    integrityText(report),
  ].join("\n");
}

function importText({ source, database, import: done }: JobReport): string {
  const rows = done.sources.map((each): Cell[] => [
    each.name,
    each.rowsRead,
    each.rowsImported,
    each.rowsRead - each.rowsImported,
    each.warnings.rows,
  ]);
  const { weeks, tasks, events } = done.written;
  return [
    table(`Import of ${source}`, ["source", "rows", "imported", "refused", "odd"], rows),
    list("Written", [
      ["weeks", weeks],
      ["tasks", tasks],
      ["events", events],
      ["time", timeText(done.seconds * 1_000)],
      ["rows imported/s", done.rowsPerSecond],
      ["database", sizeText(database.bytes)],
    ]),
  ].join("\n");
}

function problemsText({ name, refused, warnings }: SourceReport): string {
  const parts: string[] = [];
  if (refused.rows > 0) {
    const reasons = refused.totals.map(({ column, reason, rows }): Cell[] => [
      rows,
      column,
      reason,
    ]);
    const examples = refused.first
      .slice(0, EXAMPLES_SHOWN)
      .map(({ line, column, value, reason }): Cell[] => [line, column, value, reason]);
    parts.push(table(`Refused from ${name}`, ["rows", "column", "reason"], reasons));
    const problems = refused.totals.reduce((sum, { rows }) => sum + rows, 0);
    const more = moreLine(problems - examples.length);
    parts.push(table("The first of them", ["line", "column", "value", "reason"], examples) + more);
  }
  if (warnings.rows > 0) {
    const reasons = warnings.totals.map(({ column, reason, rows }): Cell[] => [
      rows,
      column,
      reason,
    ]);
    parts.push(table(`Imported from ${name} although odd`, ["rows", "column", "what"], reasons));
  }
  return parts.join("\n");
}

function weeksText({ weeks }: JobReport): string {
  const line = (week: WeekLine): Cell[] => [
    week.label,
    week.tasks,
    displayDuration(week.durationSeconds),
  ];
  const left = weeks.count - weeks.first.length - weeks.last.length;
  const gap: Cell[][] = left > 0 ? [[`… ${left} more`, null, null]] : [];
  const rows = [...weeks.first.map(line), ...gap, ...weeks.last.map(line)];
  return table(`Weeks (${count(weeks.count)})`, ["week", "tasks", "duration"], rows);
}

function weekText({ label, page, statistics }: WeekView): string {
  const tasks = page.rows.map((task): Cell[] => [
    task.id,
    task.attemptId,
    task.projectName,
    task.operationId,
    task.durationDisplay,
    task.createdAt.toISOString().slice(0, 16).replace("T", " "),
  ]);
  const heads = ["id", "attempt", "project", "operation", "duration", "created (UTC)"];
  const projects = Object.entries(statistics.projectBreakdown)
    .slice(0, PROJECTS_SHOWN)
    .map(([name, share]): Cell[] => [name, share.task_count, displayDuration(share.duration)]);
  return [
    table(`Week ${label}, page of ${page.rows.length} (${timesOf(page)})`, heads, tasks),
    list(`Week ${label}, figures (${timesOf(statistics)})`, [
      ["tasks", statistics.totalTasks],
      ["duration", displayDuration(statistics.totalDurationSeconds)],
      ["average duration", displayDuration(Math.round(statistics.avgTaskDuration))],
      ["average score", statistics.avgScore],
      ["within time limit", `${statistics.productivityScore.toFixed(1)} %`],
      ["projects", statistics.projects.length],
    ]),
    table("Its largest projects", ["project", "tasks", "duration"], projects),
  ].join("\n");
}

function timesOf({ firstMs, medianMs }: { firstMs: number; medianMs: number }): string {
  return `first ${firstMs.toFixed(2)} ms, then ${medianMs.toFixed(2)} ms`;
}

function cacheText({ tasks, uncachedMs, coldMs, warmUs }: CacheTimes): string {
  return list(`Figures of a week with ${count(tasks)} ${tasks === 1 ? "task" : "tasks"}`, [
    ["counted, past rollups and cache", `${uncachedMs.toFixed(2)} ms`],
    ["cold: from the rollups", `${coldMs.toFixed(2)} ms`],
    ["warm: from memory", `${warmUs.toFixed(2)} µs`],
  ]);
}

function liveText({ own, foreign }: LiveReport): string {
  const cells = ({ commits, seen, medianMs }: LiveUpdates): Cell[] => [commits, seen, medianMs];
  return table(
    "Live updates",
    ["commits by", "commits", "seen", "median (ms)"],
    [
      ["this process", ...cells(own)],
      ["a second one", ...cells(foreign)],
    ],
  );
}

function mixedText(mixed: MixedReport): string {
  return list(`Mixed workload of two processes (${count(mixed.operations)} operations)`, [
    ["reads, each compared with the database", mixed.reads],
    ["of them from memory", mixed.hits],
    ["writes of this process", mixed.ownWrites],
    ["writes of a second one", mixed.foreignWrites],
    ["stale reads", mixed.staleReads],
    ["reads that could not be judged", mixed.uncheckedReads],
    ["time", timeText(mixed.seconds * 1_000)],
  ]);
}

function integrityText({ integrity }: JobReport): string {
  const result = integrity.ok ? "everything agrees" : `${integrity.faults.length} faults`;
  return list("Integrity", [
    ["pages, references, durations, rollups", result],
    ...integrity.faults.slice(0, EXAMPLES_SHOWN).map((fault) => ["fault", fault] as const),
  ]);
}
