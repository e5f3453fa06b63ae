/**
 * The auditor: weeks, tasks, their durations and timers.
 *
 * Every operation is one transaction, and writes the event that tells of it in the same one; the
 * seconds that a task's events add are always its duration. `db.on("taskCreated", …)` and the like
 * hear of each operation after its commit.
 */

import { type InsertOf, type PatchOf, type RowOf, SpringhouseError } from "springhouse";
import type { AuditorDatabase, AuditorTransaction } from "./database.ts";
import { displayDuration } from "./durations.ts";
import { type EventType, Task, TaskEvent, type UserAction, Week } from "./schema.ts";

/** A week as it is stored. */
export type WeekRow = RowOf<typeof Week>;
/** A task as it is stored. */
export type TaskRow = RowOf<typeof Task>;

type Display = "durationDisplay" | "timeLimitDisplay";
/** What makes a task. Displays follow from the seconds. */
export type TaskInput = Omit<InsertOf<typeof Task>, "id" | Display>;
/** What changes a task: absent means as before. Displays follow from the seconds. */
export type TaskChange = Omit<PatchOf<typeof Task>, Display>;

/** A page of a week's tasks, the newest first. */
export interface TaskPage {
  readonly rows: readonly TaskRow[];
  /** Give it back as `cursor` for the next page; absent on the last. */
  readonly next?: string;
}

/** For `weekTasks`; `offset` and `cursor` exclude each other. */
export interface WeekTasksOptions {
  /** Rows of the page; 0 gives none. Default: 100. */
  readonly limit?: number;
  /** Rows left out at the beginning. Default: 0. */
  readonly offset?: number;
  /** Where the page before ended. Default: the beginning. */
  readonly cursor?: string;
}

const PAGE_ROWS = 100;

/** The operations of the auditor on one database. */
export class Auditor {
  readonly #db: AuditorDatabase;
  readonly #now: () => Date;

  /** @param now the clock; timers and events are dated by it. */
  constructor(db: AuditorDatabase, now: () => Date = () => new Date()) {
    this.#db = db;
    this.#now = now;
  }

  /** Makes a week; a label that is taken is a `CONSTRAINT`. */
  createWeek(input: InsertOf<typeof Week>): Promise<WeekRow> {
    return this.#db.repository(Week).create(input);
  }

  /** Changes a week. Throws `NOT_FOUND` when there is none. */
  updateWeek(id: number, change: PatchOf<typeof Week>): Promise<WeekRow> {
    return this.#db.repository(Week).patch(id, change);
  }

  /** Deletes a week with its tasks and their events. Throws `NOT_FOUND` when there is none. */
  async deleteWeek(id: number): Promise<void> {
    if (!(await this.#db.repository(Week).delete(id))) throw missing("week", id);
  }

  /** All weeks, by label. */
  async weeks(): Promise<WeekRow[]> {
    return Array.fromAsync(this.#db.repository(Week).stream({ orderBy: { label: "asc" } }));
  }

  /** A week by its label. Throws `NOT_FOUND` when there is none. */
  async weekByLabel(label: string): Promise<WeekRow> {
    const [week] = await this.#db.repository(Week).list({ where: { label }, limit: 1 });
    return week ?? fail(missing("week", label));
  }

  /** Makes a task with its event. Throws `NOT_FOUND` when there is no such week. */
  createTask(input: TaskInput, method: UserAction = "manual"): Promise<TaskRow> {
    return this.#db.transaction(async (tx) => {
      await requireWeek(tx, input.weekId);
      const task = await tx.repository(Task).create({ ...input, ...displaysOf(input) });
      const data = { week_id: input.weekId, creation_method: method };
      await this.#log(tx, task.id, "task_created", method, data, task.durationSeconds);
      return task;
    });
  }

  /** A task. Throws `NOT_FOUND` when there is none. */
  async task(id: number): Promise<TaskRow> {
    return (await this.#db.repository(Task).get(id)) ?? fail(missing("task", id));
  }

  /** Changes a task, also to another week; the event names the changed properties. */
  updateTask(id: number, change: TaskChange, method: UserAction = "manual"): Promise<TaskRow> {
    return this.#db.transaction(async (tx) => {
      const before = await requireTask(tx, id);
      if (change.weekId !== undefined) await requireWeek(tx, change.weekId);
      const after = await tx.repository(Task).patch(id, { ...change, ...displaysOf(change) });
      const added = after.durationSeconds - before.durationSeconds;
      await this.#log(tx, id, "task_updated", method, differences(before, after), added);
      return after;
    });
  }

