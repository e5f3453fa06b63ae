/** What is in a folder of backups. */

import { join } from "node:path";
import { isOfFuture } from "../core/clock.ts";
import { messageOf, SpringhouseError } from "../core/errors.ts";
import { refuseUnknownKeys } from "../core/options.ts";
import { backupNames, fileProblem, folderBytes, isBackup, readIfThere } from "./folder.ts";
import { MANIFEST_FILE, type Manifest, parseManifest } from "./manifest.ts";
import { type FolderOptions, resolveDirectory } from "./options.ts";
import { isPinned } from "./pin.ts";
import { readVerification, type Verification } from "./verification.ts";

/** One backup of a folder. */
export interface BackupEntry {
  readonly name: string;
  /** Its folder. */
  readonly path: string;
  /** Of all its files. */
  readonly sizeBytes: number;
  /** When the snapshot was taken; undefined when the manifest cannot be read. */
  readonly createdAt: Date | undefined;
  readonly pinned: boolean;
  /** Of the last time that it was restored and checked. */
  readonly verification: Verification | undefined;
  readonly manifest: Manifest | undefined;
  /**
   * Why the manifest cannot be read, or that the data is missing, a link or of another size;
   * undefined when a look finds nothing wrong. Such a backup counts for nothing, whatever was
   * proved of it before.
   */
  readonly problem: string | undefined;
}

/**
 * All backups of a folder, newest first; those whose manifest cannot be read come last. Of the data
 * only the size is looked at: `verifyBackup` checks it. A folder that does not exist has none.
 *
 * @example const [newest] = await listBackups({ directory: "backups" });
 */
export async function listBackups(options: FolderOptions): Promise<readonly BackupEntry[]> {
  refuseUnknownKeys(options, ["directory"], "listBackups");
  const directory = resolveDirectory("listBackups", options.directory);
  const entries: BackupEntry[] = [];
  for (const name of await backupNames(directory)) {
    const entry = await readEntry(join(directory, name), name);
    if (entry !== undefined) entries.push(entry);
  }
  const timeOf = ({ createdAt }: BackupEntry): number => createdAt?.getTime() ?? -Infinity;
  return entries.sort((a, b) => timeOf(b) - timeOf(a) || (a.name < b.name ? 1 : -1));
}

/** The newest one of a list; one that says that it was made in the future only without others. */
export function newestOf(entries: readonly BackupEntry[], nowMs: number): BackupEntry | undefined {
  const isPast = ({ createdAt }: BackupEntry): boolean =>
    createdAt === undefined || !isOfFuture(createdAt.getTime(), nowMs);
  return entries.find(isPast) ?? entries[0];
}

/** What the folder of one backup says; undefined when it was removed meanwhile. */
export async function readEntry(path: string, name: string): Promise<BackupEntry | undefined> {
  if (!(await isBackup(path))) return undefined;
  const text = await readIfThere(join(path, MANIFEST_FILE));
  const { manifest, problem: unreadable } = attempt(text, path, name);
  const problem = manifest === undefined ? unreadable : dataProblem(path, manifest);
  return {
    name,
    path,
    sizeBytes: await folderBytes(path),
    createdAt: manifest === undefined ? undefined : new Date(manifest.createdAt),
    pinned: await isPinned(path),
    verification: await readVerification(path),
    manifest,
    problem,
  };
}

function attempt(
  text: string | undefined,
  path: string,
  name: string,
): Pick<BackupEntry, "manifest" | "problem"> {
  try {
    return { manifest: readManifest(text, path, name), problem: undefined };
  } catch (error) {
    return { manifest: undefined, problem: messageOf(error) };
  }
}

/** What one look at the data tells. Its bytes may be others still: that takes a proof. */
function dataProblem(path: string, { data }: Manifest): string | undefined {
  const place = join(path, data.file);
  const problem = fileProblem(place, data.sizeBytes);
  return problem && `${place} ${problem}. Take another backup.`;
}

/**
 * The manifest in a backup's folder, of its text; undefined when the file is not there.
 *
 * @throws `BACKUP_DAMAGED` when there is none, or that of another one.
 */
export function readManifest(text: string | undefined, path: string, name: string): Manifest {
  const place = join(path, MANIFEST_FILE);
  if (text === undefined) {
    const message = `${place} is missing: without it nothing proves the data beside it.`;
    throw new SpringhouseError("BACKUP_DAMAGED", message, { fields: { place } });
  }
  const manifest = parseManifest(text, place);
  if (manifest.name === name) return manifest;
  const message =
    `${place} is the manifest of ${manifest.name}: the folder was renamed or its files were ` +
    "mixed up. Give it its name back.";
  throw new SpringhouseError("BACKUP_DAMAGED", message, { fields: { place } });
}
