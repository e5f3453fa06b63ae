import { describe, expect, it } from "vitest";
import {
  LOG_COLUMNS,
  PLAN_COLUMNS,
  type Read,
  readLogEntry,
  readPlanItem,
} from "../../examples/auditor/cesaw.ts";
import { type Header, readHeader } from "../../examples/auditor/row-reader.ts";
import { type WeekTask, WeekTasks, weekOf } from "../../examples/auditor/week-tasks.ts";

const PLAN_HEADER = readHeader({ line: 1, fields: PLAN_COLUMNS }, PLAN_COLUMNS);
const LOG_HEADER = readHeader({ line: 1, fields: LOG_COLUMNS }, LOG_COLUMNS);

const ITEM = {
  project_key: "100",
  person_key: "296",
  plan_item_key: "81765",
  task_actual_start_date: "10/29/2012 13:12",
  task_actual_complete_date: "11/5/2012 13:20",
  task_actual_time_minutes: "7",
  task_plan_time_minutes: "90.5",
  phase_short_name: "Code",
  process_name: "\\N",
};
const ENTRY = {
  time_log_fact_key: "23003",
  project_key: "100",
  person_key: "296",
  plan_item_key: "81765",
  time_log_start_date: "10/29/2012 13:12",
  time_log_end_date: "10/29/2012 13:22",
  time_log_delta_minutes: "8",
  time_log_interrupt_minutes: "2",
  phase_short_name: "Code",
};

function fieldsOf(columns: readonly string[], values: Record<string, string>): string[] {
  return columns.map((column) => values[column] ?? "");
}

function item(changes: Record<string, string> = {}, line = 2): ReturnType<typeof readPlanItem> {
  return readPlanItem(PLAN_HEADER, {
    line,
    fields: fieldsOf(PLAN_COLUMNS, { ...ITEM, ...changes }),
  });
}

function entry(changes: Record<string, string> = {}, line = 2): ReturnType<typeof readLogEntry> {
  return readLogEntry(LOG_HEADER, {
    line,
    fields: fieldsOf(LOG_COLUMNS, { ...ENTRY, ...changes }),
  });
}

function valueIn<T>(read: Read<T>): T {
  if (!read.ok) throw new Error(JSON.stringify(read.problems));
  return read.value;
}

describe("a row of the task list", () => {
  it("is read with its times in seconds", () => {
    expect(valueIn(item())).toEqual({
      line: 2,
      key: "100/296/81765",
      project: "100",
      phase: "Code",
      process: "",
      planSeconds: 5_430,
      actualSeconds: 420,
      startMs: Date.UTC(2012, 9, 29, 13, 12),
      completeMs: Date.UTC(2012, 10, 5, 13, 20),
    });
  });

  it("may lack its dates, and is used without one that cannot be read", () => {
    const read = item({
      task_actual_start_date: "0016-01-11 16:22:26",
      task_actual_complete_date: "\\N",
    });

    expect(valueIn(read)).toMatchObject({ startMs: undefined, completeMs: undefined });
    expect(read).toMatchObject({ oddities: [{ column: "task_actual_start_date", line: 2 }] });
  });

  it("is refused with every value that cannot be used", () => {
    const { problems } = item({ person_key: "x", task_plan_time_minutes: "-1" }) as never;

    expect(problems).toMatchObject([
      { line: 2, column: "person_key", value: "x", reason: "is not a key" },
      { line: 2, column: "task_plan_time_minutes", value: "-1" },
    ]);
  });
});

