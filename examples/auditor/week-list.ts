/** All weeks with what is in them, in one statement. */

import type { AuditorDatabase } from "./database.ts";

/** One line of the list of weeks. */
export interface WeekLine {
  readonly label: string;
  readonly tasks: number;
  readonly durationSeconds: number;
}

/** The weeks by label. */
export async function listWeeks(db: AuditorDatabase): Promise<WeekLine[]> {
  const { rows } = await db.execute(`
    SELECT w.week_label AS label, count(t.id) AS tasks,
      coalesce(sum(t.duration_seconds), 0) AS seconds
    FROM weeks w LEFT JOIN tasks t ON t.week_id = w.id
    GROUP BY w.id ORDER BY w.week_label`);
  return rows.map((row) => ({
    label: String(row["label"]),
    tasks: Number(row["tasks"]),
    durationSeconds: Number(row["seconds"]),
  }));
}
