import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { Auditor } from "../../examples/auditor/auditor.ts";
import { type AuditorDatabase, openAuditor } from "../../examples/auditor/database.ts";
import { countStatistics } from "../../examples/auditor/statistics.ts";
import { WeekReads } from "../../examples/auditor/week-reads.ts";
import { temporaryFolder, withAuditor } from "./auditor-database.ts";

/** Two weeks with two tasks each, and reads that see other programs at once. */
async function twoWeeks(db: AuditorDatabase) {
  const auditor = new Auditor(db);
  const reads = new WeekReads(db, { freshness: "strict" });
  const first = await auditor.createWeek({ label: "2025-W23" });
  const second = await auditor.createWeek({ label: "2025-W24" });
  for (const weekId of [first.id, first.id, second.id, second.id]) {
    await auditor.createTask({ weekId, projectName: "Atlas", durationSeconds: 60 });
  }
  return { auditor, reads, first: first.id, second: second.id };
}

describe("the cached reads of a week", () => {
  it("give what the uncached ones give, page by page", () =>
    withAuditor(async (db) => {
      const { auditor, reads, first } = await twoWeeks(db);

      expect(await reads.getWeekData(first)).toEqual(await auditor.weekByLabel("2025-W23"));
      expect(await reads.getWeekData(99)).toBe(null);
      const { rows } = await auditor.weekTasks(first);
      expect(await reads.getWeekTasks(first)).toEqual(rows);
      expect(await reads.getWeekTasks(first, 1)).toEqual(rows.slice(0, 1));
      expect(await reads.getWeekTasks(first, 1, 1)).toEqual(rows.slice(1));
      expect(await reads.getWeekTasks(first, null, 1)).toEqual(rows.slice(1));
      expect(await reads.getWeekTasks(first, 0)).toEqual([]);
      expect(await reads.getWeekAnalytics(first)).toEqual(await countStatistics(db, first));
      expect(await reads.getWeekAnalytics(first, "totalDurationSeconds")).toBe(120);
      await expect(reads.getWeekAnalytics(99)).rejects.toMatchObject({ code: "NOT_FOUND" });
    }));

  it("are dropped by every operation that changes them, and by no other", () =>
    withAuditor(async (db) => {
      const { auditor, reads, first, second } = await twoWeeks(db);
      const both = [first, second];
      const fill = async (): Promise<void> => {
        for (const id of both) {
          await Promise.all([reads.getWeekTasks(id), reads.getWeekAnalytics(id)]);
        }
      };
      const kept = (): boolean[][] =>
        both.map((id) => [
          reads.weekTasks.peek(id, -1, 0) !== undefined,
          reads.weekAnalytics.peek(id, "all") !== undefined,
        ]);
      const operations: readonly [string, () => Promise<unknown>, boolean[][]][] = [
        [
          "a duration",
          () => auditor.updateTaskDuration(1, 90),
          [
            [false, false],
            [true, true],
          ],
        ],
        [
          "a feedback",
          () => auditor.updateTask(1, { feedback: "x" }),
          [
            [false, true],
            [true, true],
          ],
        ],
        [
          "a new task",
          () => auditor.createTask({ weekId: second }),
          [
            [true, true],
            [false, false],
          ],
        ],
        [
          "a task that moves",
          () => auditor.updateTask(1, { weekId: second }),
          [
            [false, false],
            [false, false],
          ],
        ],
        [
          "a task that goes",
          () => auditor.deleteTask(2),
          [
            [false, false],
            [true, true],
          ],
        ],
        [
          "a week",
          () => auditor.updateWeek(first, { isBonusWeek: true }),
          [
            [true, true],
            [true, true],
          ],
        ],
      ];

      for (const [what, operation, expected] of operations) {
        await fill();
        await operation();
        expect([what, kept()]).toEqual([what, expected]);
      }
    }));

  it("see a week that is changed or deleted, and one that was not there", () =>
    withAuditor(async (db) => {
      const { auditor, reads, first } = await twoWeeks(db);
      expect(await reads.getWeekData(3)).toBe(null);
      await reads.getWeekAnalytics(first);

      await auditor.createWeek({ id: 3, label: "2025-W25" });
      await auditor.updateWeek(first, { isBonusWeek: true });
      expect(await reads.getWeekData(3)).toMatchObject({ label: "2025-W25" });
      expect(await reads.getWeekData(first)).toMatchObject({ isBonusWeek: true });
      await auditor.deleteWeek(first);

      expect(await reads.getWeekData(first)).toBe(null);
      await expect(reads.getWeekAnalytics(first)).rejects.toMatchObject({ code: "NOT_FOUND" });
    }));

  it("are as new as the last commit of any program, however old they are", async () => {
    using folder = temporaryFolder();
    const path = join(folder.path, "auditor.db");
    await using db = await openAuditor(path);
    const { reads, first } = await twoWeeks(db);
    using plain = new DatabaseSync(path);
    await reads.getWeekAnalytics(first);
    await reads.weekList();

    plain.exec("UPDATE tasks SET score = 4 WHERE id = 1");
    plain.exec("DELETE FROM tasks WHERE id = 2");

    expect(await reads.getWeekAnalytics(first, "avgScore")).toBe(4);
    expect(await reads.weekList()).toMatchObject([{ tasks: 1 }, { tasks: 2 }]);
    expect(reads.weekStatistics.explain(first).reads).toEqual([
      "weeks(id) where id = 1",
      "tasks(week_id, id, duration_seconds, score) where week_id = 1",
      "tasks(week_id, time_limit_seconds, id) where week_id = 1",
      "tasks(week_id, duration_seconds, time_limit_seconds, id) where week_id = 1",
      "tasks(week_id, project_name, id, duration_seconds) where week_id = 1",
    ]);
  });
});
