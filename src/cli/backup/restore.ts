/** `springhouse backup restore`: a backup takes the place of the database, or becomes a file. */

import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { Replaced, RestoreReport } from "../../backup/restore.ts";
import { formatBytes } from "../../core/bytes.ts";
import { type CommandDefinition, type Invocation, isGiven, textOf } from "../command.ts";
import { confirm } from "../migrate/confirm.ts";
import { loadSettings } from "../settings.ts";
import { BackupProgress, backupKeyOf } from "./settings.ts";
import { describeProof } from "./verify.ts";

export const backupRestore: CommandDefinition = {
  name: "backup restore",
  summary: "Put a backup in the place of the database",
  arguments: [{ name: "<name>", doc: "the backup" }],
  options: [
    { flags: "--target <file>", doc: "make this file, instead of the configured database" },
    { flags: "--dry-run", doc: "prove the backup and say what would happen" },
    { flags: "--yes", doc: "agree that the database is replaced" },
  ],
  examples: [
    "springhouse backup restore backup_20261126_020000 --dry-run",
    "springhouse backup restore backup_20261126_020000 --yes",
    "springhouse backup restore backup_20261126_020000 --target yesterday.db",
  ],
  async run(invocation) {
    const config = await loadSettings(invocation);
    const [name = ""] = invocation.words;
    const url = urlOf(invocation, config.database.url);
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
  },
};

function urlOf(invocation: Invocation, configured: string): string {
  const target = textOf(invocation, "target");
  return target === undefined
    ? configured
    : `sqlite:///${resolve(invocation.terminal.cwd, target)}`;
}

async function confirmReplacing(invocation: Invocation, name: string, url: string): Promise<void> {
  const { parseLocation } = await import("../../sqlite/location.ts");
  const location = parseLocation(url);
  if (location.kind !== "file" || !existsSync(location.path)) return;
  await confirm(
    invocation,
    `${name} takes the place of ${location.path}, which is backed up first.`,
  );
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

function describeReplaced(replaced: Replaced, database: string, dryRun: boolean): string {
  switch (replaced.state) {
    case "absent":
      return `there ${dryRun ? "is" : "was"} no ${database}`;
    case "kept": {
      const size = formatBytes(replaced.sizeBytes);
      if (dryRun) return `would back up what is there first, ${size}`;
      return `backed up what was there, ${size}, as ${replaced.backup ?? ""}`;
    }
    case "damaged":
      return `${dryRun ? "would set" : "set"} what is there aside: ${replaced.why}`;
  }
}