describe("a row of the time log", () => {
  it("is read", () => {
    expect(valueIn(entry())).toMatchObject({
      id: 23_003,
      key: "100/296/81765",
      startMs: Date.UTC(2012, 9, 29, 13, 12),
      endMs: Date.UTC(2012, 9, 29, 13, 22),
      seconds: 480,
      interruptMinutes: 2,
    });
  });

  it.each([
    ["time_log_start_date", "\\N", "is not a moment"],
    ["time_log_end_date", "10/29/2012 13:11", "lies before the start"],
    ["time_log_delta_minutes", "1.5", "is not a whole number"],
    ["time_log_interrupt_minutes", "-2", "is not a whole number"],
    ["plan_item_key", "", "is not a key"],
  ])("is refused when its %s is %j", (column, value, reason) => {
    const { problems } = entry({ [column]: value }, 7) as never;

    expect(problems).toContainEqual({
      line: 7,
      column,
      value,
      reason: expect.stringContaining(reason),
    });
  });

  it("is refused when it has too few fields", () => {
    const { problems } = readLogEntry(LOG_HEADER as Header, { line: 3, fields: ["1"] }) as never;

    expect(problems).toContainEqual(
      expect.objectContaining({ line: 3, reason: "has 1 field where the header has 15" }),
    );
  });

  it.each([
    [{ time_log_delta_minutes: "60" }, "does not fit the time from start to end"],
    [
      { time_log_end_date: "10/31/2012 13:12", time_log_interrupt_minutes: "2872" },
      "belongs to an entry of more than a day",
    ],
    [{ time_log_delta_minutes: "0", time_log_interrupt_minutes: "10" }, "adds no time"],
  ])("is used although it is odd: %o", (changes, reason) => {
    expect(entry(changes)).toMatchObject({ value: { id: 23_003 }, oddities: [{ reason }] });
  });
});

describe("the tasks of weeks", () => {
  it("are one for each task and week that has log entries", () => {
    const tasks = new WeekTasks();
    tasks.addItem(valueIn(item()));

    tasks.addEntry(valueIn(entry()));
    tasks.addEntry(
      valueIn(
        entry({
          time_log_start_date: "11/4/2012 23:50",
          time_log_end_date: "11/5/2012 0:10",
          time_log_delta_minutes: "20",
        }),
      ),
    );
    tasks.addEntry(
      valueIn(
        entry({
          time_log_start_date: "11/5/2012 9:00",
          time_log_end_date: "11/5/2012 9:08",
        }),
      ),
    );

    expect([...tasks.tasks()]).toMatchObject([
      { index: 0, seconds: 1_680, timeLimitSeconds: 5_430, work: { key: "100/296/81765" } },
      { index: 1, seconds: 480, timeLimitSeconds: 5_430, hasEntries: true },
    ]);
    expect([...tasks.tasks()].map(weekOf)).toEqual(["2012-W44", "2012-W45"]);
    expect([...tasks.addRest()]).toEqual([]);
    expect(tasks.size).toBe(2);
  });

  it("take a task without entries from the list, in the week of its start", () => {
    const tasks = new WeekTasks();
    tasks.addItem(valueIn(item()));

    expect([...tasks.addRest()]).toEqual([]);
    expect([...tasks.tasks()]).toMatchObject([
      { seconds: 420, endMs: Date.UTC(2012, 10, 5, 13, 20), hasEntries: false },
    ]);
    expect(weekOf([...tasks.tasks()][0] as WeekTask)).toBe("2012-W44");
  });

  it("refuse a task without entries and without a start", () => {
    const tasks = new WeekTasks();
    tasks.addItem(valueIn(item({ task_actual_start_date: "\\N" }, 9)));

    expect([...tasks.addRest()]).toMatchObject([{ line: 9, column: "plan_item_key" }]);
    expect(tasks.size).toBe(0);
  });

  it("say that a task is twice in the list, an entry is of no task, or begins with another", () => {
    const tasks = new WeekTasks();

    expect(tasks.addItem(valueIn(item()))).toEqual([]);
    expect(tasks.addItem(valueIn(item({}, 3)))).toMatchObject([
      { line: 3, reason: "repeats a task of the list" },
    ]);
    expect(tasks.addEntry(valueIn(entry()))).toEqual([]);
    expect(tasks.addEntry(valueIn(entry({}, 4)))).toMatchObject([
      { line: 4, reason: "begins with another entry of its task" },
    ]);
    expect(tasks.addEntry(valueIn(entry({ plan_item_key: "1" }, 5)))).toMatchObject([
      { line: 5, reason: "is not in the task list" },
    ]);
  });
});
