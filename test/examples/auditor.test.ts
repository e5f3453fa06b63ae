import { describe, expect, it } from "vitest";
import { Auditor } from "../../examples/auditor/auditor.ts";
import { TaskEvent } from "../../examples/auditor/schema.ts";
import { withAuditor } from "./auditor-database.ts";

describe("weeks", () => {
  it("have the origin's defaults", () =>
    withAuditor(async (db) => {
      const week = await new Auditor(db).createWeek({ label: "2025-W23" });

      expect(week).toEqual({
        id: 1,
        label: "2025-W23",
        weekStartDay: 1,
        weekStartHour: 0,
        weekEndDay: 7,
        weekEndHour: 23,
        isCustomDuration: false,
        isBonusWeek: false,
        weekSpecificBonusPayrate: null,
        weekSpecificBonusStartDay: null,
        weekSpecificBonusStartTime: null,
        weekSpecificBonusEndDay: null,
        weekSpecificBonusEndTime: null,
        weekSpecificEnableTaskBonus: null,
        weekSpecificBonusTaskThreshold: null,
        weekSpecificBonusAdditionalAmount: null,
        useGlobalBonusSettings: true,
        officeHourCount: 0,
        officeHourPayrate: null,
        officeHourSessionDurationMinutes: null,
        useGlobalOfficeHoursSettings: true,
      });
    }));

  it("can be changed and found by label, and a label is there once", () =>
    withAuditor(async (db) => {
      const auditor = new Auditor(db);
      const { id } = await auditor.createWeek({ label: "2025-W23" });

      await auditor.updateWeek(id, { isBonusWeek: true, weekSpecificBonusPayrate: 1.5 });

      expect(await auditor.weekByLabel("2025-W23")).toMatchObject({ id, isBonusWeek: true });
      await expect(auditor.createWeek({ label: "2025-W23" })).rejects.toMatchObject({
        code: "CONSTRAINT",
      });
      await expect(auditor.weekByLabel("2025-W24")).rejects.toMatchObject({ code: "NOT_FOUND" });
      await expect(auditor.updateWeek(9, { label: "x" })).rejects.toMatchObject({
        code: "NOT_FOUND",
      });
      await expect(auditor.createWeek({ label: "x", weekEndDay: 8 })).rejects.toMatchObject({
        code: "VALIDATION",
      });
    }));

  it("are listed by label, however many they are", () =>
    withAuditor(async (db) => {
      const auditor = new Auditor(db);
      const labels = Array.from({ length: 130 }, (_, at) => `week ${String(at).padStart(3, "0")}`);
      for (const label of labels.toReversed()) await auditor.createWeek({ label });

      expect((await auditor.weeks()).map((week) => week.label)).toEqual(labels);
    }));

  it("take their tasks and events with them", () =>
    withAuditor(async (db) => {
      const auditor = new Auditor(db);
      const week = await auditor.createWeek({ label: "2025-W23" });
      const task = await auditor.createTask({ weekId: week.id });
      await auditor.startTimer(task.id);

      await auditor.deleteWeek(week.id);

      await expect(auditor.task(task.id)).rejects.toMatchObject({ code: "NOT_FOUND" });
      expect(await db.repository(TaskEvent).count()).toBe(0);
      await expect(auditor.deleteWeek(week.id)).rejects.toMatchObject({ code: "NOT_FOUND" });
    }));
});

