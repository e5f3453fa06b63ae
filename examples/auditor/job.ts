/**
 * The main job: makes an auditor database from the first input that there is, and shows what it can
 * do with it.
 */

import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Progress } from "../common/progress.ts";
import { Auditor, type TaskRow } from "./auditor.ts";
import { type AuditorDatabase, checkIntegrity, openAuditor } from "./database.ts";
import { generateWeeks } from "./generate.ts";
import { cesawFilesIn, importCesaw } from "./import-cesaw.ts";
import { importCsv } from "./import-csv.ts";
import { importGenerated } from "./import-generated.ts";
import {
  type ImportOptions,
  type ImportReport,
  NO_PROBLEMS,
  type SourceReport,
} from "./import-report.ts";
import {
  type CacheTimes,
  measureCache,
  measureRead,
  measureWrites,
  type ReadTime,
  type WriteRate,
} from "./measure.ts";
import { type LiveReport, measureLive } from "./measure-live.ts";
import { migrateLegacy } from "./migrate-legacy.ts";
import { type MixedReport, runMixedWorkload } from "./mixed-workload.ts";
import type { ProblemReport } from "./problems.ts";
import { countStatistics, type WeekStatistics } from "./statistics.ts";
import { listWeeks, type WeekLine } from "./week-list.ts";

/** Weeks shown from either end of the list. */
const WEEKS_SHOWN = 3;
const PAGE_ROWS = 5;
/** Broken and odd rows of each source in the report; their totals are whole. */
const PROBLEMS_SHOWN = 10;
const CALLERS = [1, 64] as const;

/** What the job works on. */
export interface JobOptions {
  /** A CSV file of a week, or the origin's `tasks.db`. Default: see `dataFolder`. */
  readonly input?: string;
  /** Where the CESAW files are; the generator is used when they are not there. No default. */
  readonly dataFolder: string;
  /** Where the database goes. No default. */
  readonly folder: string;
  /** How long each measurement of writes takes. No default. */
  readonly measureMs: number;
  /** Reads and writes of the mixed workload. No default. */
  readonly operations: number;
  readonly signal: AbortSignal;
}

/** A page and the figures of one week, and how long they took. */
export interface WeekView {
  readonly label: string;
  readonly page: ReadTime & { readonly rows: readonly TaskRow[] };
  readonly statistics: ReadTime & WeekStatistics;
}

/** All that the job found out; it is what `--json` prints. */
export interface JobReport {
  readonly source: string;
  readonly database: { readonly path: string; readonly bytes: number };
  readonly import: ImportReport & {
    readonly rowsRead: number;
    readonly rowsImported: number;
    readonly rowsRefused: number;
    readonly seconds: number;
    readonly rowsPerSecond: number;
  };
  readonly weeks: {
    readonly count: number;
    readonly first: readonly WeekLine[];
    readonly last: readonly WeekLine[];
  };
  /** The week with the most tasks; null when nothing was imported. */
  readonly week: WeekView | null;
  readonly writes: readonly WriteRate[];
  /** The figures of that week, with and without the cache; null when nothing was imported. */
  readonly cache: CacheTimes | null;
  readonly live: LiveReport;
  readonly mixed: MixedReport;
  readonly integrity: { readonly ok: boolean; readonly faults: readonly string[] };
}

/** Runs the job; `progress` is told about each step. */
export async function runJob(options: JobOptions, progress: Progress): Promise<JobReport> {
  const path = join(options.folder, "auditor.db");
  const { source, report, seconds } = await importFirst(options, path, progress);

  await using db = await openAuditor(path);
  const weeks = await listWeeks(db.query);
  const week = await progress.during("Reading one week", () => readBusiest(db, weeks));
  const writes: WriteRate[] = [];
  for (const callers of CALLERS) {
    const title = `Writing with ${callers} caller${callers === 1 ? "" : "s"}`;
    const { measureMs, signal } = options;
    writes.push(await progress.during(title, () => measureWrites(db, callers, measureMs, signal)));
  }
  const caching = await measureCaching(db, path, weeks, options, progress);
  const faults = await progress.during("Checking the file", () => checkIntegrity(db));
  return {
    source,
    database: { path, bytes: statSync(path).size },
    import: { ...report, sources: report.sources.map(shorten), ...totals(report, seconds) },
    weeks: {
      count: weeks.length,
      first: weeks.slice(0, WEEKS_SHOWN),
      last: weeks.slice(Math.max(WEEKS_SHOWN, weeks.length - WEEKS_SHOWN)),
    },
    week,
    writes,
    ...caching,
    integrity: { ok: faults.length === 0, faults },
  };
}

