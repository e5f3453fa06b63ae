/**
 * `task_progress.json`: one task, whose statuses have other names than the plan's, and the computed
 * results under `cache/`.
 */

import { storable } from "../exact-json.ts";
import { type Complain, isObject, JsonReader } from "../json-reader.ts";
import { type Calculation, type JsonObject, TASK_TIMEOUT_MINUTES, type Task } from "../model.ts";
import { msOf } from "../moments.ts";
import { partSecrets } from "../secrets.ts";

/** What the statuses of the files are called here. */
const STATUSES: Readonly<Record<string, Task["status"]>> = {
  in_progress: "running",
  running: "running",
  complete: "completed",
  completed: "completed",
  error: "failed",
  failed: "failed",
  cancelled: "failed",
};

/** Reads the task; an empty file has none. */
export function readTask(value: unknown, madeAt: string, complain: Complain): Task | undefined {
  if (isObject(value) && Object.keys(value).length === 0) return undefined;
  const reader = new JsonReader(storable(partSecrets(value).rest, [], complain), [], complain);
  const name = reader.text(["task_name", "task_id"], "task");
  const given = reader.text("status", "in_progress");
  const status = STATUSES[given];
  if (status === undefined) reader.problem("status", `is "${given}", which is no status of a task`);
  const updatedAt = reader.moment("updated_at", "") || lastMoment(value, madeAt, complain);
  const isCancelled = reader.flag("cancelled", false);
  const message = reader.text(["message", "error"], isCancelled ? "Cancelled" : "");
  const percent = reader.number("percent", percentIn(value));
  if (percent < 0 || percent > 100) reader.problem("percent", "is not between 0 and 100");
  return {
    name,
    percent: status === "completed" ? 100 : percent,
    status: isCancelled ? "failed" : (status ?? "failed"),
    message: message === "" ? null : message,
    updatedAt,
    extras: reader.extras(),
  };
}

/** The last moment of a task that says none; the file keeps it where it was. */
function lastMoment(value: unknown, madeAt: string, complain: Complain): string {
  const reader = new JsonReader(isObject(value) ? value : {}, [], complain);
  return reader.moment(["cancel_time", "start_time"], madeAt);
}

/** How far the phase is that the task is in: each has its own figures. */
function percentIn(value: unknown): number {
  if (!isObject(value)) return 0;
  const phase = value[`${String(value["phase"] ?? "fetch")}_progress`];
  const percent = isObject(phase) ? Number(phase["percent"]) : 0;
  return Number.isFinite(percent) ? percent : 0;
}

/** A task that has said nothing for too long has died with its process. */
export function withoutOrphan(task: Task, now: string): Task {
  const minutes = (msOf(now) - msOf(task.updatedAt)) / 60_000;
  if (task.status !== "running" || minutes <= TASK_TIMEOUT_MINUTES) return task;
  const message = `No sign of life for ${TASK_TIMEOUT_MINUTES} minutes`;
  return { ...task, status: "failed", message };
}

/** A task as the file has it. */
export function writeTask(task: Task): JsonObject {
  const statuses = { running: "in_progress", completed: "complete", failed: "error" };
  return {
    ...task.extras,
    task_name: task.name,
    status: statuses[task.status],
    percent: task.percent,
    message: task.message,
    updated_at: task.updatedAt,
  };
}

/** Reads a computed result, `cache/<hash>.json`. */
export function readCalculation(
  value: unknown,
  fileKey: string,
  madeAt: string,
  complain: Complain,
): Calculation {
  const reader = new JsonReader(storable(partSecrets(value).rest, [], complain), [], complain);
  const metadata = new JsonReader(reader.object("metadata"), ["metadata"], complain);
  return {
    cacheKey: metadata.text("cache_key", fileKey),
    configHash: metadata.text("config_hash", ""),
    createdAt: metadata.moment("timestamp", madeAt),
    data: reader.any("data") ?? null,
  };
}
