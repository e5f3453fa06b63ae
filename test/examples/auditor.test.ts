import { describe, expect, it } from "vitest";
import { Auditor } from "../../examples/auditor/auditor.ts";
import { checkIntegrity } from "../../examples/auditor/database.ts";
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
