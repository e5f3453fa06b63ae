/** What the backup commands share: where backups are, their key, and how progress looks. */

import { join } from "node:path";
import type { Progress } from "../../backup/protocol.ts";
import type { Config } from "../../config/config.ts";
import { SpringhouseError } from "../../core/errors.ts";
import type { Invocation } from "../command.ts";
import { ProgressLine } from "../progress.ts";

/**
 * The key of encrypted backups, from the variable or the file; undefined when there is none.
 *
 * @throws `BACKUP_KEY`.
 */
export async function backupKeyOf({ backup }: Config): Promise<string | undefined> {
  const { readBackupKey } = await import("../../backup/encryption.ts");
  const { encryptionKey: text, encryptionKeyFile: file } = backup;
  const key = await readBackupKey({ text, file });
  return key === undefined ? undefined : Buffer.from(key.bytes).toString("hex");
}

/** Where segments are, as `openObjectStore` takes it. */
export function segmentsPlaceOf({ backup }: Config): string {
  return backup.segmentsUrl ?? join(backup.directory, "segments");
}

/** Said of segments whose store has nothing that tells their end. */
export const END_UNKNOWN =
  "cannot tell whether later segments were taken away: head.json is missing, or has another key";

/** The name that was given, else that of the newest backup. */
export async function nameOrNewest(invocation: Invocation, directory: string): Promise<string> {
  const [given] = invocation.words;
  if (given !== undefined) return given;
  const { listBackups, newestOf } = await import("../../backup/list.ts");
  const newest = newestOf(await listBackups({ directory }), invocation.terminal.clock.nowMs());
  if (newest !== undefined) return newest.name;
  const message = `There is no backup in ${directory}. Run: springhouse backup create`;
  throw new SpringhouseError("BACKUP_NOT_FOUND", message, { fields: { directory } });
}

const LABELS: Readonly<Record<Progress["step"], string>> = {
  copy: "copying",
  read: "reading",
  pack: "packing",
  unpack: "restoring beside",
  check: "checking",
};

/** Draws the progress of one call, and wipes it away at its end. */
export class BackupProgress implements Disposable {
  readonly #line: ProgressLine;

  constructor({ terminal }: Invocation) {
    this.#line = new ProgressLine(terminal);
  }

  readonly show = ({ step, done, total, unit }: Progress): void => {
    this.#line.show({ label: LABELS[step], done, total, unit });
  };

  [Symbol.dispose](): void {
    this.#line[Symbol.dispose]();
  }
}
