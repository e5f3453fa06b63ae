/** `springhouse backup restore --to`: the database as it was at a moment. */

import type { RestoreToTimeReport } from "../../backup/restore-to-time.ts";
import type { Config } from "../../config/config.ts";
import { formatBytes } from "../../core/bytes.ts";
import { type Invocation, isGiven, type Outcome, usageError } from "../command.ts";
import { confirmReplacing, describeReplaced } from "./replacing.ts";
import { BackupProgress, backupKeyOf, END_UNKNOWN, segmentsPlaceOf } from "./settings.ts";

/** A day, or a day and a time; with an offset or `Z`, else in the time zone of the system. */
const TIME = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?(?:Z|[+-]\d\d:?\d\d)?)?$/;

/** Restores from segments; with `--dry-run` it proves them and says what would happen. */
export async function restoreMoment(
  invocation: Invocation,
  config: Config,
  to: string,
  url: string,
): Promise<Outcome> {
  const time = parseTime(to);
  const dryRun = isGiven(invocation, "dryRun");
  if (!dryRun) await confirmReplacing(invocation, `What was shipped up to ${to}`, url);
  const { restoreToTime } = await import("../../backup/restore-to-time.ts");
  using progress = new BackupProgress(invocation);
  const report = await restoreToTime({
    directory: config.backup.directory,
    from: segmentsPlaceOf(config),
    url,
    time,
    dryRun,
    key: await backupKeyOf(config),
    clock: invocation.terminal.clock,
    signal: invocation.terminal.signal,
    onProgress: progress.show,
  });
  return { ok: true, data: { ...report }, text: describe(report) };
}

/** Undefined for "latest". */
function parseTime(text: string): Date | undefined {
  if (text === "latest") return undefined;
  const time = new Date(text.includes("T") || text.includes(" ") ? text : `${text}T00:00`);
  if (TIME.test(text) && isDay(text.slice(0, 10)) && !Number.isNaN(time.getTime())) return time;
  throw usageError(`--to: "${text}" is no time. Give 2026-11-12T10:03Z, or latest.`);
}

/** `Date` takes 31 February for 3 March. */
function isDay(day: string): boolean {
  const time = new Date(`${day}T00:00Z`);
  return !Number.isNaN(time.getTime()) && time.toISOString().startsWith(day);
}

function describe(report: RestoreToTimeReport): string {
  const { database, dryRun, reaches, nothingUntil, transaction, files, bytes } = report;
  const { proof, replaced } = report;
  const lines = [
    `the last commit up to then was seen at ${reaches.toISOString()}, transaction ${transaction}`,
    `read ${files} segments, ${formatBytes(bytes)}`,
    "  every segment follows on the one before it (SHA-256)",
  ];
  if (nothingUntil !== undefined) {
    lines.push(`commits after it are missing, until ${nothingUntil.toISOString()}`);
  }
  if (!report.isEndKnown) lines.push(END_UNKNOWN);
  if (proof === undefined) {
    return [...lines, `would restore ${database}. Nothing was changed.`].join("\n");
  }
  const { rows, tables, foreignKeyViolations } = proof;
  lines.push(
    "  pages and indexes are sound (integrity_check)",
    `  ${rows.toLocaleString("en")} rows of ${tables} tables`,
    `  ${foreignKeyViolations} rows refer to nothing (foreign_key_check)`,
  );
  if (replaced !== undefined) lines.push(describeReplaced(replaced, database, dryRun));
  return [...lines, `restored ${formatBytes(proof.bytes)} to ${database}`].join("\n");
}
