/**
 * `npm start`: makes an auditor database in a temporary folder from real input and shows what the
 * data layer does with it. See README.md.
 *
 * Exit codes: 0 done; 1 a check failed, or an error; 2 the command line is wrong;
 * 130 interrupted.
 */

import { existsSync, mkdirSync, renameSync } from "node:fs";
import { join, resolve } from "node:path";
import { Command, CommanderError, InvalidArgumentError } from "commander";
import { SpringhouseError } from "springhouse";
import { errorJson, errorText, exitCodeOf } from "../common/failure.ts";
import { Progress, progressStream } from "../common/progress.ts";
import { INTERRUPTED, Workspace } from "../common/workspace.ts";
import { type JobReport, runJob } from "./job.ts";
import { jobText } from "./job-text.ts";

const DATA = join(import.meta.dirname, "../../../shared/data/time_tracking");

interface Flags {
  readonly input?: string;
  readonly keep?: string;
  readonly data: string;
  readonly measure: number;
  readonly operations: number;
  readonly json?: true;
}

const command = new Command("npm start --")
  .description("Makes an auditor database from real input and shows what it can do.")
  .option("--input <file>", "a week's CSV file, or the origin's tasks.db")
  .option("--data <folder>", "where the CESAW files are", DATA)
  .option("--keep <folder>", "keep the database in this folder")
  .option("--measure <ms>", "how long writes are measured", parseMs, 1_000)
  .option("--operations <n>", "reads and writes of the mixed workload", parseCount, 100_000)
  .option("--json", "print one JSON line and nothing else")
  .exitOverride()
  .addHelpText(
    "after",
    `
Without --input it takes the CESAW time log and task list from --data, and without those it
generates ten weeks with 19,850 tasks.

Examples:
  $ npm start
  $ npm start -- --json
  $ npm start -- --input auditor_tasks_2025-W23.csv
  $ npm start -- --input tasks.db --keep ./audit`,
  );

async function main(flags: Flags): Promise<number> {
  const { input, keep, data: dataFolder, measure: measureMs, operations } = flags;
  const kept = keep === undefined ? undefined : prepare(keep);
  // A file to keep is made beside its place, so that it is whole when it gets there.
  using workspace = new Workspace(keep);
  const { folder, signal } = workspace;
  try {
    const progress = new Progress(progressStream(process.stderr, flags.json === true));
    const given = { dataFolder, folder, signal, measureMs, operations };
    const made = await runJob({ ...given, ...(input !== undefined && { input }) }, progress);
    const report = kept === undefined ? made : moved(made, kept);
    const where = kept === undefined ? "" : `\nThe database is kept in ${kept}\n`;
    const text = flags.json ? `${JSON.stringify(report)}\n` : `\n${jobText(report)}${where}`;
    process.stdout.write(text);
    return report.integrity.ok && report.mixed.staleReads === 0 ? 0 : 1;
  } catch (error) {
    if (!signal.aborted) throw error;
    if (flags.json) process.stdout.write(errorJson(error));
    return INTERRUPTED;
  }
}

/** Makes the folder to keep the database in; a database that is there is not touched. */
function prepare(folder: string): string {
  const path = resolve(folder, "auditor.db");
  if (existsSync(path)) {
    const message = `${path} is there already. Move it away, or give another folder to --keep.`;
    throw new SpringhouseError("USAGE", message);
  }
  mkdirSync(folder, { recursive: true });
  return path;
}

function moved(report: JobReport, path: string): JobReport {
  renameSync(report.database.path, path);
  return { ...report, database: { ...report.database, path } };
}

function parseMs(text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("Give whole milliseconds.");
}

function parseCount(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("Give a whole number.");
}

try {
  command.parse();
  process.exitCode = await main(command.opts<Flags>());
} catch (error) {
  const isJson = process.argv.includes("--json");
  // Commander has said what is wrong; asking for help is not an error.
  const isUsage = error instanceof CommanderError;
  const isHelp = isUsage && error.exitCode === 0;
  if (isJson && !isHelp) process.stdout.write(errorJson(error));
  else if (!isUsage) process.stderr.write(errorText(error));
  if (isUsage) process.exitCode = isHelp ? 0 : 2;
  else process.exitCode = exitCodeOf(error);
}
