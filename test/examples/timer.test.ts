import { describe, expect, it } from "vitest";
import { Auditor } from "../../examples/auditor/auditor.ts";
import { TaskEvent } from "../../examples/auditor/schema.ts";
import { withAuditor } from "./auditor-database.ts";

/** A clock that stands still until it is set. */
function clockAt(iso: string): { set(iso: string): void; now(): Date } {
  let moment = new Date(iso);
  return {
    set(next) {
      moment = new Date(next);
    },
    now: () => moment,
  };
}

describe("a duration", () => {
  it("is set with the event that says by how much", () =>
    withAuditor(async (db) => {
      const auditor = new Auditor(db);
      const week = await auditor.createWeek({ label: "2025-W23" });
      const { id } = await auditor.createTask({ weekId: week.id, durationSeconds: 100 });

      const task = await auditor.updateTaskDuration(id, 40);

      expect(task).toMatchObject({ durationSeconds: 40, durationDisplay: "00:00:40" });
      const where = { eventType: "duration_updated" } as const;
      expect(await db.repository(TaskEvent).list({ where })).toMatchObject([
        {
          durationChange: -60,
          userAction: "timer",
          eventData: { old_duration: 100, new_duration: 40, method: "timer", duration_change: -60 },
        },
      ]);
    }));

  it("of a task that is not there is NOT_FOUND, and one that is none is refused", () =>
    withAuditor(async (db) => {
      const auditor = new Auditor(db);
      const week = await auditor.createWeek({ label: "2025-W23" });
      const { id } = await auditor.createTask({ weekId: week.id });

      await expect(auditor.updateTaskDuration(99, 1)).rejects.toMatchObject({ code: "NOT_FOUND" });
      for (const seconds of [-1, 1.5, Number.NaN]) {
        await expect(auditor.updateTaskDuration(id, seconds)).rejects.toMatchObject({
          code: "VALIDATION",
        });
      }
    }));

  it("loses nothing when many callers change it at once", () =>
    withAuditor(async (db) => {
      const auditor = new Auditor(db);
      const week = await auditor.createWeek({ label: "2025-W23" });
      const { id } = await auditor.createTask({ weekId: week.id });
      const add = (seconds: number): Promise<unknown> =>
        auditor
          .task(id)
          .then((task) => auditor.updateTaskDuration(id, task.durationSeconds + seconds));

      await Promise.all(Array.from({ length: 20 }, (_, at) => add(at)));

      const events = await db.repository(TaskEvent).list({ where: { taskId: id } });
      const sum = events.reduce((total, event) => total + event.durationChange, 0);
      expect((await auditor.task(id)).durationSeconds).toBe(sum);
      expect(events).toHaveLength(21);
    }));
});

describe("a timer", () => {
  it("adds the time from start to stop", () =>
    withAuditor(async (db) => {
      const clock = clockAt("2025-06-12T08:00:00.000Z");
      const auditor = new Auditor(db, clock.now);
      const week = await auditor.createWeek({ label: "2025-W23" });
      const { id } = await auditor.createTask({ weekId: week.id, durationSeconds: 10 });

      await auditor.startTimer(id);
      clock.set("2025-06-12T09:30:15.900Z");
      const task = await auditor.stopTimer(id);

      expect(task).toMatchObject({
        durationSeconds: 5_425,
        durationDisplay: "01:30:25",
        timeBegin: new Date("2025-06-12T08:00:00.000Z"),
        timeEnd: new Date("2025-06-12T09:30:15.900Z"),
      });
      const events = await db.repository(TaskEvent).list({ where: { userAction: "timer" } });
      expect(events).toMatchObject([
        { eventType: "timer_start", durationChange: 0 },
        { eventType: "timer_stop", durationChange: 5_415 },
      ]);
    }));

  it("can be started again after it was stopped, and keeps the first start", () =>
    withAuditor(async (db) => {
      const clock = clockAt("2025-06-12T08:00:00Z");
      const auditor = new Auditor(db, clock.now);
      const week = await auditor.createWeek({ label: "2025-W23" });
      const { id } = await auditor.createTask({ weekId: week.id });
      for (const hour of ["08", "10"]) {
        clock.set(`2025-06-12T${hour}:00:00Z`);
        await auditor.startTimer(id);
        clock.set(`2025-06-12T${hour}:10:00Z`);
        await auditor.stopTimer(id);
      }

      expect(await auditor.task(id)).toMatchObject({
        durationSeconds: 1_200,
        timeBegin: new Date("2025-06-12T08:00:00Z"),
        timeEnd: new Date("2025-06-12T10:10:00Z"),
      });
    }));

  it("cannot be started twice, also not by two callers at once", () =>
    withAuditor(async (db) => {
      const auditor = new Auditor(db);
      const week = await auditor.createWeek({ label: "2025-W23" });
      const { id } = await auditor.createTask({ weekId: week.id });

      const starts = await Promise.allSettled([auditor.startTimer(id), auditor.startTimer(id)]);

      expect(starts.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
      await expect(auditor.startTimer(id)).rejects.toMatchObject({
        code: "CONSTRAINT",
        message: expect.stringContaining("runs already"),
      });
    }));

  it("cannot be stopped when it does not run, nor used for a task that is not there", () =>
    withAuditor(async (db) => {
      const auditor = new Auditor(db);
      const week = await auditor.createWeek({ label: "2025-W23" });
      const { id } = await auditor.createTask({ weekId: week.id });

      await expect(auditor.stopTimer(id)).rejects.toMatchObject({ code: "CONSTRAINT" });
      await expect(auditor.startTimer(99)).rejects.toMatchObject({ code: "NOT_FOUND" });
      await expect(auditor.stopTimer(99)).rejects.toMatchObject({ code: "NOT_FOUND" });
    }));

  it("takes no time away when the clock was set back", () =>
    withAuditor(async (db) => {
      const clock = clockAt("2025-06-12T08:00:00Z");
      const auditor = new Auditor(db, clock.now);
      const week = await auditor.createWeek({ label: "2025-W23" });
      const { id } = await auditor.createTask({ weekId: week.id, durationSeconds: 10 });

      await auditor.startTimer(id);
      clock.set("2025-06-12T07:00:00Z");

      expect(await auditor.stopTimer(id)).toMatchObject({ durationSeconds: 10 });
    }));
});
