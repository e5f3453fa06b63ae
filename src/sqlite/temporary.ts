/** Folders of temporary databases: removed at close, and at the latest when the process ends. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const folders = new Set<string>();

/** Makes a folder that only its owner can read. */
export function makeTemporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "springhouse-"));
  if (folders.size === 0) process.on("exit", removeAll);
  folders.add(folder);
  return folder;
}

/** Removes a folder and all that is in it. */
export function removeTemporaryFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  folders.delete(folder);
  if (folders.size === 0) process.off("exit", removeAll);
}

function removeAll(): void {
  for (const folder of folders) removeTemporaryFolder(folder);
}
