/** `springhouse backup schedule`: makes backups and cleans up in time, until it is stopped. */

import type { TaskState } from "../../backup/schedule/schedule-table.ts";
import type { BackupSchedule } from "../../backup/schedule/scheduled-backups.ts";
import type { TaskRun } from "../../backup/schedule/scheduler.ts";
import { SpringhouseError } from "../../core/errors.ts";
import { type CommandDefinition, type Invocation, isGiven, type Outcome } from "../command.ts";
import { loadSettings } from "../settings.ts";
import { formatTable } from "../table.ts";
import { backupKeyOf } from "./settings.ts";

export const backupSchedule: CommandDefinition = {
  name: "backup schedule",
  summary: "Make backups at their times, until it is stopped",
  options: [
    { flags: "--once", doc: "run what is due and end, for a timer of the system" },
    { flags: "--list", doc: "say what is due next and how it ended last" },
  ],
  examples: [
    "springhouse backup schedule",
    "springhouse backup schedule --once",
    "springhouse backup schedule --list",
  ],
  async run(invocation) {
    const config = await loadSettings(invocation);
    const { enabled, directory, schedule, cleanupSchedule, timeZone, ...rules } = config.backup;
    if (!enabled && !isGiven(invocation, "list")) {
      throw new SpringhouseError("CONFIG", "backup.enabled is false: nothing is scheduled.");
    }
    const { keepLast, keepDaily, keepWeekly, keepMonthly, keepYearly } = rules;
    const { scheduleBackups } = await import("../../backup/schedule/scheduled-backups.ts");
    await using opened = await scheduleBackups({
      url: config.database.url,
      directory,
      schedule,
      cleanupSchedule,
      timeZone,
      retention: { keepLast, keepDaily, keepWeekly, keepMonthly, keepYearly },
      key: await backupKeyOf(config),
      clock: invocation.terminal.clock,
      onRun: (run) => invocation.terminal.err(`${describeRun(run)}\n`),
    });
    if (isGiven(invocation, "list")) return listed(await opened.tasks());
    return await (isGiven(invocation, "once") ? once(opened) : untilStopped(opened, invocation));
  },
};

async function once(opened: BackupSchedule): Promise<Outcome> {
  const runs = await opened.runDue();
  const tasks = await opened.tasks();
  const ok = runs.every(({ outcome }) => outcome === "ok");
  const text = runs.length === 0 ? `Nothing is due.\n${table(tasks)}` : table(tasks);
  return { ok, data: { runs, tasks }, text };
}

async function untilStopped(opened: BackupSchedule, { terminal }: Invocation): Promise<Outcome> {
  terminal.err(`${table(await opened.tasks())}\n`);
  const stopped = new Promise<void>((resolve) => {
    if (terminal.signal.aborted) resolve();
    terminal.signal.addEventListener("abort", () => resolve(), { once: true });
  });
  opened.start();
  await stopped;
  const tasks = await opened.tasks();
  return { ok: true, data: { tasks }, text: "stopped" };
}

function listed(tasks: readonly TaskState[]): Outcome {
  const ok = tasks.every(({ outcome }) => outcome !== "failed");
  return { ok, data: { tasks }, text: table(tasks) };
}

function table(tasks: readonly TaskState[]): string {
  const titles = ["task", "schedule", "next", "last", "result"].map((title) => ({ title }));
  const rows = tasks.map(({ name, expression, nextMs, endedMs, outcome, message, running }) => [
    name,
    expression,
    running ? "now" : timeText(nextMs),
    endedMs === undefined ? "never" : timeText(endedMs),
    outcome === undefined ? "" : `${outcome}: ${message ?? ""}`,
  ]);
  return formatTable(titles, rows);
}

function describeRun({ name, outcome, message, nextMs }: TaskRun): string {
  return `${name} ${outcome}: ${message}; next ${timeText(nextMs)}`;
}

function timeText(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}
