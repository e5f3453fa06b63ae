import { describe, expect, it } from "vitest";
import { Auditor } from "../../examples/auditor/auditor.ts";
import { checkIntegrity } from "../../examples/auditor/database.ts";
import { withAuditor } from "./auditor-database.ts";

describe("the page of a week", () => {
  async function fill(auditor: Auditor, tasks: number): Promise<number> {
    const { id: weekId } = await auditor.createWeek({ label: "2025-W23" });
    const other = await auditor.createWeek({ label: "2025-W24" });
    await auditor.createTask({ weekId: other.id });
    for (let at = 0; at < tasks; at++) {
      // Three tasks share each moment, so that the order needs the id.
      const createdAt = new Date(1_000_000 + Math.floor(at / 3));
      await auditor.createTask({ weekId, createdAt, attemptId: String(at) });
    }
    return weekId;
  }

  it("is the same by offset and by cursor, the newest first", () =>
    withAuditor(async (db) => {
      const auditor = new Auditor(db);
      const weekId = await fill(auditor, 10);
      const whole = (await auditor.weekTasks(weekId)).rows.map((task) => task.attemptId);

      const byOffset: string[] = [];
      for (let offset = 0; offset < 12; offset += 4) {
        const { rows } = await auditor.weekTasks(weekId, { limit: 4, offset });
        byOffset.push(...rows.map((task) => task.attemptId));
      }
      const byCursor: string[] = [];
      let page = await auditor.weekTasks(weekId, { limit: 4 });
      byCursor.push(...page.rows.map((task) => task.attemptId));
      while (page.next !== undefined) {
        page = await auditor.weekTasks(weekId, { limit: 4, cursor: page.next });
        byCursor.push(...page.rows.map((task) => task.attemptId));
      }

      expect(whole).toEqual(["9", "6", "7", "8", "3", "4", "5", "0", "1", "2"]);
      expect(byOffset).toEqual(whole);
      expect(byCursor).toEqual(whole);
    }));

  it("has no rows with limit 0, and refuses a limit below", () =>
    withAuditor(async (db) => {
      const auditor = new Auditor(db);
      const weekId = await fill(auditor, 3);

      expect((await auditor.weekTasks(weekId, { limit: 0, offset: 0 })).rows).toEqual([]);
      await expect(auditor.weekTasks(weekId, { limit: -1 })).rejects.toMatchObject({
        code: "INVALID_ARGUMENT",
      });
    }));

  it("is read from an index, and so are the figures", () =>
    withAuditor(async (db) => {
      const plan = async (sql: string): Promise<string> => {
        const { rows } = await db.execute(`EXPLAIN QUERY PLAN ${sql}`);
        return rows.map((row) => String(row["detail"])).join("; ");
      };

      expect(
        await plan("SELECT * FROM tasks WHERE week_id = 1 ORDER BY created_at DESC, id LIMIT 5"),
      ).toBe("SEARCH tasks USING INDEX idx_tasks_week_page (week_id=?)");
      expect(
        await plan(
          "SELECT project_name, sum(duration_seconds) FROM tasks WHERE week_id = 1 GROUP BY 1",
        ),
      ).toBe("SEARCH tasks USING COVERING INDEX idx_tasks_week_projects (week_id=?)");
      expect(
        await plan("SELECT id FROM tasks WHERE date_audited BETWEEN '2025-01-01' AND '2025-02-01'"),
      ).toContain("idx_tasks_date_audited");
    }));

  it("comes from a file with the names of the origin's plan", () =>
    withAuditor(async (db) => {
      const { rows } = await db.execute(
        "SELECT name FROM sqlite_schema WHERE type = 'index' AND name LIKE 'idx_%'",
      );

      expect(rows.map((row) => row["name"])).toEqual(
        expect.arrayContaining([
          "idx_tasks_week_id",
          "idx_tasks_date_audited",
          "idx_tasks_project_id",
          "idx_tasks_created_at",
          "idx_tasks_duration_seconds",
          "idx_events_task_id",
          "idx_events_timestamp",
          "idx_events_type",
        ]),
      );
    }));
});

describe("the integrity check", () => {
  it("finds a duration that its events do not explain", () =>
    withAuditor(async (db) => {
      const auditor = new Auditor(db);
      const week = await auditor.createWeek({ label: "2025-W23" });
      const { id } = await auditor.createTask({ weekId: week.id });
      const set = "UPDATE tasks SET duration_seconds = ?, duration_display = ? WHERE id = ?";

      await db.execute(set, [60, "00:01:00", id]);

      expect(await checkIntegrity(db)).toEqual([
        `task ${id}: its events do not add up to its duration`,
      ]);
      await db.execute(set, [0, "00:00:00", id]);
    }));
});
