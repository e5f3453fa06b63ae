/** Imports generated weeks, in one transaction. */

import {
  type AuditorDatabase,
  type AuditorTransaction,
  IMPORT_DEADLINE,
  nextTaskId,
  weekIdOf,
} from "./database.ts";
import type { GeneratedWeek } from "./generate.ts";
import { type ImportOptions, type ImportReport, NO_PROBLEMS } from "./import-report.ts";
import { Week } from "./schema.ts";
import { INSERT_CREATIONS, INSERT_TASK, type Parameter, taskRow } from "./task-rows.ts";

/** Writes the weeks with their tasks and creation events. */
export function importGenerated(
  db: AuditorDatabase,
  weeks: Iterable<GeneratedWeek>,
  options: ImportOptions = {},
): Promise<ImportReport> {
  const { signal } = options;
  const settings = { deadline: IMPORT_DEADLINE, ...(signal && { signal }) };
  return db.transaction((tx) => importInto(tx, weeks, options), settings);
}

async function importInto(
  tx: AuditorTransaction,
  weeks: Iterable<GeneratedWeek>,
  { signal, onProgress }: ImportOptions,
): Promise<ImportReport> {
  const firstId = await nextTaskId(tx);
  let tasks = 0;
  let weekCount = 0;
  for (const week of weeks) {
    const weekId = await weekIdOf(tx, week.label);
    await tx.repository(Week).patch(weekId, { isBonusWeek: week.isBonusWeek });
    tasks += await tx.executeMany(INSERT_TASK, rowsOf(week, weekId), signal && { signal });
    onProgress?.(tasks, 0);
    weekCount++;
  }
  await tx.execute(INSERT_CREATIONS, ["import", "import", firstId]);
  const rows = { rowsRead: tasks, rowsImported: tasks, refused: NO_PROBLEMS };
  return {
    sources: [{ name: "generator", ...rows, warnings: NO_PROBLEMS }],
    written: { weeks: weekCount, tasks, events: tasks },
  };
}

function* rowsOf(week: GeneratedWeek, weekId: number): Generator<Parameter[]> {
  for (const task of week.tasks) yield taskRow(null, weekId, task);
}
