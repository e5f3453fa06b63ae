/** `springhouse backup create`: a backup of the database while it is in use. */

import type { BackupEntry } from "../../backup/list.ts";
import { formatBytes } from "../../core/bytes.ts";
import { type CommandDefinition, isGiven, textOf } from "../command.ts";
import { loadSettings } from "../settings.ts";
import { createDump, isPostgres } from "./postgres.ts";
import { BackupProgress, backupKeyOf } from "./settings.ts";
import { describeProof } from "./verify.ts";

export const backupCreate: CommandDefinition = {
  name: "backup create",
  summary: "Make a backup, restore it beside and check it",
  options: [
    { flags: "--name <name>", doc: "default: backup_YYYYMMDD_HHMMSS, in UTC" },
    { flags: "--pin", doc: "never remove it by the rules of retention" },
  ],
  examples: ["springhouse backup create", "springhouse backup create --name before-move --pin"],
  async run(invocation) {
    const config = await loadSettings(invocation);
    if (isPostgres(config.database.url)) return await createDump(invocation, config);
    const { createBackup } = await import("../../backup/create.ts");
    using progress = new BackupProgress(invocation);
    const entry = await createBackup({
      url: config.database.url,
      directory: config.backup.directory,
      key: await backupKeyOf(config),
      name: textOf(invocation, "name"),
      pinned: isGiven(invocation, "pin"),
      clock: invocation.terminal.clock,
      signal: invocation.terminal.signal,
      onProgress: progress.show,
    });
    return { ok: true, data: { backup: entry }, text: describeCreated(entry) };
  },
};

/** Its name and size, and what was proved of it. */
export function describeCreated({ name, path, sizeBytes, verification }: BackupEntry): string {
  const proved = verification?.ok === true ? describeProof(verification.proof) : [];
  return [`made ${name}, ${formatBytes(sizeBytes)} in ${path}`, ...proved].join("\n");
}
