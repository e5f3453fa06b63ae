/**
 * Imports one week from one CSV file with the origin's columns; the file's name carries the label.
 *
 * Good rows are written in one transaction, broken ones are listed. A file whose header is wrong,
 * or whose text cannot be told apart into records, is refused whole.
 */

import { statSync } from "node:fs";
import { basename } from "node:path";
import { SpringhouseError } from "springhouse";
import { readCsv, readText } from "springhouse/import";
import { CSV_COLUMNS, labelOfFile, readCsvTask } from "./csv-columns.ts";
import {
  type AuditorDatabase,
  type AuditorTransaction,
  IMPORT_DEADLINE,
  nextTaskId,
  weekIdOf,
} from "./database.ts";
import { type ImportOptions, type ImportReport, NO_PROBLEMS } from "./import-report.ts";
import { Problems } from "./problems.ts";
import { readHeader } from "./row-reader.ts";
import { Week } from "./schema.ts";
import { INSERT_CREATIONS, INSERT_TASK, type Parameter, taskRow } from "./task-rows.ts";

/** For `importCsv`. */
export interface ImportCsvOptions extends ImportOptions {
  /** The label of the week. Default: from the file's name, which must have one then. */
  readonly week?: string;
  /** The moment at which the tasks count as created. Default: now. */
  readonly nowMs?: number;
}

/**
 * Imports a file.
 *
 * @throws `VALIDATION` when the file is refused whole, `USAGE` when its week is not known; nothing
 *   is written then.
 */
export async function importCsv(
  db: AuditorDatabase,
  path: string,
  options: ImportCsvOptions = {},
): Promise<ImportReport> {
  const { signal, week = requireLabel(path) } = options;
  const settings = { deadline: IMPORT_DEADLINE, ...(signal && { signal }) };
  return db.transaction((tx) => importInto(tx, path, week, options), settings);
}

/**
 * The label in a file's name.
 *
 * @throws `USAGE` when there is none: a week that is called like some file would be nobody's.
 */
export function requireLabel(path: string): string {
  const name = basename(path);
  const label = labelOfFile(name);
  if (label !== undefined) return label;
  // A file that is not there is the first thing to tell.
  statSync(path);
  throw new SpringhouseError(
    "USAGE",
    `The name "${name}" does not say which week it is. Give --week with the file, or call it ` +
      "auditor_tasks_<week>.csv.",
    { fields: { path } },
  );
}

async function importInto(
  tx: AuditorTransaction,
  path: string,
  week: string,
  { signal, onProgress, nowMs = Date.now() }: ImportCsvOptions,
): Promise<ImportReport> {
  const problems = new Problems();
  let rowsRead = 0;
  const weeksBefore = await tx.repository(Week).count();
  const weekId = await weekIdOf(tx, week);
  const firstId = await nextTaskId(tx);
  const more = { bonusPaid: false, beginMs: null, endMs: null, createdMs: nowMs };

  async function* rows(): AsyncGenerator<Parameter[]> {
    const records = readCsv(readText(path));
    const first = await records.next();
    const header = readHeader(first.done ? undefined : first.value, CSV_COLUMNS);
    for await (const record of records) {
      rowsRead++;
      onProgress?.(rowsRead, 0);
      const { task, problems: found } = readCsvTask(header, record);
      problems.addRow(found);
      if (found.length === 0) yield taskRow(null, weekId, { ...task, ...more });
    }
  }

  const tasks = await tx.executeMany(INSERT_TASK, rows(), signal && { signal });
  await tx.execute(INSERT_CREATIONS, ["import", "import", firstId]);
  const refused = problems.report();
  // A file of broken rows only must not leave an empty week behind.
  const isNew = (await tx.repository(Week).count()) > weeksBefore;
  if (isNew && tasks === 0 && refused.rows > 0) await tx.repository(Week).delete(weekId);
  const source = { name: basename(path), week, rowsRead, rowsImported: tasks, refused };
  const weeks = (await tx.repository(Week).count()) - weeksBefore;
  return {
    sources: [{ ...source, warnings: NO_PROBLEMS }],
    written: { weeks, tasks, events: tasks },
  };
}
