/** The tables of the task auditor, declared, run on both databases and attacked. */

import { describe, expect, it } from "vitest";
import { t } from "../../src/schema/column.ts";
import { entity, factsOf } from "../../src/schema/entity.ts";
import { validateInsert } from "../../src/schema/validate.ts";
import { conforms, sqliteWith } from "./support.ts";

const EVENTS = [
  "timer_start",
  "timer_stop",
  "task_created",
  "task_updated",
  "duration_updated",
] as const;

const Week = entity("weeks", { id: t.int().primaryKey(), weekLabel: t.text().unique() });
const Task = entity("tasks_optimized", {
  id: t.int().primaryKey(),
  weekId: t.int().references("weeks.id", { onDelete: "cascade" }).index(),
  attemptId: t.text().nullable(),
  durationSeconds: t.int({ min: 0 }).default(0).index(),
  durationDisplay: t.text().default("00:00:00"),
  projectId: t.text().nullable().index(),
  projectName: t.text().nullable(),
  operationId: t.text().nullable(),
  timeLimitSeconds: t.int({ min: 0 }).default(0),
  timeLimitDisplay: t.text().default("00:00:00"),
  dateAudited: t.date().nullable().index(),
  score: t.int().default(0),
  feedback: t.text().nullable(),
  locale: t.text().nullable(),
  bonusPaid: t.boolean().default(false),
  timeBegin: t.timestamp().nullable(),
  timeEnd: t.timestamp().nullable(),
  createdAt: t.timestamp().defaultNow().index(),
  updatedAt: t.timestamp().defaultNow().onUpdateNow(),
});
const TaskEvent = entity(
  "task_events",
  {
    id: t.int().primaryKey(),
    taskId: t.int().references("tasks_optimized.id", { onDelete: "cascade" }),
    eventType: t.enum(EVENTS),
    timestamp: t.timestamp().defaultNow(),
    eventData: t.json().nullable(),
    durationChange: t.int().default(0),
    userAction: t.enum(["manual", "timer", "import"]).nullable(),
  },
  {
    indexes: [
      { on: ["taskId"], name: "idx_events_task_id" },
      { on: ["timestamp"], name: "idx_events_timestamp" },
      { on: ["eventType"], name: "idx_events_type" },
    ],
  },
);
type Share = number | { readonly duration: number; readonly task_count: number };
const WeekStatistics = entity("week_statistics", {
  weekId: t.int().primaryKey().references("weeks.id", { onDelete: "cascade" }),
  totalTasks: t.int().default(0),
  totalDurationSeconds: t.int().default(0),
  avgTaskDuration: t.real().default(0),
  avgScore: t.real().default(0),
  projectBreakdown: t.json<Readonly<Record<string, Share>>>().nullable(),
  productivityScore: t.real().default(0),
  lastCalculated: t.timestamp().defaultNow(),
});
const AUDITOR = [Week, Task, TaskEvent, WeekStatistics];

describe("the auditor's tables", () => {
  conforms(AUDITOR);

  it("have the defaults of the plan for whoever inserts by hand", () => {
    using db = sqliteWith(AUDITOR);
    db.exec("INSERT INTO weeks VALUES (1, 'W1')");

    const task = db.prepare("INSERT INTO tasks_optimized (week_id) VALUES (1) RETURNING *").get();
    const event = db
      .prepare(
        "INSERT INTO task_events (task_id, event_type) VALUES (1, 'timer_start') RETURNING *",
      )
      .get();
    const statistics = db
      .prepare("INSERT INTO week_statistics (week_id) VALUES (1) RETURNING *")
      .get();

    expect(task).toMatchObject({
      duration_seconds: 0,
      duration_display: "00:00:00",
      time_limit_display: "00:00:00",
      score: 0,
      bonus_paid: 0,
      date_audited: null,
      created_at: expect.any(Number),
    });
    expect(event).toMatchObject({ duration_change: 0, timestamp: expect.any(Number) });
    expect(statistics).toMatchObject({ total_tasks: 0, avg_score: 0, productivity_score: 0 });
  });

  it("lose the tasks, events and statistics of a week that is deleted", () => {
    using db = sqliteWith(AUDITOR);
    db.exec("INSERT INTO weeks VALUES (1, 'W1')");
    db.exec("INSERT INTO tasks_optimized (week_id) VALUES (1)");
    db.exec("INSERT INTO task_events (task_id, event_type) VALUES (1, 'task_created')");
    db.exec("INSERT INTO week_statistics (week_id) VALUES (1)");

    db.exec("DELETE FROM weeks");

    for (const table of ["tasks_optimized", "task_events", "week_statistics"]) {
      expect(db.prepare(`SELECT * FROM ${table}`).all()).toEqual([]);
    }
  });

  it("answer a range of days from the index", () => {
    using db = sqliteWith(AUDITOR);

    const plan = db
      .prepare(
        "EXPLAIN QUERY PLAN SELECT id FROM tasks_optimized " +
          "WHERE date_audited BETWEEN '2025-01-01' AND '2025-01-31'",
      )
      .all();

    expect(String(plan[0]?.["detail"])).toContain("idx_tasks_optimized_date_audited");
  });

  it("keep what looks like a number as the text it is", () => {
    using db = sqliteWith(AUDITOR);
    db.exec("INSERT INTO weeks VALUES (1, 'W1')");

    expect(() =>
      db.exec("INSERT INTO tasks_optimized (week_id, date_audited) VALUES (1, '2025')"),
    ).toThrow(/CHECK/);
    expect(() =>
      db.exec("INSERT INTO tasks_optimized (week_id, duration_seconds) VALUES (1, '01:02:03')"),
    ).toThrow(/cannot store TEXT value in INTEGER/);
    db.exec("INSERT INTO tasks_optimized (week_id, attempt_id) VALUES (1, '007')");
    expect(db.prepare("SELECT attempt_id FROM tasks_optimized").get()).toMatchObject({
      attempt_id: "007",
    });
  });

  it("know the events of the plan and no others", () => {
    using db = sqliteWith(AUDITOR);
    db.exec("INSERT INTO weeks VALUES (1, 'W1')");
    db.exec("INSERT INTO tasks_optimized (week_id) VALUES (1)");
    const insert = db.prepare("INSERT INTO task_events (task_id, event_type) VALUES (1, ?)");

    for (const event of EVENTS) insert.run(event);

    expect(() => insert.run("timer_paused")).toThrow(/CHECK/);
  });

  it("read a project breakdown in both of its forms", () => {
    const breakdown = { "Project A": 3600, "Project B": { duration: 7200, task_count: 2 } };

    expect(
      validateInsert(factsOf(WeekStatistics), { weekId: 1, projectBreakdown: breakdown }),
    ).toMatchObject({ projectBreakdown: breakdown });
  });
});
