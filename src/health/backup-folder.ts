/** A folder of backups, as health looks at it. */

import { existsSync } from "node:fs";
import type { BackupEntry } from "../backup/list.ts";
import type { HealthBackup, HealthBackups } from "./sources.ts";

/** Reads manifests, proofs and sizes; no backup is opened for it. */
export class BackupFolder implements HealthBackups {
  readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
  }

  async list(): Promise<readonly HealthBackup[]> {
    const { listBackups } = await import("../backup/list.ts");
    return (await listBackups({ directory: this.directory })).map(toHealthBackup);
  }

  async sizeBytes(): Promise<number> {
    const { folderBytes } = await import("../backup/folder.ts");
    return existsSync(this.directory) ? await folderBytes(this.directory) : 0;
  }
}

/** One that a look finds damaged is so, whatever was proved of it before. */
function toHealthBackup({ name, createdAt, verification, problem }: BackupEntry): HealthBackup {
  const verified = problem === undefined ? verification?.ok : false;
  return { name, createdMs: createdAt?.getTime(), verified };
}
