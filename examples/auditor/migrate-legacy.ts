/**
 * Migrates the origin's `tasks.db` into a new auditor file, side by side.
 *
 * The old file is opened read-only. The new one is built under another name, in one transaction;
 * its counts and sums are compared with the old ones, SQLite checks pages and references, and only
 * then it gets its name, by an atomic rename. Whatever fails before leaves the old file as it was
 * and no new one.
 */

import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { open, SpringhouseError } from "springhouse";
import { rowsText } from "../common/progress.ts";
import {
  type AuditorDatabase,
  type AuditorTransaction,
  checkIntegrity,
  IMPORT_DEADLINE,
  openAuditor,
} from "./database.ts";
import {
  INSERT_LEGACY_WEEK,
  LEGACY_TABLES,
  type LegacyRead,
  type LegacyRow,
  type LegacyTableName,
  readLegacyFeedback,
  readLegacySetting,
  readLegacyTask,
  readLegacyWeek,
} from "./legacy.ts";
import { type Problem, type ProblemReport, Problems } from "./problems.ts";
import { INSERT_CREATIONS, INSERT_TASK, type Parameter, taskRow } from "./task-rows.ts";

type LegacyDatabase = Awaited<ReturnType<typeof open<readonly []>>>;
const TABLES = Object.keys(LEGACY_TABLES) as LegacyTableName[];

/** For `migrateLegacy`. */
export interface MigrateLegacyOptions {
  /** Leave rows out that cannot be converted, instead of refusing the file. Default: false. */
  readonly skipBad?: boolean;
  /** Gives up; nothing is left of the new file. Default: none. */
  readonly signal?: AbortSignal;
  /** Told how many rows are read, of how many. Default: none. */
  readonly onProgress?: (done: number, total: number) => void;
  /** When a task without any date counts as created. Default: now. */
  readonly nowMs?: number;
}

/** What became of one table. */
export interface TableReport {
  readonly table: string;
  readonly read: number;
  readonly migrated: number;
  readonly refused: ProblemReport;
}

/** What became of the file. */
export interface MigrationReport {
  readonly target: string;
  readonly tables: readonly TableReport[];
  /** Columns of the old file that have no place in the new one, such as "tasks.mood". */
  readonly ignoredColumns: readonly string[];
  /** Sum of all durations, equal in both files. */
  readonly durationSeconds: number;
}

/**
 * Migrates `source` into `target`, which must not exist.
 *
 * @throws `VALIDATION` when rows cannot be converted (`fields.tables` says which) and `skipBad` is
 *   not set; `SCHEMA_MISMATCH` when the source is no file of the origin; `MIGRATION_FAILED` when
 *   the two files do not agree.
 */
export async function migrateLegacy(
  source: string,
  target: string,
  options: MigrateLegacyOptions = {},
): Promise<MigrationReport> {
  if (existsSync(target)) {
    throw new SpringhouseError(
      "INVALID_ARGUMENT",
      `${target} is there already. Move it away, or give another name for the new file.`,
    );
  }
  const beside = `${target}.migrating-${process.pid}`;
  try {
    const report = await build(source, beside, target, options);
    renameSync(beside, target);
    syncFolder(dirname(target));
    return report;
  } finally {
    for (const ending of ["", "-wal", "-shm"]) rmSync(beside + ending, { force: true });
  }
}

async function build(
  source: string,
  beside: string,
  target: string,
  options: MigrateLegacyOptions,
): Promise<MigrationReport> {
  const { signal } = options;
  await using old = await open({ url: `sqlite:${source}`, schema: "ignore", readOnly: true });
  const columns = await columnsOf(old);
  const copy = new Copy(old, columns, options, await countRows(old, columns));
  await using db = await openAuditor(beside);
  await db.transaction((tx) => copy.run(tx), {
    deadline: IMPORT_DEADLINE,
    ...(signal && { signal }),
  });
  const durationSeconds = await compare(old, db, columns, copy);
  return { target, tables: copy.tables(), ignoredColumns: ignored(columns), durationSeconds };
}

type Columns = ReadonlyMap<LegacyTableName, readonly string[]>;

