/** Writes the tasks of a week as CSV that `importCsv` reads back. */

import { createWriteStream, statSync } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { pipeline } from "node:stream/promises";
import { SpringhouseError } from "springhouse";
import { csvLine } from "springhouse/import";
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

/** For `exportToFile`. */
export interface ExportOptions {
  /** Replace a file of that name. Default: false. */
  readonly force?: boolean;
}

/**
 * Writes a week into a file; a file of that name stays as it was until the new one is whole.
 *
 * @throws `USAGE` when there is such a file already, `UNOPENABLE` when none can be made there.
 */
export async function exportToFile(
  db: AuditorDatabase,
  weekId: number,
  path: string,
  { force = false }: ExportOptions = {},
): Promise<number> {
  checkTarget(path, force);
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
  } catch (error) {
    // The name of the file beside it says nothing to whoever asked for this one.
    const isOurs = error instanceof Error && "path" in error && error.path === beside;
    throw isOurs ? Object.assign(error, { path }) : error;
  } finally {
    await rm(beside, { force: true });
  }
  return lines - 1;
}

function checkTarget(path: string, force: boolean): void {
  const there = statSync(path, { throwIfNoEntry: false });
  if (there === undefined) {
    const folder = dirname(path);
    const isFolder = statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true;
    if (!isFolder) throw unopenable(path, `There is no folder ${folder}. Make it first.`);
  } else if (there.isDirectory()) {
    throw unopenable(path, `${path} is a folder. Name a file in it.`);
  } else if (!there.isFile()) {
    throw unopenable(path, `${path} is no ordinary file. For standard output give "-".`);
  } else if (!force) {
    const message = `${path} is there already. Give another name, or replace it with --force.`;
    throw new SpringhouseError("USAGE", message, { fields: { path } });
  }
}

function unopenable(path: string, message: string): SpringhouseError {
  return new SpringhouseError("UNOPENABLE", message, { fields: { path } });
}
