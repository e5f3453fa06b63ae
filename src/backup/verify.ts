/** Proving a backup again: it is restored into a work folder and checked, however old it is. */

import { join } from "node:path";
import { isSpringhouseError } from "../core/errors.ts";
import { existingPath, readIfThere, WorkFolder } from "./folder.ts";
import { readManifest } from "./list.ts";
import { MANIFEST_FILE, type Manifest } from "./manifest.ts";
import { type BackupOptions, type ResolvedBackupOptions, resolveBackupOptions } from "./options.ts";
import type { Proof } from "./protocol.ts";
import { removeSteadily } from "./steady-file.ts";
import { disproved, keepVerification, proved } from "./verification.ts";
import { BackupWork } from "./work.ts";

/** For `verifyBackup`. */
export interface VerifyBackupOptions extends BackupOptions {
  readonly name: string;
}

/** What was proved of a backup. */
export interface VerifiedBackup {
  readonly name: string;
  readonly manifest: Manifest;
  readonly proof: Proof;
}

/**
 * Restores a backup beside and checks it: its bytes against SHA-256, its pages and indexes, its
 * references, and the rows of every table against the digests of the day on which it was made. The
 * result is kept with the backup.
 *
 * @throws `BACKUP_DAMAGED` when anything is not as it was; `BACKUP_KEY`, `BACKUP_NOT_FOUND`.
 * @example const { proof } = await verifyBackup({ directory: "backups", name });
 */
export async function verifyBackup(options: VerifyBackupOptions): Promise<VerifiedBackup> {
  const resolved = resolveBackupOptions("verifyBackup", options, ["name"]);
  const { directory, clock, signal, onProgress } = resolved;
  const path = await existingPath(directory, options.name);
  const what = `The verification of ${options.name}`;
  try {
    const manifest = await manifestOf(path, options.name);
    await using folder = await WorkFolder.make(directory);
    await using work = new BackupWork({ what, signal, onProgress });
    const to = folder.file("proof.db");
    const proof = await proveInto(to, path, manifest, work, resolved);
    await removeSteadily(to);
    await keepVerification(path, proved(proof, clock.nowMs()));
    return { name: options.name, manifest, proof };
  } catch (error) {
    // A wrong key or a full disk says nothing about the backup.
    if (isSpringhouseError(error, "BACKUP_DAMAGED")) {
      await keepVerification(path, disproved(error, clock.nowMs()));
    }
    throw error;
  }
}

/** The manifest of a backup that exists. */
export async function manifestOf(path: string, name: string): Promise<Manifest> {
  return readManifest(await readIfThere(join(path, MANIFEST_FILE)), path, name);
}

/** Makes the database of a backup at `to` and checks it. */
export function proveInto(
  to: string,
  path: string,
  manifest: Manifest,
  work: BackupWork,
  { key }: Pick<ResolvedBackupOptions, "key">,
): Promise<Proof> {
  return work.run({ kind: "prove", from: join(path, manifest.data.file), to, manifest, key });
}
