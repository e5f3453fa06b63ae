/**
 * What a schedule knows, in a file of its own beside the backups: when each task is due next, who
 * runs it, how it ended last. So it outlives the process, several processes share it, and restoring
 * the database does not set it back.
 *
 * A task is run by whoever claims it, in one transaction, for the length of a lease. The lease is
 * renewed while the task runs; when its process is gone, the next one may claim the task at once.
 */

import { randomUUID } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { isGone, type ProcessMark, thisProcess } from "../../core/process-mark.ts";
import type { SqlValue, Statement } from "../../core/statement.ts";
import { toSpringhouseError } from "../../sqlite/errors.ts";
import { openSqliteStore, type SqliteStore } from "../../store/sqlite/store.ts";
import type { Session } from "../../store/store.ts";

/** A task as the table has it. */
export interface TaskState {
  readonly name: string;
  readonly expression: string;
  /** The time zone that `nextMs` was computed in; empty for that of the system. */
  readonly timeZone: string;
  readonly nextMs: number;
  /** Of the run that is under way, else of the last one. */
  readonly startedMs: number | undefined;
  readonly endedMs: number | undefined;
  /** Of the last run that has ended. */
  readonly outcome: "ok" | "failed" | undefined;
  /** What it did, or why it failed. */
  readonly message: string | undefined;
  /** Runs since the task was last due that failed, or whose process died. */
  readonly attempts: number;
  /** Whether somebody runs it now. */
  readonly running: boolean;
}

/** What a task is declared with. */
export type TaskDeclaration = Pick<TaskState, "name" | "expression" | "timeZone" | "nextMs">;

/** How a run has ended. */
export interface Ending {
  readonly outcome: "ok" | "failed";
  readonly message: string;
  readonly endedMs: number;
  readonly nextMs: number;
  readonly attempts: number;
}

/** A claim to run a task. */
export interface Claim {
  readonly state: TaskState;
  /** Whether the one before died while it ran, and when it had begun. */
  readonly brokenOffMs: number | undefined;
}

/** Renewed three times as often; a process that stands still for longer is not waited for. */
export const LEASE_MS = 60_000;

const CREATE = `CREATE TABLE IF NOT EXISTS springhouse_schedule (
  name TEXT PRIMARY KEY, expression TEXT NOT NULL, time_zone TEXT NOT NULL,
  next_ms INTEGER NOT NULL, started_ms INTEGER, ended_ms INTEGER, outcome TEXT, message TEXT,
  attempts INTEGER NOT NULL DEFAULT 0, holder TEXT, lease_until_ms INTEGER) STRICT`;
const COLUMNS =
  "name, expression, time_zone, next_ms, started_ms, ended_ms, outcome, message, attempts, " +
  "holder, lease_until_ms";

interface Holder extends ProcessMark {
  readonly token: string;
}

/** The table of one folder of backups. */
export class ScheduleTable implements AsyncDisposable {
  readonly #store: SqliteStore;
  readonly #holder: Holder = { token: randomUUID(), ...thisProcess() };

  private constructor(store: SqliteStore) {
    this.#store = store;
  }

