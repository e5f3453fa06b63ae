import { describe, expect, it } from "vitest";
import { Auditor } from "../../examples/auditor/auditor.ts";
import { activity, weekAnalytics, weekStatistics } from "../../examples/auditor/statistics.ts";
import { withAuditor } from "./auditor-database.ts";

describe("the figures of a week", () => {
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

  it("can be asked for one by one", () =>
    withAuditor(async (db) => {
      const auditor = new Auditor(db);
      const { id: weekId } = await auditor.createWeek({ label: "2025-W23" });
      await auditor.createTask({ weekId, durationSeconds: 60 });

      expect(await weekAnalytics(db, weekId, "totalDurationSeconds")).toBe(60);
      expect(await weekAnalytics(db, weekId)).toEqual(await weekStatistics(db, weekId));
    }));

  it("of a week that is not there are NOT_FOUND", () =>
    withAuditor(async (db) => {
      await expect(weekStatistics(db, 9)).rejects.toMatchObject({ code: "NOT_FOUND" });
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