describe("tasks", () => {
  it("are made with the origin's defaults and their event", () =>
    withAuditor(async (db) => {
      const auditor = new Auditor(db);
      const { id: weekId } = await auditor.createWeek({ label: "2025-W23" });

      const task = await auditor.createTask({ weekId });

      expect(task).toMatchObject({
        attemptId: "",
        projectId: "",
        projectName: "",
        operationId: "",
        durationSeconds: 0,
        durationDisplay: "00:00:00",
        timeLimitSeconds: 0,
        timeLimitDisplay: "00:00:00",
        dateAudited: null,
        score: 0,
        feedback: "",
        locale: "",
        bonusPaid: false,
        timeBegin: null,
        timeEnd: null,
      });
      expect(await db.repository(TaskEvent).list()).toMatchObject([
        {
          taskId: task.id,
          eventType: "task_created",
          userAction: "manual",
          eventData: { week_id: weekId, creation_method: "manual" },
          durationChange: 0,
        },
      ]);
    }));

  it("keep every field, and show durations beside their seconds", () =>
    withAuditor(async (db) => {
      const auditor = new Auditor(db);
      const { id: weekId } = await auditor.createWeek({ label: "2025-W23" });
      const input = {
        weekId,
        attemptId: "a-1",
        projectName: "Atlas",
        durationSeconds: 450_001,
        timeLimitSeconds: 3_600,
        dateAudited: "2025-06-12",
        bonusPaid: true,
        timeBegin: new Date("2025-06-12T08:00:00Z"),
      };

      const { id } = await auditor.createTask(input, "import");

      expect(await auditor.task(id)).toMatchObject({
        ...input,
        durationDisplay: "125:00:01",
        timeLimitDisplay: "01:00:00",
      });
    }));

  it("cannot be made in a week that is not there, and leave no event", () =>
    withAuditor(async (db) => {
      await expect(new Auditor(db).createTask({ weekId: 7 })).rejects.toMatchObject({
        code: "NOT_FOUND",
        message: "There is no week 7.",
      });
      expect(await db.repository(TaskEvent).count()).toBe(0);
    }));

  it("cannot have a display that contradicts the seconds, whoever writes it", () =>
    withAuditor(async (db) => {
      const { id: weekId } = await new Auditor(db).createWeek({ label: "2025-W23" });
      const insert = "INSERT INTO tasks (week_id, duration_seconds, duration_display) VALUES ";

      for (const values of ["(1, 60, '00:00:00')", "(1, 3600, '00:60:00')", "(1, 60, '0:01:00')"]) {
        await expect(db.execute(insert + values)).rejects.toMatchObject({ code: "CONSTRAINT" });
      }
      const [row] = (
        await db.execute("SELECT count(*) AS n FROM tasks WHERE week_id = ?", [weekId])
      ).rows;
      expect(row).toEqual({ n: 0 });
    }));

  it("can be changed and moved to another week, with an event that names what changed", () =>
    withAuditor(async (db) => {
      const auditor = new Auditor(db);
      const first = await auditor.createWeek({ label: "2025-W23" });
      const second = await auditor.createWeek({ label: "2025-W24" });
      const { id } = await auditor.createTask({ weekId: first.id, durationSeconds: 60 });

      const task = await auditor.updateTask(id, { weekId: second.id, durationSeconds: 90 });

      expect(task).toMatchObject({ weekId: second.id, durationDisplay: "00:01:30" });
      const events = await db.repository(TaskEvent).list({ where: { eventType: "task_updated" } });
      expect(events).toMatchObject([
        {
          durationChange: 30,
          eventData: {
            weekId: { old: first.id, new: second.id },
            durationSeconds: { old: 60, new: 90 },
            durationDisplay: { old: "00:01:00", new: "00:01:30" },
          },
        },
      ]);
      await expect(auditor.updateTask(id, { weekId: 99 })).rejects.toMatchObject({
        code: "NOT_FOUND",
      });
      await expect(auditor.updateTask(99, { score: 1 })).rejects.toMatchObject({
        code: "NOT_FOUND",
      });
    }));

  it("can be deleted, once", () =>
    withAuditor(async (db) => {
      const auditor = new Auditor(db);
      const week = await auditor.createWeek({ label: "2025-W23" });
      const { id } = await auditor.createTask({ weekId: week.id });

      await auditor.deleteTask(id);

      await expect(auditor.deleteTask(id)).rejects.toMatchObject({ code: "NOT_FOUND" });
      expect(await db.repository(TaskEvent).count()).toBe(0);
    }));

  it("are told of after the commit", () =>
    withAuditor(async (db) => {
      const auditor = new Auditor(db);
      const heard: string[] = [];
      const names = ["weekCreated", "weekUpdated", "taskCreated", "taskUpdated", "taskDeleted"];
      for (const name of names) db.on(name as "taskCreated", () => void heard.push(name));

      const week = await auditor.createWeek({ label: "2025-W23" });
      await auditor.updateWeek(week.id, { isBonusWeek: true });
      const task = await auditor.createTask({ weekId: week.id });
      await auditor.updateTaskDuration(task.id, 60);
      await auditor.createTask({ weekId: 99 }).catch(() => undefined);
      await auditor.deleteTask(task.id);

      expect(heard).toEqual(names);
    }));
});