async function columnsOf(old: LegacyDatabase): Promise<Columns> {
  const columns = new Map<LegacyTableName, readonly string[]>();
  for (const table of TABLES) {
    const { rows } = await old.execute("SELECT name FROM pragma_table_info(?)", [table]);
    const names = rows.map((row) => String(row["name"]));
    const missing = LEGACY_TABLES[table].required.filter((name) => !names.includes(name));
    // The origin made its later tables only when they were needed.
    const isOptional = table === "feedback_files" || table === "app_settings";
    if (names.length > 0 || !isOptional) refuseMissing(table, missing);
    if (names.length > 0) columns.set(table, names);
  }
  return columns;
}

function refuseMissing(table: string, missing: readonly string[]): void {
  if (missing.length === 0) return;
  throw new SpringhouseError(
    "SCHEMA_MISMATCH",
    `This is not the origin's tasks.db: its table "${table}" lacks ${missing.join(", ")}.`,
    { fields: { table, missing } },
  );
}

function known(table: LegacyTableName): readonly string[] {
  const { required, optional } = LEGACY_TABLES[table];
  return [...required, ...optional];
}

function ignored(columns: Columns): string[] {
  return [...columns].flatMap(([table, names]) =>
    names.filter((name) => !known(table).includes(name)).map((name) => `${table}.${name}`),
  );
}

async function countRows(old: LegacyDatabase, columns: Columns): Promise<number> {
  let rows = 0;
  for (const table of columns.keys()) {
    const counted = await old.execute(`SELECT count(*) AS n FROM ${table}`);
    rows += Number(counted.rows[0]?.["n"]);
  }
  return rows;
}

/** Copies table by table, and remembers what could not be. */
class Copy {
  readonly #old: LegacyDatabase;
  readonly #columns: Columns;
  readonly #options: MigrateLegacyOptions;
  readonly #total: number;
  readonly #reports: TableReport[] = [];
  #done = 0;

  constructor(old: LegacyDatabase, columns: Columns, options: MigrateLegacyOptions, total: number) {
    this.#old = old;
    this.#columns = columns;
    this.#options = options;
    this.#total = total;
  }

  async run(tx: AuditorTransaction): Promise<void> {
    const nowMs = this.#options.nowMs ?? Date.now();
    const weekIds = new Set<number>();
    const taskIds = new Set<number>();
    await this.#copy(tx, "weeks", INSERT_LEGACY_WEEK, readLegacyWeek, (read) => {
      weekIds.add(read.id);
      return read.value;
    });
    await this.#copy(
      tx,
      "tasks",
      INSERT_TASK,
      (row) => withParent(readLegacyTask(row, nowMs), "week_id", weekIds, (task) => task.weekId),
      ({ id, value }) => {
        taskIds.add(id);
        return taskRow(id, value.weekId, value);
      },
    );
    await tx.execute(INSERT_CREATIONS, ["migration", "migration", 0]);
    await this.#copy(
      tx,
      "feedback_files",
      "INSERT INTO feedback_files (id, task_id, content) VALUES (?, ?, ?)",
      (row) => withParent(readLegacyFeedback(row), "task_id", taskIds, (file) => file.taskId),
      ({ id, value }) => [id, value.taskId, value.content],
    );
    await this.#copy(
      tx,
      "app_settings",
      "INSERT INTO app_settings (id, setting_key, setting_value, setting_type) VALUES (?, ?, ?, ?)",
      readLegacySetting,
      ({ id, value }) => [id, ...value],
    );
    if (this.refused > 0 && this.#options.skipBad !== true) this.#refuse();
  }

  tables(): readonly TableReport[] {
    return this.#reports;
  }

  get refused(): number {
    return this.#reports.reduce((sum, { refused }) => sum + refused.rows, 0);
  }

  async #copy<T>(
    tx: AuditorTransaction,
    table: LegacyTableName,
    insert: string,
    read: (row: LegacyRow) => LegacyRead<T>,
    toRow: (read: LegacyRead<T>) => Parameter[],
  ): Promise<void> {
    const names = this.#columns.get(table);
    if (names === undefined) return;
    const problems = new Problems();
    const before = this.#done;
    const selected = known(table).filter((name) => names.includes(name));
    const rows = this.#rows(`SELECT ${selected.join(", ")} FROM ${table} ORDER BY id`);

    async function* good(): AsyncGenerator<Parameter[]> {
      for await (const row of rows) {
        const found = read(row);
        problems.addRow(found.problems);
        if (found.problems.length === 0) yield toRow(found);
      }
    }

    const migrated = await tx.executeMany(insert, good());
    const refused = problems.report();
    this.#reports.push({ table, read: this.#done - before, migrated, refused });
  }

  async *#rows(sql: string): AsyncGenerator<LegacyRow> {
    const { signal, onProgress } = this.#options;
    for await (const row of this.#old.stream(sql)) {
      signal?.throwIfAborted();
      this.#done++;
      onProgress?.(this.#done, this.#total);
      yield row;
    }
  }

  #refuse(): never {
    throw new SpringhouseError(
      "VALIDATION",
      `${rowsText(this.refused)} cannot be converted, so nothing was migrated. ` +
        "Mend what is wrong in the old file, or leave it out with --skip-bad.",
      { fields: { tables: this.#reports } },
    );
  }
}

