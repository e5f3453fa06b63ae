/** `springhouse migrate up`: applies what is pending, or rehearses it on a copy. */

import { labelOf } from "../../migrate/files.ts";
import type { DryRunReport, MigrationName, UpOptions } from "../../migrate/migrator.ts";
import {
  type CommandDefinition,
  countOf,
  type Invocation,
  isGiven,
  type Outcome,
  usageError,
} from "../command.ts";
import { backUp } from "./back-up.ts";
import { confirm } from "./confirm.ts";
import { describeRun, withMigrator } from "./migrator.ts";

export const migrateUp: CommandDefinition = {
  name: "migrate up",
  summary: "Apply what is pending",
  options: [
    { flags: "--to <version>", doc: "the last version to apply", count: true },
    { flags: "--only <version>", doc: "this version alone", count: true },
    { flags: "--out-of-order", doc: "apply although predecessors are missing" },
    { flags: "--dry-run", doc: "rehearse on a copy, up and down and up again" },
    { flags: "--yes", doc: "agree to steps that may lose data" },
    { flags: "--no-backup", doc: "make no backup before such steps" },
  ],
  examples: [
    "springhouse migrate up",
    "springhouse migrate up --dry-run",
    "springhouse migrate up --to 12 --yes",
  ],
  async run(invocation) {
    const dryRun = isGiven(invocation, "dryRun");
    const options = optionsOf(invocation);
    const backups: string[] = [];
    const beforeDestructive = async (migrations: readonly MigrationName[]): Promise<void> => {
      if (dryRun) return;
      const names = migrations.map(labelOf).join(", ");
      await confirm(invocation, `These migrations may lose data: ${names}.`);
      backups.push(...(await backUp(invocation)));
    };
    return withMigrator(
      invocation,
      dryRun ? "look" : "write",
      async (migrator) => {
        const run = await migrator.up(options);
        if (run.dryRun !== undefined) return describeDryRun(run.dryRun);
        return { ok: true, data: { ...run, backups }, text: describeRun(run, backups) };
      },
      { beforeDestructive },
    );
  },
};

function optionsOf(invocation: Invocation): UpOptions {
  const to = countOf(invocation, "to");
  const only = countOf(invocation, "only");
  if (to !== undefined && only !== undefined) {
    throw usageError("--to and --only exclude each other. Give one of them.");
  }
  return {
    ...(to === undefined ? {} : { to }),
    ...(only === undefined ? {} : { only }),
    dryRun: isGiven(invocation, "dryRun"),
    outOfOrder: isGiven(invocation, "outOfOrder"),
    signal: invocation.terminal.signal,
  };
}

function describeDryRun(report: DryRunReport): Outcome {
  const problems = [
    ...report.foreignKeyViolations.map((row) => `broken reference: ${row}`),
    ...report.integrityProblems.map((problem) => `integrity: ${problem}`),
  ];
  const lines = [
    ...report.migrations.map((migration) => {
      const back = migration.reversible
        ? "reversible"
        : `not reversible: ${migration.reason ?? ""}`;
      return `rehearsed ${labelOf(migration)} (${back})`;
    }),
    ...report.changes.map((change) => `  ${change}`),
    ...problems,
    problems.length === 0
      ? "The rehearsal went well. The database was not changed."
      : "The rehearsal found problems. The database was not changed.",
  ];
  return { ok: problems.length === 0, data: { dryRun: report }, text: lines.join("\n") };
}
