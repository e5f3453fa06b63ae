/** The writes of the mixed workload: plain SQL, as any program may write it. */

/** One statement, which is a transaction of its own. */
export interface MixedWrite {
  readonly sql: string;
  readonly parameters: readonly (number | string)[];
}

const PROJECTS = ["Atlas", "Borealis", "Cedar"];
const SECONDS_MAX = 7_200;
const SCORE_MAX = 5;

/** A task of a week by its place in it; none when the week has fewer tasks. */
const ONE = "(SELECT id FROM tasks WHERE week_id = ? ORDER BY id LIMIT 1 OFFSET ?)";
const VALUES = "project_name, duration_seconds, duration_display, score";

/** A write to one of the weeks, by chance; `tasks` is about how many each of them has. */
export function mixedWrite(
  random: () => number,
  weeks: readonly number[],
  tasks: number,
): MixedWrite {
  const below = (limit: number): number => Math.floor(random() * limit);
  const week = weeks[below(weeks.length)] ?? 0;
  const other = weeks[below(weeks.length)] ?? 0;
  const one = [week, below(tasks)];
  const seconds = below(SECONDS_MAX);
  const time = [seconds, displayOf(seconds)];
  const values = [PROJECTS[below(PROJECTS.length)] ?? "", ...time, below(SCORE_MAX + 1)];
  const writes: readonly [number, string, readonly (number | string)[]][] = [
    [30, durationOf(ONE), [...time, ...one]],
    [20, `UPDATE tasks SET score = ? WHERE id = ${ONE}`, [below(SCORE_MAX + 1), ...one]],
    [15, `INSERT INTO tasks (week_id, ${VALUES}) VALUES (?, ?, ?, ?, ?)`, [week, ...values]],
    [15, `DELETE FROM tasks WHERE id = ${ONE}`, one],
    [10, `UPDATE tasks SET week_id = ? WHERE id = ${ONE}`, [other, ...one]],
    [5, replace(ONE), [...one, week, ...values]],
    [5, "UPDATE weeks SET is_bonus_week = 1 - is_bonus_week WHERE id = ?", [week]],
  ];
  let left = below(100);
  for (const [share, sql, parameters] of writes) {
    left -= share;
    if (left < 0) return { sql, parameters };
  }
  throw new RangeError("The shares of the writes are less than a hundred.");
}

/** Sets both forms of the duration of a task. */
export function setDuration(id: number, seconds: number): MixedWrite {
  return { sql: durationOf("?"), parameters: [seconds, displayOf(seconds), id] };
}

function durationOf(id: string): string {
  return `UPDATE tasks SET duration_seconds = ?, duration_display = ? WHERE id = ${id}`;
}

function replace(id: string): string {
  return `REPLACE INTO tasks (id, week_id, ${VALUES}) VALUES (${id}, ?, ?, ?, ?, ?)`;
}

/** Of less than a day. */
function displayOf(seconds: number): string {
  return new Date(seconds * 1_000).toISOString().slice(11, 19);
}
