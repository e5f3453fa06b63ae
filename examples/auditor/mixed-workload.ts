/**
 * Reads and writes in one mix, by this process and a second one that knows nothing of the library,
 * with every cached read compared with the database.
 *
 * Before and after a cached read the same is computed by plain SQLite on a connection of its own. A
 * result that equals neither is stale, unless something was committed between the two computations:
 * then it may have been right for a moment of which nothing is known any more. Such reads are
 * counted apart; they are few, because the second process writes in bursts, between which all is
 * quiet but for this process.
 */

import { DatabaseSync } from "node:sqlite";
import { isDeepStrictEqual } from "node:util";
import { randomNumbers } from "../common/random.ts";
import { Auditor, type TaskRow, type WeekRow } from "./auditor.ts";
import { type AuditorDatabase, openAuditor } from "./database.ts";
import { ForeignProcess } from "./foreign-process.ts";
import { mixedWrite } from "./mixed-writes.ts";
import { COUNT_STATISTICS, type WeekStatistics, weekStatisticsOf } from "./statistics.ts";
import { WeekReads } from "./week-reads.ts";

const WEEKS = 8;
const TASKS = 10;
const PAGE_ROWS = 5;
const ROUNDS = 50;
/** Of a hundred operations that many are writes, by each of the two processes. */
const WRITES_PER_HUNDRED = 1;
/** Writes of this process that are under way at one time. */
const IN_FLIGHT_MAX = 4;

/** For `runMixedWorkload`. */
export interface MixedOptions {
  /** Reads and writes together. No default. */
  readonly operations: number;
  /** Default: 1. */
  readonly seed?: number;
  readonly signal?: AbortSignal;
  /** Told how many operations are done, of how many. Default: none. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** What became of it. */
export interface MixedReport {
  readonly operations: number;
  readonly reads: number;
  /** Reads that were answered from memory. */
  readonly hits: number;
  readonly ownWrites: number;
  readonly foreignWrites: number;
  readonly staleReads: number;
  /** Reads with a commit beside them that leaves open which result was right. */
  readonly uncheckedReads: number;
  readonly seconds: number;
}

/** Runs the workload in weeks of its own, which it removes again. */
export async function runMixedWorkload(
  path: string,
  { operations, seed = 1, signal, onProgress }: MixedOptions,
): Promise<MixedReport> {
  await using db = await openAuditor(path, { freshness: "strict" });
  const auditor = new Auditor(db);
  const weeks = await makeWeeks(auditor);
  await using foreign = new ForeignProcess(path);
  using workload = new Workload(db, path, weeks, randomNumbers(seed));
  const startMs = performance.now();
  let done = 0;
  for (let round = 1; round <= ROUNDS; round++) {
    signal?.throwIfAborted();
    const until = Math.floor((operations * round) / ROUNDS);
    await workload.round(foreign, until - done);
    done = until;
    onProgress?.(done, operations);
  }
  const seconds = (performance.now() - startMs) / 1_000;
  for (const week of weeks) await auditor.deleteWeek(week);
  return { operations, ...workload.counts, seconds };
}

async function makeWeeks(auditor: Auditor): Promise<number[]> {
  const weeks: number[] = [];
  for (let week = 1; week <= WEEKS; week++) {
    const { id: weekId } = await auditor.createWeek({ label: `mixed workload ${week}` });
    for (let task = 0; task < TASKS; task++) await auditor.createTask({ weekId });
    weeks.push(weekId);
  }
  return weeks;
}

/** A cached read, and what plain SQLite gave before and after it. */
export interface CheckedRead {
  readonly given: unknown;
  readonly before: unknown;
  readonly after: () => unknown;
  /** Whether nothing was committed from `before` to `after`. */
  readonly isQuiet: () => boolean;
}

/** What the database says of a cached read. */
export function judge(read: CheckedRead): "right" | "stale" | "unchecked" {
  if (isDeepStrictEqual(read.given, read.before)) return "right";
  if (isDeepStrictEqual(read.given, read.after())) return "right";
  return read.isQuiet() ? "stale" : "unchecked";
}

type Counts = Omit<MixedReport, "operations" | "seconds">;
type Mutable<T> = { -readonly [P in keyof T]: T[P] };

class Workload implements Disposable {
  readonly counts: Mutable<Counts> = {
    reads: 0,
    hits: 0,
    ownWrites: 0,
    foreignWrites: 0,
    staleReads: 0,
    uncheckedReads: 0,
  };
  readonly #db: AuditorDatabase;
  readonly #weeks: readonly number[];
  readonly #random: () => number;
  readonly #reads: WeekReads;
  readonly #plain: PlainReads;
  readonly #inFlight = new Set<Promise<unknown>>();

  constructor(db: AuditorDatabase, path: string, weeks: readonly number[], random: () => number) {
    this.#db = db;
    this.#weeks = weeks;
    this.#random = random;
    this.#reads = new WeekReads(db);
    this.#plain = new PlainReads(path);
  }

