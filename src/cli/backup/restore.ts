/** `springhouse backup restore`: a backup, or a moment, takes the place of the database. */

import { resolve } from "node:path";
import type { RestoreReport } from "../../backup/restore.ts";
import type { Config } from "../../config/config.ts";
import { formatBytes } from "../../core/bytes.ts";
import {
  type CommandDefinition,
  type Invocation,
  isGiven,
  type Outcome,
  textOf,
  usageError,
} from "../command.ts";
import { loadSettings } from "../settings.ts";
import { isPostgres, restoreDump } from "./postgres.ts";
import { confirmReplacing, describeReplaced } from "./replacing.ts";
import { restoreMoment } from "./restore-moment.ts";
import { BackupProgress, backupKeyOf } from "./settings.ts";
import { describeProof } from "./verify.ts";

export const backupRestore: CommandDefinition = {
  name: "backup restore",
  summary: "Put a backup, or a moment, in the place of the database",
  arguments: [{ name: "[name]", doc: "the backup; none with --to" }],
  options: [
    {
      flags: "--to <time>",
      doc: "restore what was shipped up to then: 2026-11-12T10:03Z, or latest",
    },
    { flags: "--target <file>", doc: "make this file, instead of the configured database" },
    { flags: "--dry-run", doc: "prove the backup, or the segments, and say what would happen" },
    { flags: "--yes", doc: "agree that the database is replaced" },
  ],
  examples: [
    "springhouse backup restore backup_20261126_020000 --dry-run",
    "springhouse backup restore backup_20261126_020000 --yes",
    "springhouse backup restore backup_20261126_020000 --target yesterday.db",
    "springhouse backup restore --to 2026-11-12T10:03Z --dry-run",
  ],
  async run(invocation) {
    const config = await loadSettings(invocation);
    const [name] = invocation.words;
    const url = urlOf(invocation, config.database.url);
    const to = textOf(invocation, "to");
    if ((to === undefined) === (name === undefined)) {
      throw usageError("Give the name of a backup, or --to with a time.");
    }
    if (to !== undefined) return await restoreMoment(invocation, config, to, url);
    if (isPostgres(url)) return await restoreDump(invocation, config, name ?? "");
    return await restoreNamed(invocation, config, name ?? "", url);
  },
};

async function restoreNamed(
  invocation: Invocation,
  config: Config,
  name: string,
  url: string,
): Promise<Outcome> {
  const dryRun = isGiven(invocation, "dryRun");
  if (!dryRun) await confirmReplacing(invocation, name, url);
  const { restoreBackup } = await import("../../backup/restore.ts");
  using progress = new BackupProgress(invocation);
  const report = await restoreBackup({
    directory: config.backup.directory,
    name,
    url,
    dryRun,
    key: await backupKeyOf(config),
    clock: invocation.terminal.clock,
    signal: invocation.terminal.signal,
    onProgress: progress.show,
  });
  const { manifest, ...data } = report;
  return { ok: true, data: { ...data, createdAt: manifest.createdAt }, text: describe(report) };
}

function urlOf(invocation: Invocation, configured: string): string {
  const target = textOf(invocation, "target");
  return target === undefined
    ? configured
    : `sqlite:///${resolve(invocation.terminal.cwd, target)}`;
}

function describe(report: RestoreReport): string {
  const { name, manifest, database, dryRun, proof, replaced } = report;
  const { createdAt, database: facts } = manifest;
  return [
    `sound ${name}, of ${facts.file} at ${createdAt.slice(0, 19).replace("T", " ")} UTC`,
    ...describeProof(proof),
    describeReplaced(replaced, database, dryRun),
    dryRun
      ? `would restore ${formatBytes(facts.sizeBytes)} to ${database}. Nothing was changed.`
      : `restored ${formatBytes(facts.sizeBytes)} to ${database}`,
  ].join("\n");
}
