/**
 * Restoring a backup over a database, or to a new file.
 *
 * First the backup is proved, by making the file that will take the place of the database, beside
 * it. Then nobody else gets the database any more (`swap.ts`), what it holds is backed up, and the
 * files change places in one step. Whatever fails before that leaves the database as it was.
 */

import { randomUUID } from "node:crypto";
import { readdir, realpath, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";
import { assertFlag } from "../core/arguments.ts";
import { isSpringhouseError } from "../core/errors.ts";
import { isGone } from "../core/process-mark.ts";
import { toSpringhouseError } from "../sqlite/errors.ts";
import { sizeOf } from "../sqlite/files.ts";
import { assertRoomFor, finishBackup, snapshotPath } from "./create.ts";
import { assertNoPart, existingPath, WorkFolder } from "./folder.ts";
import type { Manifest } from "./manifest.ts";
import {
  type BackupOptions,
  type ResolvedBackupOptions,
  resolveBackupOptions,
  resolveDatabase,
} from "./options.ts";
import type { Locked, Proof } from "./protocol.ts";
import { assertRoom } from "./room.ts";
import { removeSteadily } from "./steady-file.ts";
import { manifestOf, proveInto } from "./verify.ts";
import { BackupWork } from "./work.ts";

/** For `restoreBackup`. */
export interface RestoreBackupOptions extends BackupOptions {
  /** The backup. */
  readonly name: string;
  /** The database that it becomes: `sqlite:app.db`. No default. */
  readonly url: string;
  /** Proves the backup and says what would happen; nothing is changed. Default: false. */
  readonly dryRun?: boolean;
}

/** What a restore did, or would do. */
export interface RestoreReport {
  readonly name: string;
  readonly manifest: Manifest;
  /** The file that the backup became, or would become. */
  readonly database: string;
  readonly dryRun: boolean;
  /** Of the backup; a dry run proves it too. */
  readonly proof: Proof;
  readonly replaced: Replaced;
}

/** What was there before. */
export type Replaced =
  | { readonly state: "absent" }
  /** It was backed up first, under this name; a dry run does not. */
  | { readonly state: "kept"; readonly sizeBytes: number; readonly backup: string | undefined }
  /** It cannot be read any more: its files are set aside, under this path; a dry run does not. */
  | {
      readonly state: "damaged";
      readonly sizeBytes: number;
      readonly why: string;
      readonly aside: string | undefined;
    };

/** Begins the name of a file that is to take the place of a database. */
const RESTORING = ".restoring-";

/**
 * Makes a database of a backup. What was there before is backed up and verified first, with the
 * kind "pre-restore".
 *
 * @throws `BACKUP_DAMAGED`, `BACKUP_KEY`, `BACKUP_NOT_FOUND`; `DATABASE_IN_USE` when anybody has
 *   the database open; `INVALID_ARGUMENT` when it belongs to the folder of backups; `DISK_FULL`.
 *   Nothing was changed then.
 * @example await restoreBackup({ directory: "backups", name, url: "sqlite:app.db" });
 */
export async function restoreBackup(options: RestoreBackupOptions): Promise<RestoreReport> {
  const resolved = resolveBackupOptions("restoreBackup", options, ["name", "url", "dryRun"]);
  const { name, dryRun = false } = options;
  assertFlag("restoreBackup: dryRun", dryRun);
  const database = await behindLinks(resolveDatabase("restoreBackup", options.url));
  await assertNoPart(resolved.directory, database);
  const path = await existingPath(resolved.directory, name);
  const manifest = await manifestOf(path, name);
  const { signal, onProgress } = resolved;
  await removeLeftovers(database);
  await assertRoom(dirname(database), manifest.database.sizeBytes, `The database of ${name}`);
  await using work = new BackupWork({ what: "The restore", signal, onProgress });
  const restored = restoringPath(database);
  try {
    const proof = await proveInto(restored, path, manifest, work, resolved);
    const replaced = await replaceDatabase({ database, restored, dryRun }, work, resolved);
    return { name, manifest, database, dryRun, proof, replaced };
  } finally {
    await removeSteadily(restored);
  }
}

/** The file itself: a rename would replace a symbolic link, and leave the file where it is. */
export async function behindLinks(path: string): Promise<string> {
  return realpath(path).catch(() => path);
}

/** A name beside the database, on the same disk, for the file that takes its place. */
export function restoringPath(database: string): string {
  return `${database}${RESTORING}${process.pid}-${randomUUID()}`;
}

/** A finished file, and the database whose place it takes. */
export interface Replacement {
  readonly database: string;
  readonly restored: string;
  /** Whether to find out only what would happen. */
  readonly dryRun: boolean;
}

/**
 * Backs up what is there and puts a finished file in its place; all or nothing.
 *
 * @throws `DATABASE_IN_USE`.
 */
export async function replaceDatabase(
  { database, restored, dryRun }: Replacement,
  work: BackupWork,
  options: ResolvedBackupOptions,
): Promise<Replaced> {
  const locked = await work.run({ kind: "lock", database });
  const replaced = await keepOld(locked, { database, restored, dryRun }, work, options);
  const setOldAside = replaced.state === "damaged";
  const swapped = dryRun ? undefined : await work.run({ kind: "swap", restored, setOldAside });
  await work.run({ kind: "unlock" });
  return replaced.state === "damaged" ? { ...replaced, aside: swapped?.aside } : replaced;
}

/** Backs up what is there, while nobody else can write to it. */
async function keepOld(
  locked: Locked,
  { database, dryRun }: Replacement,
  work: BackupWork,
  options: ResolvedBackupOptions,
): Promise<Replaced> {
  if (locked.state === "absent") return locked;
  const sizeBytes = sizeOf(database) + sizeOf(`${database}-wal`);
  if (locked.state === "damaged") return { ...locked, sizeBytes, aside: undefined };
  const kept: Replaced = { state: "kept", sizeBytes, backup: undefined };
  if (dryRun) return kept;
  const { directory, clock } = options;
  await using folder = await WorkFolder.make(directory);
  await assertRoomFor(database, directory);
  const createdMs = clock.nowMs();
  const snapshot = { folder, createdMs, database, kind: "pre-restore", pinned: false } as const;
  try {
    const facts = await work.run({ kind: "copyLocked", to: snapshotPath(folder) });
    const { name } = await finishBackup({ ...snapshot, facts }, work, options);
    return { ...kept, backup: name };
  } catch (error) {
    if (!isSpringhouseError(error, "CORRUPT")) throw error;
    return { state: "damaged", sizeBytes, why: error.message, aside: undefined };
  }
}

/** What restores that were killed have left beside the database. */
export async function removeLeftovers(database: string): Promise<void> {
  const folder = dirname(database);
  const start = `${basename(database)}${RESTORING}`;
  try {
    for (const name of await readdir(folder)) {
      const pid = name.startsWith(start) ? Number.parseInt(name.slice(start.length), 10) : NaN;
      if (Number.isNaN(pid) || !isGone({ pid, host: hostname() })) continue;
      await rm(join(folder, name), { force: true });
    }
  } catch (error) {
    throw toSpringhouseError(error, { path: folder });
  }
}