  /** One burst of the second process, which begins with the round, and everything of ours. */
  async round(foreign: ForeignProcess, operations: number): Promise<void> {
    const writes = Math.floor((operations * WRITES_PER_HUNDRED) / 100);
    const burst = foreign.write(Array.from({ length: writes }, () => this.#write()));
    const ours = operations - writes;
    const readsPerWrite = writes === 0 ? ours : Math.ceil(ours / writes);
    for (let operation = 1; operation <= ours; operation++) {
      if (operation % readsPerWrite === 0) await this.#writeOurs();
      else await this.#read();
    }
    await Promise.all([burst, ...this.#inFlight]);
    this.counts.foreignWrites += writes;
  }

  [Symbol.dispose](): void {
    this.#plain[Symbol.dispose]();
  }

  #write(): ReturnType<typeof mixedWrite> {
    return mixedWrite(this.#random, this.#weeks, TASKS);
  }

  /** Begins a write and goes on, so that reads and commits meet in every way. */
  async #writeOurs(): Promise<void> {
    const { sql, parameters } = this.#write();
    const write = this.#db.execute(sql, parameters).finally(() => this.#inFlight.delete(write));
    this.#inFlight.add(write);
    this.counts.ownWrites++;
    if (this.#inFlight.size >= IN_FLIGHT_MAX) await Promise.all(this.#inFlight);
  }

  async #read(): Promise<void> {
    const week = this.#weeks[Math.floor(this.#random() * this.#weeks.length)] ?? 0;
    const kind = Math.floor(this.#random() * 3);
    const { weekData, weekStatistics, weekTasks } = this.#reads;
    this.counts.reads++;
    if (kind === 0) {
      const isHit = weekData.peek(week) !== undefined;
      await this.#check(
        isHit,
        () => weekData(week).then(dataOf),
        () => this.#plain.data(week),
      );
    } else if (kind === 1) {
      const isHit = weekStatistics.peek(week) !== undefined;
      await this.#check(
        isHit,
        () => weekStatistics(week),
        () => this.#plain.statistics(week),
      );
    } else {
      const isHit = weekTasks.peek(week, PAGE_ROWS, 0) !== undefined;
      const read = () => weekTasks(week, PAGE_ROWS, 0).then((rows) => rows.map(taskOf));
      await this.#check(isHit, read, () => this.#plain.tasks(week));
    }
  }

  async #check(
    isHit: boolean,
    read: () => Promise<unknown>,
    compute: () => unknown,
  ): Promise<void> {
    if (isHit) this.counts.hits++;
    const version = this.#plain.version();
    const before = compute();
    const given = await read();
    const isQuiet = (): boolean => version === this.#plain.version();
    const verdict = judge({ given, before, after: compute, isQuiet });
    if (verdict === "stale") this.counts.staleReads++;
    if (verdict === "unchecked") this.counts.uncheckedReads++;
  }
}

/** A task as far as it is compared. */
type PlainTask = Pick<TaskRow, "id" | "projectName" | "durationSeconds" | "score">;
type PlainWeek = Pick<WeekRow, "label" | "isBonusWeek">;

function taskOf({ id, projectName, durationSeconds, score }: TaskRow): PlainTask {
  return { id, projectName, durationSeconds, score };
}

function dataOf(week: WeekRow | null): PlainWeek | undefined {
  return week === null ? undefined : { label: week.label, isBonusWeek: week.isBonusWeek };
}

/** The same reads by plain SQLite, past everything that the library has. */
class PlainReads implements Disposable {
  readonly #database: DatabaseSync;
  readonly #data;
  readonly #statistics;
  readonly #tasks;
  readonly #version;

  constructor(path: string) {
    this.#database = new DatabaseSync(path, { readOnly: true });
    this.#data = this.#database.prepare("SELECT week_label, is_bonus_week FROM weeks WHERE id = ?");
    this.#statistics = this.#database.prepare(COUNT_STATISTICS);
    this.#tasks = this.#database.prepare(
      "SELECT id, project_name, duration_seconds, score FROM tasks WHERE week_id = ? " +
        `ORDER BY created_at DESC, id LIMIT ${PAGE_ROWS}`,
    );
    this.#version = this.#database.prepare("PRAGMA data_version");
  }

  /** Another number after each commit of any other connection. */
  version(): number {
    return Number(this.#version.get()?.["data_version"]);
  }

  data(week: number): PlainWeek | undefined {
    const row = this.#data.get(week);
    if (row === undefined) return undefined;
    return { label: String(row["week_label"]), isBonusWeek: row["is_bonus_week"] === 1 };
  }

  statistics(week: number): WeekStatistics | undefined {
    const row = this.#statistics.get(week);
    return row === undefined ? undefined : weekStatisticsOf(row);
  }

  tasks(week: number): PlainTask[] {
    return this.#tasks.all(week).map((row) => ({
      id: Number(row["id"]),
      projectName: String(row["project_name"]),
      durationSeconds: Number(row["duration_seconds"]),
      score: Number(row["score"]),
    }));
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }
}
