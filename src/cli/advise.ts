/** `springhouse advise`: which indexes to make and which to drop, with proof. */

import { relative } from "node:path";
import type { Advice, AdviceReport, Proof } from "../advisor/advice.ts";
import type { AdviseProgress } from "../advisor/options.ts";
import type { Config } from "../config/config.ts";
import { formatBytes } from "../core/bytes.ts";
import { formatDuration } from "../core/duration.ts";
import { SpringhouseError } from "../core/errors.ts";
import { counted } from "./cache/places.ts";
import { type CommandDefinition, type Invocation, isGiven, textOf, usageError } from "./command.ts";
import { withMigrator } from "./migrate/migrator.ts";
import { ProgressLine, type ProgressState } from "./progress.ts";
import { loadSettings } from "./settings.ts";

/** Statements that could not be used; --all names the rest. */
const UNUSABLE_SHOWN = 5;

export const advise: CommandDefinition = {
  name: "advise",
  summary: "Prove on a copy which indexes to make or drop; 1 when there is advice",
  options: [
    { flags: "--workload <file>", doc: "a recorded workload, or statements in a .sql file" },
    { flags: "--apply-to-copy", doc: "measure on a full copy instead of a sample" },
    { flags: "--write-migration", doc: "write what is advised into a migration, for review" },
    { flags: "--unused-after <time>", doc: "a recording so long proves an index unused; 7d" },
    { flags: "--statement-timeout <time>", doc: "stop a statement that runs longer; 10s" },
    { flags: "--all", doc: "name what was looked at and does not pay, too" },
  ],
  examples: [
    "springhouse advise",
    "springhouse advise --workload queries.sql --apply-to-copy",
    "springhouse advise --write-migration",
  ],
  async run(invocation) {
    const config = await loadSettings(invocation);
    const report = await adviceFor(invocation, config);
    const { advice } = report;
    const written =
      isGiven(invocation, "writeMigration") && advice.length > 0
        ? await writeMigration(invocation, advice)
        : undefined;
    const lines = [
      ...advice.flatMap(describe),
      ...report.slow.flatMap(({ sql, count, meanMs, plan }) => [
        `slow   ${formatDuration(meanMs)} on average, ${count} times: ${sql}`,
        ...plan.map((line) => `         ${line}`),
      ]),
      ...(isGiven(invocation, "all") ? report.rejected.map(notAdvised) : unusedOf(report)),
      summaryOf(report, isGiven(invocation, "all")),
      ...(written === undefined ? [] : [`wrote ${relative(invocation.terminal.cwd, written)}`]),
      ...nextStep(advice, written),
    ];
    const migration = written === undefined ? {} : { migration: written };
    return {
      ok: advice.length === 0 && !isUseless(report),
      data: { ...report, ...migration },
      text: lines.join("\n"),
    };
  },
};

async function adviceFor(invocation: Invocation, config: Config): Promise<AdviceReport> {
  const file = textOf(invocation, "workload") ?? config.database.recordWorkload;
  if (file === undefined) {
    throw usageError(
      "There is no workload. Give --workload FILE, or set database.recordWorkload and pass it to " +
        "open(): the application then records what it asks.",
    );
  }
  const { resolve } = await import("node:path");
  const { parseLocation } = await import("../sqlite/location.ts");
  const location = parseLocation(config.database.url);
  if (location.kind !== "file") {
    throw new SpringhouseError("CONFIG", "database.url: a private temporary file has no workload.");
  }
  const { readWorkload } = await import("../advisor/workload.ts");
  const { advise: run } = await import("../advisor/advise.ts");
  using line = new ProgressLine(invocation.terminal);
  const unusedAfter = textOf(invocation, "unusedAfter");
  const statementTimeout = textOf(invocation, "statementTimeout");
  return await run({
    path: location.path,
    workload: await readWorkload(resolve(invocation.terminal.cwd, file)),
    measureOn: isGiven(invocation, "applyToCopy") ? "copy" : "sample",
    slowQueryThreshold: config.database.slowQueryThreshold,
    ...(unusedAfter === undefined ? {} : { unusedAfter }),
    ...(statementTimeout === undefined ? {} : { statementTimeout }),
    signal: invocation.terminal.signal,
    clock: invocation.terminal.clock,
    onProgress: (progress) => line.show(stateOf(progress)),
  });
}

