/** The seeded mix of the coherence bench: what is asked, and what is written. */

import type { Choices } from "../../src/testing/coherence/choices.ts";

/** One occurrence of a table in a question, and what its rows must equal. */
export interface Occurrence {
  readonly table: "tasks" | "weeks";
  readonly equal: Readonly<Record<string, string | number>>;
}

/** A question with its arguments. */
export interface Question {
  /** Of the cached function. */
  readonly kind: string;
  readonly args: readonly (string | number)[];
  readonly reads: readonly Occurrence[];
}

/** The SQL of each kind; `?1`, `?2` are the arguments. */
export const KINDS: Readonly<Record<string, string>> = {
  total: "SELECT sum(seconds) AS total FROM tasks WHERE week_id = ?1",
  top: `SELECT id, seconds FROM tasks WHERE week_id = ?1 ORDER BY seconds DESC, id LIMIT 3`,
  open: `SELECT id, seconds FROM tasks
    WHERE project = ?1 AND status = 'open' AND seconds > 3000 ORDER BY id`,
  statuses: `SELECT status, count(*) AS n FROM tasks WHERE week_id = ?1
    GROUP BY status ORDER BY status`,
  long: "SELECT id, seconds FROM tasks WHERE seconds >= ?1 ORDER BY id",
  week: `SELECT w.label, sum(t.seconds) AS total FROM weeks w
    JOIN tasks t ON t.week_id = w.id WHERE w.id = ?1 AND t.status = 'done'`,
};

export const PROJECTS: readonly string[] = ["Atlas", "Borealis", "Cygnus", "Draco", "Eridanus"];
export const STATUSES: readonly string[] = ["open", "doing", "done"];

/** All questions about so many weeks. */
export function questions(weeks: number): readonly Question[] {
  const list: Question[] = [];
  for (let week = 1; week <= weeks; week++) {
    const tasks: Occurrence = { table: "tasks", equal: { week_id: week } };
    for (const kind of ["total", "top", "statuses"])
      list.push({ kind, args: [week], reads: [tasks] });
    const done: Occurrence = { table: "tasks", equal: { week_id: week, status: "done" } };
    const own: Occurrence = { table: "weeks", equal: { id: week } };
    list.push({ kind: "week", args: [week], reads: [own, done] });
  }
  for (const project of PROJECTS) {
    const open: Occurrence = { table: "tasks", equal: { project, status: "open" } };
    list.push({ kind: "open", args: [project], reads: [open] });
  }
  for (const seconds of [3400, 3500, 3560]) {
    list.push({ kind: "long", args: [seconds], reads: [{ table: "tasks", equal: {} }] });
  }
  return list;
}

/** A write in SQL. */
export interface Write {
  readonly table: "tasks" | "weeks";
  readonly id: number;
  readonly sql: string;
  readonly parameters: readonly (string | number)[];
}

/** The mix of writes; of a hundred: notes 30, seconds 30, statuses 20, moves 5, projects 5 … */
export function writeOf(choices: Choices, weeks: number, lastId: number): Write {
  const id = 1 + choices.below(lastId);
  const set = (column: string, value: string | number): Write => ({
    table: "tasks",
    id,
    sql: `UPDATE tasks SET ${column} = ? WHERE id = ?`,
    parameters: [value, id],
  });
  const dice = choices.below(100);
  if (dice < 30) return set("note", `note ${choices.below(1_000_000)}`);
  if (dice < 60) return set("seconds", choices.below(3_600));
  if (dice < 80) return set("status", choices.one(STATUSES));
  if (dice < 85) return set("week_id", 1 + choices.below(weeks));
  if (dice < 90) return set("project", choices.one(PROJECTS));
  if (dice < 92) {
    const week = 1 + choices.below(weeks);
    const sql = "UPDATE weeks SET label = ? WHERE id = ?";
    return { table: "weeks", id: week, sql, parameters: [`week ${choices.below(1_000)}`, week] };
  }
  if (dice < 96)
    return { table: "tasks", id, sql: "DELETE FROM tasks WHERE id = ?", parameters: [id] };
  const sql = `INSERT INTO tasks (id, week_id, status, project, seconds, note)
    VALUES (?, ?, ?, ?, ?, '') ON CONFLICT (id) DO UPDATE SET seconds = excluded.seconds`;
  const row = [
    id,
    1 + choices.below(weeks),
    choices.one(STATUSES),
    choices.one(PROJECTS),
    choices.below(3_600),
  ];
  return { table: "tasks", id, sql, parameters: row };
}

/** A row by column; undefined when there is none. */
export type Row = Readonly<Record<string, string | number>> | undefined;

/** Whether a rule that knows tables alone would drop the answer. */
export function isDroppedByTable({ reads }: Question, { table }: Write): boolean {
  return reads.some((read) => read.table === table);
}

/** Whether a rule that compares equal columns with both images would drop the answer. */
export function isDroppedByEquality(
  { reads }: Question,
  { table }: Write,
  before: Row,
  after: Row,
): boolean {
  const matches = (row: Row, { equal }: Occurrence): boolean =>
    row !== undefined && Object.entries(equal).every(([column, value]) => row[column] === value);
  return reads.some(
    (read) => read.table === table && (matches(before, read) || matches(after, read)),
  );
}
