/**
 * Runs tasks at their times, once however many processes run a scheduler over the same table.
 *
 * A task that was missed, because no process ran at its time, is run once when one does, and not
 * once for every time that it was missed. One that fails is tried again a few times, and then at
 * its next time.
 */

import { abortError } from "../../core/abort.ts";
import { warn } from "../../core/channels.ts";
import type { Clock } from "../../core/clock.ts";
import { messageOf } from "../../core/errors.ts";
import type { NextTime } from "./next-time.ts";
import { type Claim, LEASE_MS, type ScheduleTable, type TaskState } from "./schedule-table.ts";

/** One task. */
export interface Task {
  readonly name: string;
  /** Minute, hour, day of month, month, day of week. */
  readonly expression: string;
  /** What it did, in a sentence. */
  readonly run: (signal: AbortSignal) => Promise<string>;
  /** Whether a run that began then, and was broken off, had done all that counts; in a sentence. */
  readonly wasDone: (sinceMs: number) => Promise<string | undefined>;
}

/** How a run has ended. */
export interface TaskRun {
  readonly name: string;
  readonly outcome: "ok" | "failed";
  readonly message: string;
  readonly nextMs: number;
}

/** What a scheduler is made of. */
export interface SchedulerParts {
  readonly table: ScheduleTable;
  readonly tasks: readonly Task[];
  readonly timeZone: string | undefined;
  readonly nextTime: NextTime;
  readonly clock: Clock;
  readonly onRun: (run: TaskRun) => void;
}

/** A laptop that slept, or a clock that was set, is noticed after so long. */
const LOOK_EVERY_MS = 60_000;
const RENEW_EVERY_MS = LEASE_MS / 3;
/** A disk that was full may have room by then. */
const RETRY_MS = 15 * 60_000;
/** What fails so often fails for a reason that does not go away by itself. */
const ATTEMPTS_MAX = 3;
/** A time server sets a clock back by less than that; then what has run must not run again. */
const SET_BACK_MS_MAX = 3_600_000;

/** See above. */
export class Scheduler implements AsyncDisposable {
  readonly #parts: SchedulerParts;
  readonly #stop = new AbortController();
  #timer: Disposable | undefined;
  #looking: Promise<void> = Promise.resolve();

  private constructor(parts: SchedulerParts) {
    this.#parts = parts;
  }

  /** Puts the tasks into the table. Nothing runs yet. */
  static async create(parts: SchedulerParts): Promise<Scheduler> {
    const { table, tasks, timeZone = "", nextTime, clock } = parts;
    for (const { name, expression } of tasks) {
      const nextMs = nextTime(expression, clock.nowMs());
      await table.declare({ name, expression, timeZone, nextMs });
    }
    return new Scheduler(parts);
  }

  /** The tasks of this scheduler, in its order. */
  async states(): Promise<readonly TaskState[]> {
    const { table, tasks, clock } = this.#parts;
    const states = await table.states(clock.nowMs());
    return tasks.flatMap(({ name }) => states.filter((state) => state.name === name));
  }

  /** Runs what is due and nobody else runs, one after the other. */
  async runDue(): Promise<readonly TaskRun[]> {
    const runs: TaskRun[] = [];
    for (const task of this.#parts.tasks) {
      if (this.#stop.signal.aborted) break;
      await this.#correct(task);
      const claim = await this.#parts.table.claim(task.name, this.#parts.clock.nowMs());
      if (claim === undefined) continue;
      const run = await this.#run(task, claim);
      if (run !== undefined) runs.push(run);
    }
    return runs;
  }

  /** Runs what is due from now on, until it is closed. */
  start(): void {
    this.#looking = this.#look();
  }

  /** Stops; what is running is given up and stays due. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    this.#timer?.[Symbol.dispose]();
    await this.#looking;
  }

  async #look(): Promise<void> {
    let waitMs = LOOK_EVERY_MS;
    try {
      await this.runDue();
      const nowMs = this.#parts.clock.nowMs();
      const dueMs = (await this.states()).filter(({ running }) => !running);
      waitMs = Math.min(waitMs, ...dueMs.map(({ nextMs }) => Math.max(nextMs - nowMs, 1)));
    } catch (error) {
      // The table is busy or its disk is full: that may pass, and nobody waits for this promise.
      warn("SCHEDULE_FAILED", `The schedule cannot be read: ${messageOf(error)}`);
    }
    if (this.#stop.signal.aborted) return;
    this.#timer = this.#parts.clock.schedule(() => this.start(), waitMs, true);
  }

  /** No next time is later than the next one from now: the clock was ahead when it was computed. */
  async #correct({ name, expression }: Task): Promise<void> {
    const { table, clock } = this.#parts;
    const nowMs = clock.nowMs();
    const state = (await table.states(nowMs)).find((other) => other.name === name);
    if (state === undefined || state.running || state.nextMs <= nowMs) return;
    const nextMs = this.#parts.nextTime(expression, base(nowMs, state.startedMs));
    if (state.nextMs > nextMs) await table.setNext(name, nextMs);
  }

  async #run(task: Task, { state, brokenOffMs }: Claim): Promise<TaskRun | undefined> {
    const { table, clock, nextTime, onRun } = this.#parts;
    const { name, expression } = task;
    const attempt = await this.#attempt(task, state.attempts, brokenOffMs);
    if (attempt === undefined) {
      await table.release(name);
      return undefined;
    }
    const { outcome, message } = attempt;
    const endedMs = clock.nowMs();
    const regularMs = nextTime(expression, base(endedMs, state.startedMs));
    const isTriedAgain = outcome === "failed" && state.attempts + 1 < ATTEMPTS_MAX;
    const nextMs = isTriedAgain ? Math.min(regularMs, endedMs + RETRY_MS) : regularMs;
    const attempts = isTriedAgain ? state.attempts + 1 : 0;
    await table.end(name, { outcome, message, endedMs, nextMs, attempts });
    const run: TaskRun = { name, outcome, message, nextMs };
    onRun(run);
    return run;
  }

  /** Undefined when it was given up because the scheduler closes. */
  async #attempt(
    task: Task,
    attempts: number,
    brokenOffMs: number | undefined,
  ): Promise<Pick<TaskRun, "outcome" | "message"> | undefined> {
    using _renewing = this.#renew(task.name);
    const { signal } = this.#stop;
    try {
      const done = brokenOffMs === undefined ? undefined : await task.wasDone(brokenOffMs);
      if (signal.aborted) throw abortError(signal, "The schedule");
      if (done !== undefined) return { outcome: "ok", message: done };
      if (attempts >= ATTEMPTS_MAX) {
        return { outcome: "failed", message: `its process died ${attempts} times while it ran` };
      }
      return { outcome: "ok", message: await task.run(signal) };
    } catch (error) {
      return signal.aborted ? undefined : { outcome: "failed", message: messageOf(error) };
    }
  }

  #renew(name: string): Disposable {
    const { table, clock } = this.#parts;
    let timer: Disposable;
    const next = (): void => {
      timer = clock.schedule(() => {
        next();
        // One that fails leaves two more before the lease ends.
        table.renew(name, clock.nowMs()).catch(() => undefined);
      }, RENEW_EVERY_MS);
    };
    next();
    return { [Symbol.dispose]: () => timer[Symbol.dispose]() };
  }
}

/** From when on the next time counts: after the last run, if the clock was set back a little. */
function base(nowMs: number, startedMs = nowMs): number {
  const isAhead = startedMs > nowMs && startedMs - nowMs <= SET_BACK_MS_MAX;
  return isAhead ? startedMs : nowMs;
}