function stateOf({ step, done, total }: AdviseProgress): ProgressState {
  return { label: step, done, total, unit: step === "copy" ? "copies" : "statements" };
}

async function writeMigration(invocation: Invocation, advice: readonly Advice[]): Promise<string> {
  return withMigrator(invocation, "look", async (migrator) => {
    const steps = advice.map(({ message, up, down }) => ({ summary: message, up, down }));
    return (await migrator.new(nameOf(advice), { steps })).path;
  });
}

/** By the first index; a file name holds no more. */
function nameOf([first, ...others]: readonly Advice[]): string {
  const verb = first?.action === "drop" ? "drop" : "add";
  const index = (first?.index ?? "index")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "_")
    .slice(0, 60);
  return `${verb}_${index}${others.length === 0 ? "" : "_and_more"}`;
}

function describe(advice: Advice): readonly string[] {
  const { action, message, up, speedup, bytes, writeUsPerRow, buildMs, proofs } = advice;
  const isNew = action === "create";
  const faster = isNew ? `${Math.round(speedup).toLocaleString("en")} × as fast; ` : "";
  const room = `${isNew ? "costs" : "saves"} ${formatBytes(bytes)}`;
  const us = writeUsPerRow >= 0.05 ? `${writeUsPerRow.toFixed(1)} µs` : "no time that shows";
  const writes = `${us} for each row written`;
  return [
    `${isNew ? "make " : "drop "}  ${message}`,
    `         ${up};`,
    `         ${faster}${room} and ${writes}; took ${formatDuration(buildMs)}`,
    ...proofs.flatMap(describeProof),
  ];
}

function describeProof(proof: Proof): readonly string[] {
  const { sql, count, planBefore, planAfter, beforeMs, beforeIsAtLeast, afterMs } = proof;
  const before = `${beforeIsAtLeast ? "more than " : ""}${formatDuration(beforeMs)}`;
  return [
    `         ${count} × ${sql}`,
    `           before ${before}: ${planBefore.join("; ")}`,
    `           after  ${formatDuration(afterMs)}: ${planAfter.join("; ")}`,
  ];
}

function notAdvised({ what, reason }: AdviceReport["rejected"][number]): string {
  return `not    ${what}\n         ${reason}`;
}

/** Statements that could not be used are named without being asked for: a few of them. */
function unusedOf({ unusable }: AdviceReport): readonly string[] {
  const more = unusable.length - UNUSABLE_SHOWN;
  return [
    ...unusable.slice(0, UNUSABLE_SHOWN).map(notAdvised),
    ...(more > 0 ? [`not    ${more} more (--all names them)`] : []),
  ];
}

/** A workload of which nothing could be used says nothing about the database. */
function isUseless({ statements, unusable }: AdviceReport): boolean {
  return statements > 0 && unusable.length === statements;
}

function summaryOf(report: AdviceReport, isAll: boolean): string {
  const { statements, unusable, advice, rejected, measuredOn, ms } = report;
  if (isUseless(report) && advice.length === 0) {
    return `None of ${counted(statements, "statement", "statements")} could be used.`;
  }
  const looked = `${counted(statements, "statement", "statements")} in ${formatDuration(ms)}`;
  const on = measuredOn === undefined ? "" : `, measured on a ${measuredOn}`;
  const found = counted(advice.length, "index to make or drop", "indexes to make or drop");
  const what = advice.length === 0 ? "nothing to gain" : found;
  const unpaid = rejected.length - unusable.length;
  const more = unpaid === 0 || isAll ? "" : ` (--all names ${unpaid} that do not pay)`;
  const unused = unusable.length === 0 ? "" : ` ${unusable.length} could not be used.`;
  const empty = statements === 0 ? "The workload holds no statements. " : "";
  return `${empty}${looked}${on}: ${what}${more}.${unused}`;
}

function nextStep(advice: readonly Advice[], written: string | undefined): readonly string[] {
  if (advice.length === 0) return [];
  if (written === undefined) return ["Write it down: npx springhouse advise --write-migration"];
  return ["Declare the same in the entities, review the file, then: npx springhouse migrate up"];
}
