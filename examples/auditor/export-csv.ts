/** Writes the tasks of a week as CSV that `importCsv` reads back. */

import { createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { csvLine } from "./csv.ts";
import { CSV_COLUMNS, csvFields } from "./csv-columns.ts";
import type { AuditorDatabase } from "./database.ts";

/** The lines of a week, in the order in which its tasks were made. */
export async function* exportCsv(db: AuditorDatabase, weekId: number): AsyncGenerator<string> {
  yield csvLine(CSV_COLUMNS);
  const rows = db.stream(
    `SELECT attempt_id, duration_seconds, project_id, project_name, operation_id,
       time_limit_seconds, date_audited, score, feedback, locale
     FROM tasks WHERE week_id = ? ORDER BY created_at, id`,
    [weekId],
  );
  for await (const row of rows) {
    yield csvLine(
      csvFields({
        attemptId: String(row["attempt_id"]),
        durationSeconds: Number(row["duration_seconds"]),
        projectId: String(row["project_id"]),
        projectName: String(row["project_name"]),
        operationId: String(row["operation_id"]),
        timeLimitSeconds: Number(row["time_limit_seconds"]),
        dateAudited: row["date_audited"] === null ? null : String(row["date_audited"]),
        score: Number(row["score"]),
        feedback: String(row["feedback"]),
        locale: String(row["locale"]),
      }),
    );
  }
}

/** Writes a week into a file; a file of that name stays as it was until the new one is whole. */
export async function exportToFile(
  db: AuditorDatabase,
  weekId: number,
  path: string,
): Promise<number> {
  const beside = `${path}.${process.pid}.tmp`;
  let lines = 0;
  async function* counted(): AsyncGenerator<string> {
    for await (const line of exportCsv(db, weekId)) {
      lines++;
      yield line;
    }
  }
  try {
    await pipeline(counted, createWriteStream(beside));
    await rename(beside, path);
  } finally {
    await rm(beside, { force: true });
  }
  return lines - 1;
}
