/** `springhouse backup verify`: restores backups beside and says what was proved of them. */

import type { Proof } from "../../backup/protocol.ts";
import { formatBytes } from "../../core/bytes.ts";
import { formatDuration } from "../../core/duration.ts";
import { isSpringhouseError } from "../../core/errors.ts";
import { type CommandDefinition, isGiven, usageError } from "../command.ts";
import { loadSettings } from "../settings.ts";
import { refusePostgres } from "./postgres.ts";
import { BackupProgress, backupKeyOf, nameOrNewest } from "./settings.ts";

interface Verdict {
  readonly name: string;
  readonly ok: boolean;
  readonly proof?: Proof;
  readonly problem?: string;
}

export const backupVerify: CommandDefinition = {
  name: "backup verify",
  summary: "Restore a backup beside and check it; 1 when it is damaged",
  arguments: [{ name: "[name]", doc: "the backup; default: the newest" }],
  options: [{ flags: "--all", doc: "every backup of the folder" }],
  examples: ["springhouse backup verify", "springhouse backup verify --all --json"],
  async run(invocation) {
    const isAll = isGiven(invocation, "all");
    if (isAll && invocation.words.length > 0) {
      throw usageError("A name and --all exclude each other. Give one of them.");
    }
    const config = await loadSettings(invocation);
    refusePostgres("verify", config);
    const { directory } = config.backup;
    const { listBackups } = await import("../../backup/list.ts");
    const { verifyBackup } = await import("../../backup/verify.ts");
    const key = await backupKeyOf(config);
    const names = isAll
      ? (await listBackups({ directory })).map(({ name }) => name)
      : [await nameOrNewest(invocation, directory)];
    const { clock, signal } = invocation.terminal;
    const verdicts: Verdict[] = [];
    for (const name of names) {
      using progress = new BackupProgress(invocation);
      try {
        const onProgress = progress.show;
        const { proof } = await verifyBackup({ directory, name, key, clock, signal, onProgress });
        verdicts.push({ name, ok: true, proof });
      } catch (error) {
        if (!isSpringhouseError(error, "BACKUP_DAMAGED")) throw error;
        verdicts.push({ name, ok: false, problem: error.message });
      }
    }
    const ok = verdicts.every((verdict) => verdict.ok);
    return { ok, data: { backups: verdicts }, text: verdicts.map(describe).join("\n") };
  },
};

function describe({ name, proof, problem }: Verdict): string {
  if (proof === undefined) return `damaged ${name}\n  ${problem}`;
  return [`sound ${name}`, ...describeProof(proof)].join("\n");
}

/** What was proved, a line for each kind of check. */
export function describeProof(proof: Proof): readonly string[] {
  const { bytes, tables, rows, foreignKeyViolations, ms } = proof;
  const references =
    foreignKeyViolations === 0
      ? "every reference leads to a row (foreign_key_check)"
      : `${foreignKeyViolations} rows refer to nothing, as they did in the database`;
  return [
    `  restored beside in a process of its own, in ${formatDuration(ms)}`,
    `  every one of ${formatBytes(bytes)} is as it was (SHA-256)`,
    "  pages and indexes are sound (integrity_check)",
    `  ${references}`,
    `  ${rows.toLocaleString("en")} rows of ${tables} tables have the content of the snapshot`,
  ];
}