  /**
   * Sets the duration of a task. Nothing is lost when two callers do it at once: the transaction
   * holds the only writer from its first read on.
   *
   * @throws `NOT_FOUND` when there is no such task, `VALIDATION` when the seconds are none.
   */
  updateTaskDuration(id: number, seconds: number, method: UserAction = "timer"): Promise<TaskRow> {
    return this.#db.transaction(async (tx) => {
      const before = await requireTask(tx, id);
      const after = await tx.repository(Task).patch(id, durationOf(seconds));
      const change = seconds - before.durationSeconds;
      const data = {
        old_duration: before.durationSeconds,
        new_duration: seconds,
        method,
        duration_change: change,
      };
      await this.#log(tx, id, "duration_updated", method, data, change);
      return after;
    });
  }

  /** Deletes a task with its events. Throws `NOT_FOUND` when there is none. */
  async deleteTask(id: number): Promise<void> {
    if (!(await this.#db.repository(Task).delete(id))) throw missing("task", id);
  }

  /**
   * Starts the timer of a task.
   *
   * @throws `NOT_FOUND` when there is no such task, `CONSTRAINT` when its timer runs already.
   */
  startTimer(id: number): Promise<TaskRow> {
    return this.#db.transaction(async (tx) => {
      const task = await requireTask(tx, id);
      const started = await runningSince(tx, id);
      if (started !== undefined) {
        throw refused(id, `runs already, since ${started.toISOString()}. Stop it first`);
      }
      await this.#log(tx, id, "timer_start", "timer", null, 0);
      if (task.timeBegin !== null) return task;
      return tx.repository(Task).patch(id, { timeBegin: this.#now() });
    });
  }

  /**
   * Stops the timer of a task and adds the seconds since its start to the duration.
   *
   * @throws `NOT_FOUND` when there is no such task, `CONSTRAINT` when its timer does not run.
   */
  stopTimer(id: number): Promise<TaskRow> {
    return this.#db.transaction(async (tx) => {
      const before = await requireTask(tx, id);
      const started = await runningSince(tx, id);
      if (started === undefined) throw refused(id, "does not run. Start it first");
      const now = this.#now();
      // A clock that was set back must not take time away.
      const elapsed = Math.max(0, Math.floor((now.getTime() - started.getTime()) / 1_000));
      const seconds = before.durationSeconds + elapsed;
      const change = { ...durationOf(seconds), timeEnd: now };
      const after = await tx.repository(Task).patch(id, change);
      const data = { started: started.toISOString(), new_duration: seconds };
      await this.#log(tx, id, "timer_stop", "timer", data, elapsed);
      return after;
    });
  }

  /** A page of a week's tasks, the newest first; tasks of one moment in the order of their ids. */
  async weekTasks(weekId: number, options: WeekTasksOptions = {}): Promise<TaskPage> {
    const { limit = PAGE_ROWS, offset, cursor } = options;
    const orderBy = [{ createdAt: "desc" }, { id: "asc" }] as const;
    const order = { where: { weekId }, orderBy, limit };
    const tasks = this.#db.repository(Task);
    if (offset !== undefined) return { rows: await tasks.list({ ...order, offset }) };
    const { rows, next } = await tasks.page({ ...order, ...(cursor !== undefined && { cursor }) });
    return next === undefined ? { rows } : { rows, next };
  }

  async #log(
    tx: AuditorTransaction,
    taskId: number,
    eventType: EventType,
    userAction: UserAction,
    eventData: Readonly<Record<string, unknown>> | null,
    durationChange: number,
  ): Promise<void> {
    const event = { taskId, eventType, userAction, eventData, durationChange };
    await tx.repository(TaskEvent).create({ ...event, timestamp: this.#now() });
  }
}

/** When the running timer of a task was started; undefined when none runs. */
async function runningSince(tx: AuditorTransaction, taskId: number): Promise<Date | undefined> {
  const [last] = await tx.repository(TaskEvent).list({
    where: { taskId, eventType: { in: ["timer_start", "timer_stop"] } },
    orderBy: { id: "desc" },
    limit: 1,
  });
  return last?.eventType === "timer_start" ? last.timestamp : undefined;
}

async function requireTask(tx: AuditorTransaction, id: number): Promise<TaskRow> {
  return (await tx.repository(Task).get(id)) ?? fail(missing("task", id));
}

async function requireWeek(tx: AuditorTransaction, id: number): Promise<void> {
  if (!(await tx.repository(Week).exists(id))) throw missing("week", id);
}

/** Both columns of a duration. */
function durationOf(seconds: number): { durationSeconds: number; durationDisplay: string } {
  return { durationSeconds: seconds, durationDisplay: displayDuration(seconds) };
}

/** The displays of those seconds that are given. */
function displaysOf(input: {
  readonly durationSeconds?: number | undefined;
  readonly timeLimitSeconds?: number | undefined;
}): { durationDisplay?: string; timeLimitDisplay?: string } {
  const { durationSeconds, timeLimitSeconds } = input;
  return {
    ...(durationSeconds !== undefined && { durationDisplay: displayDuration(durationSeconds) }),
    ...(timeLimitSeconds !== undefined && { timeLimitDisplay: displayDuration(timeLimitSeconds) }),
  };
}

/** Old and new value of every property that differs, save for the moment of the change. */
function differences(before: TaskRow, after: TaskRow): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (const name of Object.keys(after) as (keyof TaskRow)[]) {
    const [old, now] = [JSON.stringify(before[name]), JSON.stringify(after[name])];
    if (name !== "updatedAt" && old !== now) {
      found[name] = { old: JSON.parse(old), new: JSON.parse(now) };
    }
  }
  return found;
}

function missing(what: string, id: number | string): SpringhouseError {
  return new SpringhouseError("NOT_FOUND", `There is no ${what} ${JSON.stringify(id)}.`, {
    fields: { what, id },
  });
}

function refused(id: number, reason: string): SpringhouseError {
  return new SpringhouseError("CONSTRAINT", `The timer of task ${id} ${reason}.`, {
    fields: { id },
  });
}

function fail(error: SpringhouseError): never {
  throw error;
}
