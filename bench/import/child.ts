/**
 * One import in a process of its own, so that its memory is its alone. Prints one line of JSON:
 * milliseconds, the greatest resident memory, the longest gap of the event loop.
 */

import { monitorEventLoopDelay } from "node:perf_hooks";
import { entity, type InsertOf, t } from "springhouse";
import { importFiles } from "springhouse/import";

const [target = "", source = "", kind = "tasks"] = process.argv.slice(2);

const Task = entity("tasks", {
  id: t.int().primaryKey(),
  attemptId: t.text(),
  projectName: t.text(),
  durationSeconds: t.int({ min: 0 }),
  score: t.real(),
  isPaid: t.boolean(),
  feedback: t.text(),
  tags: t.json(),
});

const Issue = entity("issues", {
  id: t.text().primaryKey(),
  key: t.text().unique(),
  summary: t.text().default(""),
  status: t.text().nullable(),
  createdAt: t.timestamp().nullable(),
  fields: t.json(),
});
const Change = entity(
  "changes",
  {
    issueId: t.text().references("issues.id", { onDelete: "cascade" }),
    at: t.timestamp(),
    status: t.text(),
  },
  { primaryKey: ["issueId", "at"] },
);

interface JiraIssue {
  readonly id: string;
  readonly key: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();
const startMs = performance.now();
const report = kind === "tasks" ? await importTasks() : await importIssues();
const ms = performance.now() - startMs;
delay.disable();
const residentMb = process.resourceUsage().maxRSS / 1_024;
const cpuMs = process.cpuUsage().user / 1_000 + process.cpuUsage().system / 1_000;
const gapMs = delay.max / 1e6;
const { items, rejected } = report;
process.stdout.write(`${JSON.stringify({ ms, cpuMs, residentMb, gapMs, items, rejected })}\n`);

function importTasks(): ReturnType<typeof importFiles> {
  return importFiles({
    target,
    sources: source,
    tables: { tasks: Task },
    map: ({ value }) => ({ tasks: value as InsertOf<typeof Task> }),
  });
}

function importIssues(): ReturnType<typeof importFiles> {
  return importFiles({
    target,
    sources: source,
    tables: { issues: Issue, changes: Change },
    map({ value }) {
      const { id, key, fields } = value as JiraIssue;
      const status = (fields["status"] as { readonly name?: string } | null)?.name ?? null;
      const created = momentOf(fields["created"]);
      const resolved = momentOf(fields["resolutiondate"]);
      return {
        issues: { id, key, summary: String(fields["summary"]), status, createdAt: created, fields },
        changes: [
          ...(created === null ? [] : [{ issueId: id, at: created, status: "Open" }]),
          ...(resolved === null ? [] : [{ issueId: id, at: resolved, status: status ?? "" }]),
        ],
      };
    },
  });
}

function momentOf(text: unknown): Date | null {
  return typeof text === "string" ? new Date(text) : null;
}
