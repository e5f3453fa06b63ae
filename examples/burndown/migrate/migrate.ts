/**
 * Takes the files of the old application over into the database: once, whole or not at all.
 *
 * The files are only read. `springhouse/import` copies them first, with tokens masked, builds the
 * database beside its place, compares what it stored with what it was given, and renames it; a
 * migration that was killed goes on where it ended. What is ours here is what the files mean.
 */

import { existsSync, rmSync, statSync } from "node:fs";
import { relative, sep } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { createCatalog, isSpringhouseError, open, SpringhouseError } from "springhouse";
import { type ImportReport, type ImportSource, importFiles } from "springhouse/import";
import type { LegacyProblem } from "../legacy/folder.ts";
import { momentOf } from "../moments.ts";
import { backupsPath, databasePath } from "../places.ts";
import { ENTITIES } from "../schema.ts";
import { keepTokens } from "../secrets.ts";
import { VIEWS } from "../views.ts";
import { rowsOf, rowsOfPlan, TABLES } from "./mapping.ts";
import { type DataFile, type LegacyPlan, planMigration } from "./plan.ts";

export interface MigrateOptions {
  /** Leave out what cannot be read, and list it, instead of refusing it all. Default: false. */
  readonly skipBad?: boolean;
  /** Do all but the last step. Default: false. */
  readonly dryRun?: boolean;
  /** Gives up; the next migration goes on from there. Default: none. */
  readonly signal?: AbortSignal;
  /** Told how many bytes are read, of how many. Default: none. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** What became of a folder. */
export interface MigrationReport {
  /** `already` when an earlier migration is complete: nothing was done then. */
  readonly status: "already" | "migrated" | "rehearsed";
  readonly database: string;
  /** Rows by table. */
  readonly tables: Readonly<Record<string, number>>;
  /** What was left out. */
  readonly refused: readonly LegacyProblem[];
  /** What was changed on the way. */
  readonly notes: readonly string[];
  /** Profiles whose tokens went into `secrets.json`. */
  readonly tokens: readonly string[];
  /** The folder with the copies; null when none were made. */
  readonly backup: string | null;
  /** Items that an earlier, killed migration had done. */
  readonly resumedItems: number;
  readonly files: number;
  readonly bytesRead: number;
  readonly ms: number;
}

/** More than this is left out of no folder: then it is no folder of the old application. */
const REFUSED_MAX = 1_000;
/** How often and how long a migration by another process is waited for. */
const OTHER_MS = 100;
const OTHER_MS_MAX = 60_000;

/** Whether the database of a folder is there and complete. */
export async function isMigrated(root: string): Promise<boolean> {
  const path = databasePath(root);
  if (!existsSync(path)) return false;
  await using db = await open({ url: `sqlite:${path}`, schema: "ignore", readOnly: true });
  const tables = "SELECT 1 FROM sqlite_schema WHERE name = 'app_state'";
  if ((await db.execute(tables)).rows.length === 0) return false;
  const { rows } = await db.execute("SELECT value FROM app_state WHERE key = 'migration_complete'");
  return rows[0]?.["value"] === "true";
}

/**
 * Migrates a folder.
 *
 * @throws `VALIDATION` when a file cannot be read, naming it and the line (`fields.problems` has
 *   all of them), and nothing was migrated; `MIGRATION_FAILED` when the database does not hold what
 *   it was given, and is removed.
 */
export async function migrateFolder(
  root: string,
  options: MigrateOptions = {},
): Promise<MigrationReport> {
  for (let waitedMs = 0; ; waitedMs += OTHER_MS) {
    if (await isMigrated(root)) return alreadyDone(root);
    try {
      return await migrate(root, options);
    } catch (error) {
      // Another process is at it, or was done just now: what it makes is ours as well.
      const isOthers =
        isSpringhouseError(error, "BUSY") ||
        (isSpringhouseError(error, "UNOPENABLE") && existsSync(databasePath(root)));
      if (!isOthers || waitedMs >= OTHER_MS_MAX) throw error;
      await wait(OTHER_MS, undefined, options.signal && { signal: options.signal });
    }
  }
}

async function migrate(root: string, options: MigrateOptions): Promise<MigrationReport> {
  const { skipBad = false, dryRun = false } = options;
  const without = new Set<string>();
  const refused: LegacyProblem[] = [];
  for (;;) {
    const plan = planMigration(root, without);
    if (plan.problems.length > 0 && !skipBad) throw refusal(plan.problems);
    if (!dryRun) keepTokens(root, plan.tokens);
    const notes = new Set(plan.notes);
    try {
      const report = await runImport(root, plan, options, (note) => notes.add(note));
      if (!dryRun) await validate(report, plan);
      const all = [...plan.problems, ...refused, ...report.rejects];
      return reportOf(root, plan, report, all, [...notes]);
    } catch (error) {
      const problems = problemsOf(root, error);
      const [first] = problems;
      if (first === undefined) throw error;
      if (!skipBad || problems.length > 1 || without.has(first.file)) {
        throw refusal(problems, error);
      }
      without.add(first.file);
      refused.push(first);
    }
  }
}

function runImport(
  root: string,
  plan: LegacyPlan,
  { skipBad = false, dryRun = false, signal, onProgress }: MigrateOptions,
  note: (text: string) => void,
): Promise<ImportReport> {
  const data = new Map(plan.data.map((each) => [sourceName(each), each]));
  const writtenAt = new Map(
    plan.data.map(({ file }) => [file, momentOf(Math.floor(statSync(`${root}/${file}`).mtimeMs))]),
  );
  return importFiles({
    target: databasePath(root),
    sources: sourcesOf(root, plan),
    tables: TABLES,
    map(item) {
      const file = data.get(item.source);
      if (file === undefined) return undefined;
      return rowsOf(item, file, { writtenAt: writtenAt.get(file.file) ?? "", skipBad, note });
    },
    finish: () => rowsOfPlan(plan),
    catalog: createCatalog(ENTITIES),
    statements: Object.values(VIEWS),
    backupDirectory: backupsPath(root),
    rejectsMax: skipBad ? REFUSED_MAX : 0,
    dryRun,
    ...(signal && { signal }),
    onProgress: ({ bytesDone, bytesTotal }) => onProgress?.(bytesDone, bytesTotal),
  });
}

function sourceName({ file, kind }: { readonly file: string; readonly kind: string }): string {
  return `${kind} of ${file}`;
}

/** All files, so that all of them are copied; those of the plan were read already. */
function sourcesOf(root: string, plan: LegacyPlan): ImportSource[] {
  const small = plan.readFiles.map(
    (file): ImportSource => ({
      path: `${root}/${file}`,
      name: file,
      below: root,
      format: "document",
    }),
  );
  const large = plan.data.map(
    (each): ImportSource => ({
      path: `${root}/${each.file}`,
      name: sourceName(each),
      below: root,
      ...CUTS[each.kind],
    }),
  );
  return [...small, ...large];
}

/** How files are cut: answers and lists of issues item by item, since they may be large. */
const CUTS: Readonly<Record<DataFile["kind"], Partial<ImportSource>>> = {
  response: { format: "document", omit: ["issues"] },
  issues: { format: "array", at: "issues" },
  "listed-changelogs": { format: "array", at: "issues" },
  changelogs: { format: "map" },
  project: { format: "document" },
  snapshots: { format: "document" },
};

/** Counts the rows of what was planned; pages, references and contents the import has compared. */
async function validate(report: ImportReport, plan: LegacyPlan): Promise<void> {
  const countOf = (kind: DataFile["kind"]): number =>
    plan.data.filter((file) => file.kind === kind).length;
  const expected: Readonly<Record<string, number>> = {
    profiles: plan.profiles.length,
    queries: plan.queries.length,
    jira_responses: countOf("response"),
    project_scope: countOf("project") - report.rejected,
    task_progress: plan.tasks.length,
  };
  const found = await countRows(report.target, Object.keys(expected));
  const faults = Object.entries(expected)
    .filter(([table, least]) => (found[table] ?? 0) < least)
    .map(([table, least]) => `${table} has ${found[table]} rows instead of ${least}`);
  if (faults.length === 0) return;
  if (report.isNew) {
    for (const ending of ["", "-wal", "-shm"]) rmSync(report.target + ending, { force: true });
  }
  throw new SpringhouseError(
    "MIGRATION_FAILED",
    `Migration validation failed - data mismatch detected: ${faults[0]}. The files are as they ` +
      `were, and copies of them lie in ${report.backup}.`,
    { fields: { faults, backup: report.backup } },
  );
}

async function countRows(path: string, tables: readonly string[]): Promise<Record<string, number>> {
  await using db = await open({ url: `sqlite:${path}`, schema: "ignore", readOnly: true });
  const counts = tables.map((table) => `(SELECT count(*) FROM ${table}) AS ${table}`);
  const { rows } = await db.execute<Record<string, number>>(`SELECT ${counts.join(", ")}`);
  return rows[0] ?? {};
}

function refusal(problems: readonly LegacyProblem[], cause?: unknown): SpringhouseError {
  const [first] = problems;
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : "";
  const message =
    `${first?.file}, line ${first?.line}: ${first?.reason}${more}. Nothing was migrated: mend ` +
    "it, or leave it out with --skip-bad.";
  const { file, line } = first ?? {};
  return new SpringhouseError("VALIDATION", message, { cause, fields: { file, line, problems } });
}

/** What is wrong with files, when that is what ended the import: items, or a file as a whole. */
function problemsOf(root: string, error: unknown): readonly LegacyProblem[] {
  if (!isSpringhouseError(error, "VALIDATION")) return [];
  const { path, line, rejects } = error.fields;
  if (Array.isArray(rejects)) return rejects as readonly LegacyProblem[];
  if (typeof path !== "string" || typeof line !== "number") return [];
  const reason = error.message.replace(/^.*?, line \d+: /s, "").replace(/\. .*$/s, "");
  return [{ file: relative(root, path).replaceAll(sep, "/"), line, reason }];
}

/** What the import says of another process's work is what we say of our own, done earlier. */
const STATUSES = { imported: "migrated", rehearsed: "rehearsed", unchanged: "already" } as const;

function reportOf(
  root: string,
  plan: LegacyPlan,
  report: ImportReport,
  refused: readonly LegacyProblem[],
  notes: readonly string[],
): MigrationReport {
  return {
    status: STATUSES[report.status],
    database: databasePath(root),
    tables: Object.fromEntries(report.tables.map(({ table, rows }) => [table, rows])),
    refused,
    notes,
    tokens: [...plan.tokens.keys()],
    backup: report.backup ?? null,
    resumedItems: report.resumedItems,
    files: report.files,
    bytesRead: report.bytes,
    ms: report.ms,
  };
}

function alreadyDone(root: string): MigrationReport {
  return {
    status: "already",
    database: databasePath(root),
    tables: {},
    refused: [],
    notes: [],
    tokens: [],
    backup: null,
    resumedItems: 0,
    files: 0,
    bytesRead: 0,
    ms: 0,
  };
}
