/** The backup commands for a database of PostgreSQL: `pg_dump` and `pg_restore` do the work. */

import type { PostgresDump } from "../../backup/postgres-list.ts";
import type { Config } from "../../config/config.ts";
import { formatBytes } from "../../core/bytes.ts";
import { type Invocation, isGiven, type Outcome, textOf, usageError } from "../command.ts";
import { confirm } from "../migrate/confirm.ts";
import { formatTable } from "../table.ts";

/** Whether the URL is one of PostgreSQL. */
export function isPostgres(url: string): boolean {
  return /^postgres(ql)?:/.test(url);
}

type Refused = "verify" | "ship";

const NOT_THERE: Readonly<Record<Refused, string>> = {
  verify:
    "Dumps of PostgreSQL are not verified by this command. backup create restores each one when " +
    "it is made, and backup restore NAME --dry-run compares it with its SHA-256.",
  ship:
    "Commits to PostgreSQL are not shipped by this command. PostgreSQL archives its log itself: " +
    'set archive_mode and archive_command there, see "Continuous Archiving" in its manual.',
};

/** Throws `USAGE` for what there is for SQLite alone: it would look at other files. */
export function refusePostgres(command: Refused, { database }: Config): void {
  if (isPostgres(database.url)) throw usageError(NOT_THERE[command]);
}

/** `backup create`. */
export async function createDump(invocation: Invocation, config: Config): Promise<Outcome> {
  const { dumpPostgres } = await import("../../backup/postgres.ts");
  const dump = await dumpPostgres({
    url: config.database.url,
    directory: config.backup.directory,
    name: textOf(invocation, "name"),
    pinned: isGiven(invocation, "pin"),
    clock: invocation.terminal.clock,
    signal: invocation.terminal.signal,
  });
  const text = [
    `made ${dump.name}, ${formatBytes(dump.sizeBytes)} in ${config.backup.directory}`,
    "  restored into a database of its own by pg_restore",
    `  ${rowsOf(dump)} rows of ${dump.tables.length} tables are as in the snapshot`,
  ].join("\n");
  return { ok: true, data: { backup: dump }, text };
}

/** `backup list`. */
export async function listDumps({ backup: { directory } }: Config): Promise<Outcome> {
  const { listPostgresDumps } = await import("../../backup/postgres-list.ts");
  const dumps = await listPostgresDumps(directory);
  const columns = [
    { title: "backup" },
    { title: "size", align: "right" },
    { title: "rows", align: "right" },
    { title: "proved" },
    { title: "" },
  ] as const;
  const rows = dumps.map((dump) => [
    dump.name,
    formatBytes(dump.sizeBytes),
    dump.manifest === undefined ? "" : rowsOf(dump.manifest),
    dump.problem === undefined ? (dump.manifest?.proof ?? "") : "DAMAGED",
    dump.pinned ? "pinned" : "",
  ]);
  const problems = dumps.flatMap(({ problem }) => problem ?? []);
  const text =
    dumps.length === 0
      ? `No backups in ${directory}.`
      : [formatTable(columns, rows), ...problems].join("\n");
  return { ok: problems.length === 0, data: { directory, backups: dumps }, text };
}

/** `backup restore`. */
export async function restoreDump(
  invocation: Invocation,
  config: Config,
  name: string,
): Promise<Outcome> {
  const dryRun = isGiven(invocation, "dryRun");
  if (!dryRun) {
    await confirm(invocation, `${name} replaces what is in the database, which is dumped first.`);
  }
  const { restorePostgres } = await import("../../backup/postgres.ts");
  const report = await restorePostgres({
    url: config.database.url,
    directory: config.backup.directory,
    name,
    dryRun,
    clock: invocation.terminal.clock,
    signal: invocation.terminal.signal,
  });
  const content = `${rowsOf(report)} rows of ${report.tables.length} tables`;
  const text = dryRun
    ? `sound ${name}\nwould restore ${content}. Nothing was changed.`
    : `dumped what was there as ${report.before}\nrestored ${content}`;
  return { ok: true, data: { ...report }, text };
}

function rowsOf({ tables }: Pick<PostgresDump, "tables">): string {
  return tables.reduce((sum, { rows }) => sum + rows, 0).toLocaleString("en");
}
