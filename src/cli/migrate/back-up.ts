/** The backup before a migration that may lose data: verified, or nothing is migrated. */

import { BackupProgress, backupKeyOf } from "../backup/settings.ts";
import type { Invocation } from "../command.ts";
import { loadSettings } from "../settings.ts";

/**
 * Makes it, unless `--no-backup` or the configuration says not to, or the database has no file.
 *
 * @returns the name, or nothing.
 */
export async function backUp(invocation: Invocation): Promise<readonly string[]> {
  if (invocation.options["backup"] === false) return [];
  const config = await loadSettings(invocation);
  const { parseLocation } = await import("../../sqlite/location.ts");
  const { url } = config.database;
  if (!config.backup.enabled || parseLocation(url).kind !== "file") return [];
  const { createBackup } = await import("../../backup/create.ts");
  using progress = new BackupProgress(invocation);
  const { name } = await createBackup({
    url,
    directory: config.backup.directory,
    kind: "pre-migration",
    key: await backupKeyOf(config),
    clock: invocation.terminal.clock,
    signal: invocation.terminal.signal,
    onProgress: progress.show,
  });
  return [name];
}