/** Adds a problem when the row that this one belongs to is not there or was refused. */
function withParent<T>(
  read: LegacyRead<T>,
  column: string,
  parents: ReadonlySet<number>,
  parentOf: (value: T) => number,
): LegacyRead<T> {
  const parent = parentOf(read.value);
  if (parents.has(parent)) return read;
  const problem: Problem = {
    line: read.id,
    column,
    value: String(parent),
    reason: "belongs to a row that is missing or was refused",
  };
  return { ...read, problems: [...read.problems, problem] };
}

/** Compares counts and sums, and has SQLite check the new file; gives the sum of durations. */
async function compare(
  old: LegacyDatabase,
  db: AuditorDatabase,
  columns: Columns,
  copy: Copy,
): Promise<number> {
  const faults = await checkIntegrity(db);
  for (const { table, migrated } of copy.tables()) {
    const { rows } = await db.execute(`SELECT count(*) AS n FROM ${table}`);
    if (Number(rows[0]?.["n"]) !== migrated) faults.push(`${table} has another number of rows`);
  }
  const sums = { duration: 0, time_limit: 0 };
  for (const column of ["duration", "time_limit"] as const) {
    const sum = await db.execute(`SELECT coalesce(sum(${column}_seconds), 0) AS s FROM tasks`);
    sums[column] = Number(sum.rows[0]?.["s"]);
    const before = await sumOfTexts(old, columns, column);
    const isComparable = copy.refused === 0;
    if (isComparable && before !== sums[column]) {
      faults.push(`${column} adds up to ${sums[column]} s instead of ${before} s`);
    }
  }
  if (faults.length === 0) return sums.duration;
  throw new SpringhouseError(
    "MIGRATION_FAILED",
    `The new file does not agree with the old one, so it was removed: ${faults[0]}.`,
    { fields: { faults } },
  );
}

/** The sum of HH:MM:SS texts by SQL alone, so that our own parser is checked as well. */
async function sumOfTexts(old: LegacyDatabase, columns: Columns, column: string): Promise<number> {
  if (!columns.get("tasks")?.includes(column)) return 0;
  const text = `trim(${column})`;
  const hours = `substr(${text}, 1, instr(${text}, ':') - 1) * 3600`;
  const rest = `substr(${text}, -5, 2) * 60 + substr(${text}, -2)`;
  const sql = `SELECT coalesce(sum(${hours} + ${rest}), 0) AS s FROM tasks WHERE ${text} <> ''`;
  const { rows } = await old.execute(sql);
  return Number(rows[0]?.["s"]);
}

/** Makes the rename durable; not every system lets a folder be opened. */
function syncFolder(folder: string): void {
  if (process.platform === "win32") return;
  const handle = openSync(folder, "r");
  fsyncSync(handle);
  closeSync(handle);
}