  /** Opens the file, and makes it when there is none. */
  static async open(path: string): Promise<ScheduleTable> {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 }).catch((error: unknown) => {
      throw toSpringhouseError(error, { path: dirname(path) });
    });
    // What it loses in a power failure is made again; a damaged file is set aside.
    const store = await openSqliteStore({ url: { kind: "file", path }, profile: "fast" });
    try {
      await store.write([statement(CREATE)]);
      return new ScheduleTable(store);
    } catch (error) {
      await store.close();
      throw error;
    }
  }

  /** All tasks, by name. */
  async states(nowMs: number): Promise<readonly TaskState[]> {
    const sql = `SELECT ${COLUMNS} FROM springhouse_schedule ORDER BY name`;
    const { rows } = await this.#store.read(statement(sql));
    return rows.map((row) => toRecord(row, nowMs).state);
  }

  /** Adds a task, or gives it another schedule; then it is due next at `nextMs`. */
  async declare(task: TaskDeclaration): Promise<void> {
    const { name, expression, timeZone, nextMs } = task;
    const sql = `INSERT INTO springhouse_schedule (name, expression, time_zone, next_ms)
      VALUES (?, ?, ?, ?) ON CONFLICT (name) DO UPDATE
      SET expression = excluded.expression, time_zone = excluded.time_zone,
        next_ms = excluded.next_ms, attempts = 0
      WHERE expression <> excluded.expression OR time_zone <> excluded.time_zone`;
    await this.#store.write([statement(sql, name, expression, timeZone, nextMs)]);
  }

  /** Corrects the next time of a task that nobody runs. */
  async setNext(name: string, nextMs: number): Promise<void> {
    const sql = "UPDATE springhouse_schedule SET next_ms = ? WHERE name = ? AND holder IS NULL";
    await this.#store.write([statement(sql, nextMs, name)]);
  }

  /** Takes a task that is due; undefined when it is not, or somebody else has it. */
  async claim(name: string, nowMs: number): Promise<Claim | undefined> {
    return this.#store.transaction(async (transaction) => {
      const record = await find(transaction, name, nowMs);
      if (record === undefined || record.state.running) return undefined;
      if (record.state.nextMs > nowMs) return undefined;
      const { state, isHeld } = record;
      const attempts = state.attempts + (isHeld ? 1 : 0);
      const sql = `UPDATE springhouse_schedule
        SET holder = ?, lease_until_ms = ?, started_ms = ?, attempts = ? WHERE name = ?`;
      const holder = JSON.stringify(this.#holder);
      await transaction.write([statement(sql, holder, nowMs + LEASE_MS, nowMs, attempts, name)]);
      const brokenOffMs = isHeld ? state.startedMs : undefined;
      return { state: { ...state, attempts, startedMs: nowMs, running: true }, brokenOffMs };
    });
  }

  /** Keeps a claim for another lease. */
  async renew(name: string, nowMs: number): Promise<void> {
    const sql = `UPDATE springhouse_schedule SET lease_until_ms = ?
      WHERE name = ? AND instr(holder, ?) > 0`;
    await this.#store.write([statement(sql, nowMs + LEASE_MS, name, this.#holder.token)]);
  }

  /** Gives a claim back, with how the run ended. Nothing when somebody else has it by now. */
  async end(name: string, { outcome, message, endedMs, nextMs, attempts }: Ending): Promise<void> {
    const sql = `UPDATE springhouse_schedule SET holder = NULL, lease_until_ms = NULL,
        outcome = ?, message = ?, ended_ms = ?, next_ms = ?, attempts = ?
      WHERE name = ? AND instr(holder, ?) > 0`;
    const { token } = this.#holder;
    await this.#store.write([
      statement(sql, outcome, message, endedMs, nextMs, attempts, name, token),
    ]);
  }

  /** Gives a claim back as if it had not been made: the task is still due. */
  async release(name: string): Promise<void> {
    const sql = `UPDATE springhouse_schedule SET holder = NULL, lease_until_ms = NULL
      WHERE name = ? AND instr(holder, ?) > 0`;
    await this.#store.write([statement(sql, name, this.#holder.token)]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#store.close();
  }
}

interface TaskRecord {
  readonly state: TaskState;
  /** Whether anybody has claimed it, also one who is gone. */
  readonly isHeld: boolean;
}

async function find(
  session: Session,
  name: string,
  nowMs: number,
): Promise<TaskRecord | undefined> {
  const sql = `SELECT ${COLUMNS} FROM springhouse_schedule WHERE name = ?`;
  const row = (await session.read(statement(sql, name))).rows[0];
  return row === undefined ? undefined : toRecord(row, nowMs);
}

function toRecord(row: readonly SqlValue[], nowMs: number): TaskRecord {
  const [name, expression, timeZone, nextMs, startedMs, endedMs, outcome, message] = row;
  const [attempts, holder, leaseUntilMs] = row.slice(8);
  const isHeld = typeof holder === "string";
  const isLeft = isHeld && (Number(leaseUntilMs) < nowMs || isGone(JSON.parse(holder) as Holder));
  const state: TaskState = {
    name: String(name),
    expression: String(expression),
    timeZone: String(timeZone),
    nextMs: Number(nextMs),
    startedMs: numberOf(startedMs),
    endedMs: numberOf(endedMs),
    outcome: outcome === "ok" || outcome === "failed" ? outcome : undefined,
    message: typeof message === "string" ? message : undefined,
    attempts: Number(attempts),
    running: isHeld && !isLeft,
  };
  return { state, isHeld };
}

function numberOf(value: SqlValue | undefined): number | undefined {
  return value === null || value === undefined ? undefined : Number(value);
}

function statement(sql: string, ...parameters: SqlValue[]): Statement {
  return { sql, parameters };
}
