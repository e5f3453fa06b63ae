/** `springhouse migrate plan`: what `up` would run, and what still separates file and entities. */

import { formatDuration } from "../../core/duration.ts";
import { labelOf } from "../../migrate/files.ts";
import type { MigrationPlan, PlannedMigration } from "../../migrate/migrator.ts";
import type { PlanStep } from "../../migrate/plan.ts";
import { type CommandDefinition, countOf } from "../command.ts";
import { withMigrator } from "./migrator.ts";

export const migratePlan: CommandDefinition = {
  name: "migrate plan",
  summary: "Show what is pending, with its SQL, and what differs from the entities",
  options: [{ flags: "--to <version>", doc: "the last version to plan", count: true }],
  examples: ["springhouse migrate plan", "springhouse migrate plan --to 12 --json"],
  async run(invocation) {
    const to = countOf(invocation, "to");
    return withMigrator(invocation, "look", async (migrator, { entities }) => {
      const plan = await migrator.plan(to === undefined ? {} : { to });
      return { ok: true, data: { ...plan }, text: describePlan(plan, entities !== undefined) };
    });
  },
};

const COMPARED_LATER =
  "The file is compared with the entities once nothing is pending: npx springhouse migrate up";

function describePlan({ pending, difference }: MigrationPlan, hasEntities: boolean): string {
  const lines = pending.length === 0 ? ["Nothing is pending."] : pending.flatMap(describePending);
  if (difference === undefined) {
    if (pending.length > 0 && hasEntities) lines.push(COMPARED_LATER);
    return lines.join("\n");
  }
  if (difference.steps.length === 0) lines.push("The file is as the entities declare it.");
  else {
    lines.push("The file differs from the entities (springhouse migrate new writes this):");
    lines.push(...difference.steps.flatMap(describeStep));
  }
  lines.push(...difference.hints.map((hint) => `hint: ${hint}`));
  lines.push(...difference.undeclared.map((what) => `left alone: ${what}`));
  return lines.join("\n");
}

function describePending(migration: PlannedMigration): string[] {
  const marks = [
    ...(migration.destructive ? ["may lose data"] : []),
    ...(migration.irreversible ? ["no way back"] : []),
    ...(migration.data ? ["data steps"] : []),
  ];
  const head = `pending ${labelOf(migration)}${marks.length > 0 ? ` (${marks.join(", ")})` : ""}`;
  const body = migration.steps.flatMap(describeStep);
  if (body.length > 0) return [head, ...body];
  return [head, migration.kind === "code" ? "  (code: not known before it runs)" : "  (empty)"];
}

function describeStep({ summary, sql, rows, estimatedMs, destructive }: PlanStep): string[] {
  const cost = [
    ...(rows === undefined ? [] : [`${rows.toLocaleString("en")} rows`]),
    ...(estimatedMs === undefined ? [] : [`about ${formatDuration(estimatedMs)}`]),
    ...(destructive ? ["may lose data"] : []),
  ];
  return [
    `  ${summary}${cost.length > 0 ? ` (${cost.join(", ")})` : ""}`,
    ...sql.flatMap((statement) => `${statement};`.split("\n").map((line) => `    ${line}`)),
  ];
}
