/** Backups and their clean-up at fixed times: two tasks, and a scheduler that runs them. */

import { join } from "node:path";
import { assertFunction } from "../../core/arguments.ts";
import { formatBytes } from "../../core/bytes.ts";
import { isOfFuture } from "../../core/clock.ts";
import { formatDuration } from "../../core/duration.ts";
import { createBackup } from "../create.ts";
import { type BackupEntry, listBackups } from "../list.ts";
import { type BackupOptions, resolveBackupOptions, resolveDatabase } from "../options.ts";
import { pruneBackups } from "../prune.ts";
import { type RetentionPolicy, resolvePolicy } from "../retention.ts";
import { assertTimeZone, loadNextTime } from "./next-time.ts";
import { ScheduleTable, type TaskState } from "./schedule-table.ts";
import { Scheduler, type Task, type TaskRun } from "./scheduler.ts";

/** For `scheduleBackups`. */
export interface ScheduleOptions extends Omit<BackupOptions, "signal" | "onProgress"> {
  /** The database: `sqlite:app.db`. No default. */
  readonly url: string;
  /** When backups are made. Default: "0 2 * * *", every day at 02:00. */
  readonly schedule?: string;
  /** When old ones are removed. Default: "0 3 * * 0", on Sundays at 03:00. */
  readonly cleanupSchedule?: string;
  /** What the clean-up keeps. Default: the last 30. */
  readonly retention?: RetentionPolicy;
  /** Such as "Europe/Berlin". Default: that of the system. */
  readonly timeZone?: string | undefined;
  /** Called after each run, also after one that failed. Default: none. */
  readonly onRun?: (run: TaskRun) => void;
}

/** A schedule of backups. */
export interface BackupSchedule extends AsyncDisposable {
  /** When what is due next, and how it ended last. */
  tasks(): Promise<readonly TaskState[]>;
  /** Runs what is due now, unless another process does. */
  runDue(): Promise<readonly TaskRun[]>;
  /** Runs what is due from now on, and keeps the process alive for it. */
  start(): void;
}

const KEYS = ["url", "schedule", "cleanupSchedule", "retention", "timeZone", "onRun"];
const FILE = "schedule.db";

/**
 * Opens the schedule of a folder of backups. It is kept in `schedule.db` there: what was missed is
 * caught up once, and of several processes one does the work.
 *
 * @throws `INVALID_ARGUMENT` for what is no schedule or time zone.
 * @example
 * await using schedule = await scheduleBackups({ url: "sqlite:app.db", directory: "backups" });
 * schedule.start();
 */
export async function scheduleBackups(options: ScheduleOptions): Promise<BackupSchedule> {
  const resolved = resolveBackupOptions("scheduleBackups", options, KEYS);
  const { timeZone, retention = {}, onRun = () => undefined } = options;
  const { schedule = "0 2 * * *", cleanupSchedule = "0 3 * * 0" } = options;
  const { directory, clock } = resolved;
  const url = options.url;
  resolveDatabase("scheduleBackups", url);
  assertFunction("scheduleBackups: onRun", onRun);
  const policy = resolvePolicy("scheduleBackups: retention", retention);
  if (timeZone !== undefined) assertTimeZone("scheduleBackups: timeZone", timeZone);
  const nextTime = await loadNextTime(timeZone);
  const backup: Task = {
    name: "backup",
    expression: schedule,
    async run(signal) {
      const { key } = options;
      return madeText(
        await createBackup({ url, directory, key, clock, kind: "scheduled", signal }),
      );
    },
    async wasDone(sinceMs) {
      const entries = await listBackups({ directory });
      const made = entries.find(({ createdAt, manifest, problem }) => {
        const isSound = manifest?.kind === "scheduled" && problem === undefined;
        const madeMs = createdAt?.getTime() ?? 0;
        return isSound && madeMs >= sinceMs && !isOfFuture(madeMs, clock.nowMs());
      });
      return made === undefined ? undefined : madeText(made);
    },
  };
  const cleanup: Task = {
    name: "cleanup",
    expression: cleanupSchedule,
    async run(signal) {
      const report = await pruneBackups({ directory, ...policy, clock, signal });
      const { removed, freedBytes } = report;
      return `removed ${removed.length} backups (${formatBytes(freedBytes)})`;
    },
    // Removing what is left over once more does no harm.
    wasDone: async () => undefined,
  };
  const expressions = [schedule, cleanupSchedule];
  for (const expression of expressions) nextTime(expression, clock.nowMs());
  const table = await ScheduleTable.open(join(directory, FILE));
  try {
    const tasks = [backup, cleanup];
    const parts = { table, tasks, timeZone, nextTime, clock, onRun };
    return new OpenSchedule(await Scheduler.create(parts), table);
  } catch (error) {
    await table[Symbol.asyncDispose]();
    throw error;
  }
}

class OpenSchedule implements BackupSchedule {
  readonly #scheduler: Scheduler;
  readonly #table: ScheduleTable;

  constructor(scheduler: Scheduler, table: ScheduleTable) {
    this.#scheduler = scheduler;
    this.#table = table;
  }

  tasks(): Promise<readonly TaskState[]> {
    return this.#scheduler.states();
  }

  runDue(): Promise<readonly TaskRun[]> {
    return this.#scheduler.runDue();
  }

  start(): void {
    this.#scheduler.start();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#scheduler[Symbol.asyncDispose]();
    await this.#table[Symbol.asyncDispose]();
  }
}

function madeText({ name, sizeBytes, verification }: BackupEntry): string {
  const ms = verification?.ok === true ? verification.proof.ms : 0;
  return `made ${name} (${formatBytes(sizeBytes)}, verified in ${formatDuration(ms)})`;
}
