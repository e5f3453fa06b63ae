import { describe, expect, it } from "vitest";
import { readTask, withoutOrphan } from "../../../examples/burndown/legacy/task.ts";
import type { Task } from "../../../examples/burndown/model.ts";
import { NOW } from "./support.ts";

/** A task and what is wrong with it. */
function read(value: unknown): { readonly task: Task | undefined; readonly problems: string[] } {
  const problems: string[] = [];
  const task = readTask(value, NOW, (path, reason) => problems.push(`${path.join(".")} ${reason}`));
  return { task, problems };
}

describe("a task", () => {
  it.each([
    [{ status: "in_progress", phase: "fetch", fetch_progress: { percent: 40 } }, "running", 40],
    [{ status: "complete", percent: 100 }, "completed", 100],
    [{ status: "error", message: "no network" }, "failed", 0],
    [{ status: "in_progress", cancelled: true, cancel_time: NOW }, "failed", 0],
  ])("has the plan's status and percent: %j", (more, status, percent) => {
    const { task, problems } = read({
      task_id: "u",
      task_name: "Update",
      start_time: NOW,
      ...more,
    });

    expect(problems).toEqual([]);
    expect(task).toMatchObject({ name: "Update", status, percent, updatedAt: NOW });
  });

  it("must be between 0 and 100 percent, and of a status that there is", () => {
    const { problems } = read({ task_name: "a", status: "odd", percent: 150 });

    expect(problems).toEqual([
      'status is "odd", which is no status of a task',
      "percent is not between 0 and 100",
    ]);
  });

  it("is none in an empty file, and has died when it says nothing for half an hour", () => {
    const { task: none } = read({});
    const task = {
      name: "a",
      percent: 1,
      status: "running",
      message: null,
      updatedAt: NOW,
    } as const;

    expect(none).toBeUndefined();
    const at = (moment: string): string => withoutOrphan({ ...task, extras: {} }, moment).status;
    expect(at("2025-12-23T10:30:00.000Z")).toBe("running");
    expect(at("2025-12-23T10:30:00.001Z")).toBe("failed");
  });
});
