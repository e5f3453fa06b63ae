/** All weeks with what is in them. */

import type { AuditorQuery } from "./database.ts";

/** One line of the list of weeks. */
export interface WeekLine {
  readonly id: number;
  readonly label: string;
  readonly tasks: number;
  readonly durationSeconds: number;
}

/** The weeks by label; a week without tasks has no totals. */
export async function listWeeks(q: Pick<AuditorQuery, "selectFrom">): Promise<WeekLine[]> {
  const rows = await q
    .selectFrom("weeks")
    .leftJoin("week_totals", "week_totals.week_id", "weeks.id")
    .select(["weeks.id", "week_label", "total_tasks", "total_duration_seconds"])
    .orderBy("week_label")
    .execute();
  return rows.map((row) => ({
    id: row.id,
    label: row.week_label,
    tasks: row.total_tasks ?? 0,
    durationSeconds: row.total_duration_seconds ?? 0,
  }));
}
