/**
 * From the CESAW files to tasks of the auditor.
 *
 * People work on a CESAW task in several weeks, while a task of the auditor lives in one, so an
 * auditor's task is one CESAW task in one ISO week: its duration is the sum of that week's log
 * entries. A task of the list that no entry belongs to becomes a task in the week of its own start.
 */

import type { LogEntry, PlanItem, Work } from "./cesaw.ts";
import { invalid } from "./invalid.ts";
import type { Problem } from "./problems.ts";
import { weekLabelOf, weekNumberOf } from "./weeks.ts";

/** Bounds the memory of an import: about 500 bytes each. */
const CESAW_TASKS_MAX = 1_000_000;
/** Weeks are numbered from 1970 on; two centuries of them leave room for the keys below. */
const WEEKS_MAX = 10_000;
const MINUTE_MS = 60_000;
const WEEK_MINUTES = 10_080;

/** A CESAW task that the list, or only the log, tells of. */
interface CesawTask {
  readonly number: number;
  readonly work: Work;
  /** What only the list says; absent when it does not have the task. */
  readonly item: Omit<PlanItem, keyof Work> | undefined;
  hasEntries: boolean;
}

/** A task of the auditor in the making. */
export interface WeekTask {
  /** Counts from 0 in the order in which they were first seen. */
  readonly index: number;
  readonly work: Work;
  readonly timeLimitSeconds: number;
  /** Whether its time comes from log entries; otherwise the list says it as a whole. */
  readonly hasEntries: boolean;
  seconds: number;
  /** The first start; it says which week this is. */
  beginMs: number;
  endMs: number;
}

/** Gathers list and log into the tasks of weeks. */
export class WeekTasks {
  readonly #cesaw = new Map<string, CesawTask>();
  /** By number of the CESAW task and week, in the order of `index`. */
  readonly #tasks = new Map<number, WeekTask>();
  /** The minutes in which the entries of a task began, to notice a second one. */
  readonly #starts = new Set<number>();
  /** One copy of each phase and project, instead of one for each row. */
  readonly #texts = new Map<string, string>();

  /** Takes a row of the task list in; a second row of the same task is a problem. */
  addItem(item: PlanItem): Problem[] {
    if (this.#cesaw.has(item.key)) {
      return [problem(item.line, "plan_item_key", item.key, "repeats a task of the list")];
    }
    const { line, planSeconds, actualSeconds, startMs, completeMs } = item;
    this.#know(item, { line, planSeconds, actualSeconds, startMs, completeMs });
    return [];
  }

  /** Takes a log entry in, and says what is odd about it beside its own values. */
  addEntry(entry: LogEntry): Problem[] {
    const { line, key, startMs } = entry;
    const found: Problem[] = [];
    const cesaw = this.#cesaw.get(key) ?? this.#know(entry, undefined);
    if (cesaw.item === undefined) {
      found.push(problem(line, "plan_item_key", key, "is not in the task list"));
    }
    cesaw.hasEntries = true;
    const task = this.find(entry) ?? this.#open(cesaw, startMs);
    const start = task.index * WEEK_MINUTES + ((startMs / MINUTE_MS) % WEEK_MINUTES);
    if (this.#starts.has(start)) {
      found.push(
        problem(line, "time_log_start_date", key, "begins with another entry of its task"),
      );
    }
    this.#starts.add(start);
    task.seconds += entry.seconds;
    task.beginMs = Math.min(task.beginMs, startMs);
    task.endMs = Math.max(task.endMs, entry.endMs);
    return found;
  }

  /** The task that an entry belongs to, once it has been added. */
  find({ key, startMs }: LogEntry): WeekTask | undefined {
    const cesaw = this.#cesaw.get(key);
    return cesaw === undefined ? undefined : this.#tasks.get(keyOf(cesaw, startMs));
  }

  /**
   * Makes tasks of the list's rows that no entry belongs to, from their own start and time; gives
   * the problem of each that has no start either, since it belongs to no week.
   */
  *addRest(): Generator<Problem> {
    for (const cesaw of this.#cesaw.values()) {
      const { item, hasEntries, work } = cesaw;
      if (item === undefined || hasEntries) continue;
      const { startMs, completeMs } = item;
      if (startMs === undefined) {
        const reason = "has neither a log entry nor a readable start, so no week";
        yield problem(item.line, "plan_item_key", work.key, reason);
        continue;
      }
      const task = this.#open(cesaw, startMs);
      task.seconds = item.actualSeconds;
      task.endMs = Math.max(startMs, completeMs ?? startMs);
    }
  }

  /** Every task, in the order of `index`. */
  tasks(): MapIterator<WeekTask> {
    return this.#tasks.values();
  }

  get size(): number {
    return this.#tasks.size;
  }

  #know({ key, project, phase, process }: Work, item: CesawTask["item"]): CesawTask {
    if (this.#cesaw.size >= CESAW_TASKS_MAX) {
      throw invalid(CESAW_TASKS_MAX, "tasks are the most that one import takes; split the files");
    }
    const work = {
      key,
      project: this.#one(project),
      phase: this.#one(phase),
      process: this.#one(process),
    };
    const cesaw: CesawTask = { number: this.#cesaw.size, work, item, hasEntries: false };
    this.#cesaw.set(key, cesaw);
    return cesaw;
  }

  #one(text: string): string {
    const known = this.#texts.get(text);
    if (known === undefined) this.#texts.set(text, text);
    return known ?? text;
  }

  #open(cesaw: CesawTask, startMs: number): WeekTask {
    const task: WeekTask = {
      index: this.#tasks.size,
      work: cesaw.work,
      timeLimitSeconds: cesaw.item?.planSeconds ?? 0,
      hasEntries: cesaw.hasEntries,
      seconds: 0,
      beginMs: startMs,
      endMs: startMs,
    };
    this.#tasks.set(keyOf(cesaw, startMs), task);
    return task;
  }
}

/** The label of a task's week. */
export function weekOf(task: WeekTask): string {
  return weekLabelOf(task.beginMs);
}

function keyOf(cesaw: CesawTask, startMs: number): number {
  return cesaw.number * WEEKS_MAX + weekNumberOf(startMs);
}

function problem(line: number, column: string, value: string, reason: string): Problem {
  return { line, column, value, reason };
}
