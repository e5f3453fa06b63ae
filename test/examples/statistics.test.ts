import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { Auditor } from "../../examples/auditor/auditor.ts";
import { type AuditorDatabase, openAuditor } from "../../examples/auditor/database.ts";
import {
  activity,
  countStatistics,
  readBreakdown,
  type WeekStatistics,
} from "../../examples/auditor/statistics.ts";
import { WeekReads } from "../../examples/auditor/week-reads.ts";
import { temporaryFolder, withAuditor } from "./auditor-database.ts";

const WAYS: readonly [string, (db: AuditorDatabase, weekId: number) => Promise<WeekStatistics>][] =
  [
    ["read from the rollups", (db, weekId) => new WeekReads(db).getWeekAnalytics(weekId)],
    ["counted from the tasks", countStatistics],
  ];

describe.each(WAYS)("the figures of a week, %s,", (_, weekStatistics) => {
  it("add up its tasks", () =>
    withAuditor(async (db) => {
      const auditor = new Auditor(db);
      const { id: weekId } = await auditor.createWeek({ label: "2025-W23" });
      const other = await auditor.createWeek({ label: "2025-W24" });
      const make = (projectName: string, durationSeconds: number, score: number, limit = 0) =>
        auditor.createTask({
          weekId,
          projectName,
          durationSeconds,
          score,
          timeLimitSeconds: limit,
        });
      await make("Atlas, north", 100, 5, 100);
      await make("Borealis", 500, 3, 400);
      await make("Atlas, north", 200, 4);
      await auditor.createTask({ weekId: other.id, durationSeconds: 9_999 });

      expect(await weekStatistics(db, weekId)).toEqual({
        weekId,
        totalTasks: 3,
        totalDurationSeconds: 800,
        avgTaskDuration: 800 / 3,
        avgScore: 4,
        productivityScore: 50,
        projects: ["Atlas, north", "Borealis"],
        projectBreakdown: {
          Borealis: { duration: 500, task_count: 1 },
          "Atlas, north": { duration: 300, task_count: 2 },
        },
        projectSeconds: { Borealis: 500, "Atlas, north": 300 },
      });
    }));

  it("are zero in a week without tasks", () =>
    withAuditor(async (db) => {
      const { id } = await new Auditor(db).createWeek({ label: "2025-W23" });

      expect(await weekStatistics(db, id)).toEqual({
        weekId: id,
        totalTasks: 0,
        totalDurationSeconds: 0,
        avgTaskDuration: 0,
        avgScore: 0,
        productivityScore: 0,
        projects: [],
        projectBreakdown: {},
        projectSeconds: {},
      });
    }));

  it("keep the names of projects as they are, also awkward ones", () =>
    withAuditor(async (db) => {
      const auditor = new Auditor(db);
      const { id: weekId } = await auditor.createWeek({ label: "2025-W23" });
      const names = ["__proto__", 'a "quoted", name', "", "line\nbreak", "한국어"];
      for (const projectName of names) {
        await auditor.createTask({ weekId, projectName, durationSeconds: 1 });
      }

      const { projects, projectSeconds } = await weekStatistics(db, weekId);

      expect(projects).toEqual([...names].sort());
      expect(Object.keys(projectSeconds).sort()).toEqual([...names].sort());
    }));

  it("of a week that is not there are NOT_FOUND", () =>
    withAuditor(async (db) => {
      await expect(weekStatistics(db, 9)).rejects.toMatchObject({ code: "NOT_FOUND" });
    }));
});

describe("the view week_statistics", () => {
  it("has the plan's columns for every reader of SQL, right after every write", () =>
    withAuditor(async (db, folder) => {
      const auditor = new Auditor(db);
      const { id: weekId } = await auditor.createWeek({ label: "2025-W23" });
      const empty = await auditor.createWeek({ label: "2025-W24" });
      using plain = new DatabaseSync(join(folder, "auditor.db"));
      const read = (id: number): unknown =>
        plain.prepare("SELECT * FROM week_statistics WHERE week_id = ?").get(id);
      const beforeMs = Date.now();
      await auditor.createTask({ weekId, projectName: "A", durationSeconds: 60, score: 5 });
      await auditor.createTask({ weekId, projectName: "B", durationSeconds: 90, score: 2 });
      plain.exec("UPDATE tasks SET time_limit_seconds = 60, time_limit_display = '00:01:00'");

      expect(read(weekId)).toEqual({
        week_id: weekId,
        total_tasks: 2,
        total_duration_seconds: 150,
        avg_task_duration: 75,
        avg_score: 3.5,
        project_breakdown: '{"B":90,"A":60}',
        productivity_score: 50,
        last_calculated: expect.toSatisfy((ms: number) => ms >= beforeMs && ms <= Date.now()),
        project_shares: '{"B":{"duration":90,"task_count":1},"A":{"duration":60,"task_count":1}}',
      });
      expect(read(empty.id)).toMatchObject({
        total_tasks: 0,
        total_duration_seconds: 0,
        avg_task_duration: 0,
        avg_score: 0,
        project_breakdown: "{}",
        productivity_score: 0,
      });
      plain.exec("DELETE FROM tasks WHERE project_name = 'B'");
      expect(read(weekId)).toMatchObject({ total_tasks: 1, project_breakdown: '{"A":60}' });
      await auditor.deleteWeek(weekId);
      expect(read(weekId)).toBe(undefined);
    }));

  it("is made anew when another program has left another one, and only then", async () => {
    using folder = temporaryFolder();
    const path = join(folder.path, "auditor.db");
    await (await openAuditor(path)).close();
    using plain = new DatabaseSync(path);
    const version = (): unknown => plain.prepare("PRAGMA schema_version").get();
    const made = version();

    await (await openAuditor(path)).close();
    expect(version()).toEqual(made);
    plain.exec("DROP VIEW week_statistics; CREATE VIEW week_statistics AS SELECT 1 AS one");
    await (await openAuditor(path)).close();

    expect(plain.prepare("SELECT * FROM week_statistics").all()).toEqual([]);
  });

  it("has a breakdown that is read in either form", () =>
    withAuditor(async (db) => {
      const auditor = new Auditor(db);
      const { id: weekId } = await auditor.createWeek({ label: "2025-W23" });
      await auditor.createTask({ weekId, projectName: "A", durationSeconds: 60 });
      const { rows } = await db.execute("SELECT * FROM week_statistics");

      const forms = ["project_breakdown", "project_shares"].map((name) =>
        readBreakdown(String(rows[0]?.[name])),
      );

      expect(forms).toEqual([{ A: 60 }, { A: 60 }]);
    }));
});

describe("the activity of days", () => {
  it("is what the events of a stretch of time say", () =>
    withAuditor(async (db) => {
      let now = new Date("2025-06-11T23:00:00Z");
      const auditor = new Auditor(db, () => now);
      const week = await auditor.createWeek({ label: "2025-W24" });
      const task = await auditor.createTask({ weekId: week.id, durationSeconds: 60 });
      now = new Date("2025-06-12T08:00:00Z");
      await auditor.startTimer(task.id);
      now = new Date("2025-06-12T08:10:00Z");
      await auditor.stopTimer(task.id);
      now = new Date("2025-06-13T00:00:00Z");
      await auditor.updateTaskDuration(task.id, 0);

      const days = await activity(db, new Date("2025-06-11T23:00:00Z"), now);

      expect(days).toEqual([
        { day: "2025-06-11", events: 1, tasks: 1, seconds: 60 },
        { day: "2025-06-12", events: 2, tasks: 1, seconds: 600 },
      ]);
    }));
});