/** What the cache and its live queries do, here and beside a second process. */
async function measureCaching(
  db: AuditorDatabase,
  path: string,
  weeks: readonly WeekLine[],
  { operations, signal }: JobOptions,
  progress: Progress,
): Promise<Pick<JobReport, "cache" | "live" | "mixed">> {
  const largest = weeks.toSorted((a, b) => b.tasks - a.tasks).map(({ id }) => id);
  const cache =
    largest.length === 0
      ? null
      : await progress.during("Reading with the cache", () => measureCache(db, largest));
  const live = await progress.during("Watching a week", () => measureLive(path, signal));
  const title = "Reading and writing with a second process";
  const mixed = await progress.during(title, (onProgress) =>
    runMixedWorkload(path, { operations, signal, onProgress }),
  );
  return { cache, live, mixed };
}

interface Imported {
  readonly source: string;
  readonly report: ImportReport;
  /** Of the import alone, without opening and closing the database. */
  readonly seconds: number;
}

/** Imports the first input that there is, and says which. */
async function importFirst(
  { input, dataFolder, signal }: JobOptions,
  path: string,
  progress: Progress,
): Promise<Imported> {
  const into = async (
    source: string,
    run: (db: AuditorDatabase, options: ImportOptions) => Promise<ImportReport>,
  ): Promise<Imported> => {
    await using db = await openAuditor(path);
    const startMs = performance.now();
    const report = await progress.during(`Importing ${source}`, (onProgress) =>
      run(db, { signal, onProgress }),
    );
    return { source, report, seconds: secondsSince(startMs) };
  };
  if (input !== undefined && /\.(db|sqlite3?)$/i.test(input)) {
    const startMs = performance.now();
    const report = await importLegacy(input, path, signal, progress);
    return { source: input, report, seconds: secondsSince(startMs) };
  }
  if (input !== undefined) return into(input, (db, options) => importCsv(db, input, options));
  const files = cesawFilesIn(dataFolder);
  if (existsSync(files.list) && existsSync(files.log)) {
    return into("the CESAW time log and task list", (db, options) =>
      importCesaw(db, files, options),
    );
  }
  return into("generated weeks", (db, options) => importGenerated(db, generateWeeks(), options));
}

function secondsSince(startMs: number): number {
  return (performance.now() - startMs) / 1_000;
}

async function importLegacy(
  input: string,
  path: string,
  signal: AbortSignal,
  progress: Progress,
): Promise<ImportReport> {
  const { tables } = await progress.during(`Migrating ${input}`, (onProgress) =>
    migrateLegacy(input, path, { skipBad: true, signal, onProgress }),
  );
  const migrated = (name: string): number =>
    tables.find(({ table }) => table === name)?.migrated ?? 0;
  return {
    sources: tables.map(({ table, read, migrated, refused }) => ({
      name: table,
      rowsRead: read,
      rowsImported: migrated,
      refused,
      warnings: NO_PROBLEMS,
    })),
    written: { weeks: migrated("weeks"), tasks: migrated("tasks"), events: migrated("tasks") },
  };
}

function totals(
  { sources }: ImportReport,
  seconds: number,
): Omit<JobReport["import"], keyof ImportReport> {
  const rowsRead = sources.reduce((sum, source) => sum + source.rowsRead, 0);
  const rowsImported = sources.reduce((sum, source) => sum + source.rowsImported, 0);
  const rowsPerSecond = Math.round(rowsImported / seconds);
  return { rowsRead, rowsImported, rowsRefused: rowsRead - rowsImported, seconds, rowsPerSecond };
}

function shorten(source: SourceReport): SourceReport {
  const cut = (list: ProblemReport): ProblemReport => ({
    ...list,
    first: list.first.slice(0, PROBLEMS_SHOWN),
  });
  return { ...source, refused: cut(source.refused), warnings: cut(source.warnings) };
}

/** The page and the figures of the week with the most tasks. */
async function readBusiest(
  db: AuditorDatabase,
  weeks: readonly WeekLine[],
): Promise<WeekView | null> {
  const auditor = new Auditor(db);
  const [busiest] = weeks.toSorted((a, b) => b.tasks - a.tasks);
  if (busiest === undefined) return null;
  const { id, label } = await auditor.weekByLabel(busiest.label);
  const page = await measureRead(() => auditor.weekTasks(id, { limit: PAGE_ROWS }));
  const figures = await measureRead(() => countStatistics(db, id));
  const { result, ...times } = figures;
  return {
    label,
    page: { firstMs: page.firstMs, medianMs: page.medianMs, rows: page.result.rows },
    statistics: { ...times, ...result },
  };
}
