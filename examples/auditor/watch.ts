/**
 * `auditor watch`: a week, or the list of all weeks, shown anew at each commit that changes it, of
 * whatever program.
 *
 * On a terminal the view is redrawn where it stands. Elsewhere each state is one line that can be
 * read by people, or with `--json` by programs; a reader that is slow skips states.
 */

import type { CachedFunction } from "springhouse";
import { count } from "../common/progress.ts";
import { type Cell, list, moreLine, table } from "../common/table.ts";
import { Auditor, type TaskRow } from "./auditor.ts";
import { openExisting } from "./database.ts";
import { displayDuration } from "./durations.ts";
import type { WeekStatistics } from "./statistics.ts";
import type { WeekLine } from "./week-list.ts";
import { WeekReads } from "./week-reads.ts";

/** Where the view goes; the sizes are those of a terminal. */
export interface Screen {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
  write(text: string): unknown;
}

/** What is watched, and how. */
export interface WatchOptions {
  readonly path: string;
  /** Default: the list of all weeks. */
  readonly label?: string | undefined;
  /** The newest tasks that a week shows. */
  readonly limit: number;
  readonly isJson: boolean;
  readonly signal: AbortSignal;
}

/** A week as `--json` prints it. */
export interface WatchedWeek {
  readonly label: string;
  readonly statistics: WeekStatistics;
  readonly newest: readonly TaskRow[];
}

const PROJECTS_SHOWN = 5;
/** Of a terminal that does not tell. */
const COLUMNS = 80;
const ROWS = 24;
/** Nobody reads faster, and a busy writer should not keep the terminal busy. */
const REDRAW_INTERVAL = "100ms";

/** One kind of view: what it shows, and in which words. */
interface View<T> {
  readonly read: CachedFunction<[], T>;
  readonly data: (state: T) => unknown;
  readonly screen: (state: T) => string;
  readonly line: (state: T) => string;
}

/**
 * Shows states until the signal fires.
 *
 * @throws `NOT_FOUND` when there is no such week, also when it is deleted meanwhile.
 */
export async function watch(screen: Screen, options: WatchOptions): Promise<void> {
  await using db = await openExisting(options.path);
  const reads = new WeekReads(db);
  const show = <T>(view: View<T>): Promise<void> =>
    follow(db.live(view.read).values(pace(screen, options)), view, screen, options);
  const { label, limit } = options;
  try {
    if (label === undefined) await show(weeksView(reads));
    else {
      const { id } = await new Auditor(db).weekByLabel(label);
      const read = db.cached("watchedWeek", async () => ({
        label: (await reads.getWeekData(id))?.label ?? label,
        statistics: await reads.getWeekAnalytics(id),
        newest: await reads.getWeekTasks(id, limit),
      }));
      await show(weekView(read));
    }
  } catch (error) {
    if (!options.signal.aborted) throw error;
  }
}

function pace(
  screen: Screen,
  { isJson, signal }: WatchOptions,
): { readonly signal: AbortSignal; readonly minInterval?: "100ms" } {
  const isRedrawn = screen.isTTY === true && !isJson;
  return isRedrawn ? { signal, minInterval: REDRAW_INTERVAL } : { signal };
}

async function follow<T>(
  states: AsyncIterable<T>,
  view: View<T>,
  screen: Screen,
  { isJson }: WatchOptions,
): Promise<void> {
  const drawing = new Drawing(screen);
  for await (const state of states) {
    if (isJson) screen.write(`${JSON.stringify(view.data(state))}\n`);
    else if (screen.isTTY === true) drawing.draw(view.screen(state));
    else screen.write(`${view.line(state)}\n`);
  }
}

/** A text on a terminal that takes the place of the one before. */
export class Drawing {
  readonly #screen: Screen;
  #lines = 0;

  constructor(screen: Screen) {
    this.#screen = screen;
  }

  /** Draws; what does not fit on the screen is cut, since a cursor cannot go above the top. */
  draw(text: string): void {
    // A terminal that does not know its size says 0.
    const columns = this.#screen.columns || COLUMNS;
    const rows = this.#screen.rows || ROWS;
    const lines = text
      .trimEnd()
      .split("\n")
      .slice(0, Math.max(1, rows - 1));
    const up = this.#lines > 0 ? `\u001b[${this.#lines}A` : "";
    const cut = lines.map((line) => [...line].slice(0, columns).join(""));
    this.#screen.write(`${up}\r\u001b[J${cut.join("\n")}\n`);
    this.#lines = lines.length;
  }
}

function weeksView(reads: WeekReads): View<readonly WeekLine[]> {
  const totals = (weeks: readonly WeekLine[]): string => {
    const tasks = weeks.reduce((sum, week) => sum + week.tasks, 0);
    const seconds = weeks.reduce((sum, week) => sum + week.durationSeconds, 0);
    const counts = `${counted(weeks.length, "week")}, ${counted(tasks, "task")}`;
    return `${counts}, ${displayDuration(seconds)}`;
  };
  return {
    read: reads.weekList,
    data: (weeks) => ({ weeks }),
    line: totals,
    screen: (weeks) => {
      const rows = weeks
        .toReversed()
        .map((week): Cell[] => [week.label, week.tasks, displayDuration(week.durationSeconds)]);
      return table(totals(weeks), ["week", "tasks", "duration"], rows);
    },
  };
}

function weekView(read: CachedFunction<[], WatchedWeek>): View<WatchedWeek> {
  return { read, data: (week) => week, screen: weekText, line: weekLine };
}

function weekLine({ label, statistics, newest }: WatchedWeek): string {
  const { totalTasks, totalDurationSeconds, avgScore, productivityScore } = statistics;
  const [last] = newest;
  return [
    label,
    counted(totalTasks, "task"),
    displayDuration(totalDurationSeconds),
    `score ${avgScore.toFixed(2)}`,
    `${productivityScore.toFixed(1)} % within time limit`,
    ...(last === undefined ? [] : [`newest ${last.id} ${last.projectName}`]),
  ].join("  ");
}

function counted(items: number, noun: string): string {
  return `${count(items)} ${noun}${items === 1 ? "" : "s"}`;
}

function weekText({ label, statistics, newest }: WatchedWeek): string {
  const shares = Object.entries(statistics.projectBreakdown);
  const projects = shares
    .slice(0, PROJECTS_SHOWN)
    .map(([name, share]): Cell[] => [name, share.task_count, displayDuration(share.duration)]);
  const tasks = newest.map((task): Cell[] => [
    task.id,
    task.attemptId,
    task.projectName,
    task.durationDisplay,
    task.score,
  ]);
  return [
    list(`Week ${label} (Ctrl-C ends)`, [
      ["tasks", statistics.totalTasks],
      ["duration", displayDuration(statistics.totalDurationSeconds)],
      ["average duration", displayDuration(Math.round(statistics.avgTaskDuration))],
      ["average score", statistics.avgScore],
      ["within time limit", `${statistics.productivityScore.toFixed(1)} %`],
    ]),
    table("Projects", ["project", "tasks", "duration"], projects) +
      moreLine(shares.length - projects.length),
    table("Newest tasks", ["id", "attempt", "project", "duration", "score"], tasks),
  ].join("\n");
}
