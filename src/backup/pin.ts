/** Pinned backups are never removed by retention: `pinned.json` says why. */

import { rm } from "node:fs/promises";
import { join } from "node:path";
import { assertFlag, assertText } from "../core/arguments.ts";
import { refuseUnknownKeys } from "../core/options.ts";
import { existingPath, readIfThere, writeWhole } from "./folder.ts";
import { type FolderOptions, resolveDirectory } from "./options.ts";

const FILE = "pinned.json";

/** For `pinBackup`. */
export interface PinOptions extends FolderOptions {
  readonly name: string;
  /** False takes the pin away. Default: true. */
  readonly pinned?: boolean;
  /** Why it is kept, for whoever looks at the list. Default: none. */
  readonly reason?: string;
}

/**
 * Keeps a backup from being removed by retention, or no longer.
 *
 * @throws `BACKUP_NOT_FOUND`.
 * @example await pinBackup({ directory: "backups", name, reason: "before the move" });
 */
export async function pinBackup(options: PinOptions): Promise<void> {
  const { directory, name, pinned, reason } = resolvePin("pinBackup", options);
  const path = await existingPath(directory, name);
  if (pinned) await writePin(path, reason);
  else await rm(join(path, FILE), { force: true });
}

/** Checks the options and fills the defaults. */
export function resolvePin(call: string, options: PinOptions): Required<PinOptions> {
  refuseUnknownKeys(options, ["directory", "name", "pinned", "reason"], call);
  const { name, pinned = true, reason = "" } = options;
  assertFlag(`${call}: pinned`, pinned);
  assertText(`${call}: reason`, reason);
  return { directory: resolveDirectory(call, options.directory), name, pinned, reason };
}

/** Pins what is in a folder, also before it has its name. */
export async function writePin(path: string, reason: string): Promise<void> {
  await writeWhole(join(path, FILE), `${JSON.stringify({ reason })}\n`);
}

/** Whether it is pinned. A file that cannot be read pins as well. */
export async function isPinned(path: string): Promise<boolean> {
  return (await readIfThere(join(path, FILE))) !== undefined;
}
