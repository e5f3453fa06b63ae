/** Making a backup: a snapshot, packed, restored and checked, and only then given its name. */

import { writeFile } from "node:fs/promises";
import { basename } from "node:path";
import { assertFlag } from "../core/arguments.ts";
import { assert } from "../core/assert.ts";
import { isSpringhouseError, SpringhouseError } from "../core/errors.ts";
import { identityOf, sizeOf } from "../sqlite/files.ts";
import { newEncryption } from "./encryption.ts";
import { assertName, defaultName, pathOf, WorkFolder } from "./folder.ts";
import { type BackupEntry, readEntry } from "./list.ts";
import {
  BACKUP_KINDS,
  type BackupKind,
  DATA_FILE,
  type DatabaseFacts,
  ENCRYPTED_DATA_FILE,
  MANIFEST_FILE,
  type Manifest,
  manifestText,
} from "./manifest.ts";
import {
  type BackupOptions,
  type ResolvedBackupOptions,
  resolveBackupOptions,
  resolveDatabase,
} from "./options.ts";
import { writePin } from "./pin.ts";
import type { Proof } from "./protocol.ts";
import { assertRoom } from "./room.ts";
import { isDamage } from "./snapshot.ts";
import { removeSteadily } from "./steady-file.ts";
import { keepVerification, proved } from "./verification.ts";
import { BackupWork } from "./work.ts";

/** For `createBackup`. */
export interface CreateBackupOptions extends BackupOptions {
  /** The database: `sqlite:app.db`. It may be open and in use. No default. */
  readonly url: string;
  /** Default: `backup_YYYYMMDD_HHMMSS`, in UTC. */
  readonly name?: string | undefined;
  /** Why it is made. Default: "manual". */
  readonly kind?: BackupKind;
  /** Whether retention never removes it. Default: false. */
  readonly pinned?: boolean;
}

const KEYS = ["url", "name", "kind", "pinned"];
const SNAPSHOT_FILE = "snapshot.db";
const PROOF_FILE = "proof.db";
/** Backups of one second that find a name; more is a mistake. */
const SAME_SECOND_MAX = 1_000;
/** The snapshot, and what it is packed to; texts and numbers shrink to a quarter mostly. */
const NEEDED_SHARE = 1.25;

/**
 * Makes a backup while the database is in use, restores it beside, checks what came out, and keeps
 * it only when all of it is as it was.
 *
 * @throws `UNOPENABLE` when there is no database, `CORRUPT` when it is damaged itself, `DISK_FULL`
 *   when there is no room for two copies of it, `BACKUP_EXISTS` when the name is taken, `ABORTED`.
 * @example
 * const { name, manifest } = await createBackup({ url: "sqlite:app.db", directory: "backups" });
 */
export async function createBackup(options: CreateBackupOptions): Promise<BackupEntry> {
  const resolved = resolveBackupOptions("createBackup", options, KEYS);
  const { name, kind = "manual", pinned = false } = options;
  if (name !== undefined) assertName(name);
  if (!BACKUP_KINDS.includes(kind)) {
    const message = `createBackup: kind must be one of ${BACKUP_KINDS.join(", ")}.`;
    throw new SpringhouseError("INVALID_ARGUMENT", message, { fields: { kind } });
  }
  assertFlag("createBackup: pinned", pinned);
  const database = resolveDatabase("createBackup", options.url);
  identityOf(database);
  const { directory, clock, signal, onProgress } = resolved;
  await refuseTaken(directory, name);
  await using folder = await WorkFolder.make(directory);
  await assertRoomFor(database, directory);
  await using work = new BackupWork({ what: "The backup", signal, onProgress });
  const createdMs = clock.nowMs();
  const to = folder.file(SNAPSHOT_FILE);
  const facts = await work.run({ kind: "snapshot", database, to });
  const made = { folder, facts, createdMs, database, name, kind, pinned };
  return await finishBackup(made, work, resolved);
}

/** A snapshot in a work folder, and what is to become of it. */
export interface Snapshot {
  readonly folder: WorkFolder;
  readonly facts: DatabaseFacts;
  readonly createdMs: number;
  /** The file that it is of, for messages. */
  readonly database: string;
  readonly name?: string | undefined;
  readonly kind: BackupKind;
  readonly pinned: boolean;
}

/** Where a snapshot is taken to. */
export function snapshotPath(folder: WorkFolder): string {
  return folder.file(SNAPSHOT_FILE);
}

/** Packs a snapshot, proves it and gives it its name. */
export async function finishBackup(
  snapshot: Snapshot,
  work: BackupWork,
  { directory, key, clock }: ResolvedBackupOptions,
): Promise<BackupEntry> {
  const { folder, facts, createdMs, kind, pinned, name: wanted } = snapshot;
  const encryption = key === undefined ? undefined : newEncryption(key);
  const file = encryption === undefined ? DATA_FILE : ENCRYPTED_DATA_FILE;
  const from = snapshotPath(folder);
  const packed = await work
    .run({ kind: "pack", from, to: folder.file(file), key, encryption })
    .catch((error: unknown) => {
      throw aboutDatabase(error, snapshot);
    });
  await removeSteadily(from);
  const manifest: Manifest = {
    format: "springhouse-backup",
    formatVersion: 1,
    name: wanted ?? defaultName(createdMs),
    kind,
    createdAt: new Date(createdMs).toISOString(),
    database: facts,
    content: packed.content,
    data: { file, ...packed.data },
  };
  const proof = await proveOwn(snapshot, manifest, work, key);
  await keepVerification(folder.path, proved(proof, clock.nowMs()));
  if (pinned) await writePin(folder.path, "");
  return publish(directory, folder, manifest, wanted !== undefined);
}

/** Damage of a snapshot is damage of the database, and nobody knows the snapshot by its name. */
function aboutDatabase(error: unknown, { folder, database }: Snapshot): unknown {
  if (!isSpringhouseError(error) || !isDamage(error)) return error;
  const message = error.message.replaceAll(snapshotPath(folder), database);
  const fields = { ...error.fields, path: database };
  return new SpringhouseError(error.code, message, { cause: error, fields });
}

async function proveOwn(
  { folder, database }: Snapshot,
  manifest: Manifest,
  work: BackupWork,
  key: ResolvedBackupOptions["key"],
): Promise<Proof> {
  const to = folder.file(PROOF_FILE);
  const from = folder.file(manifest.data.file);
  try {
    return await work.run({ kind: "prove", from, to, manifest, key });
  } catch (error) {
    if (!isSpringhouseError(error, "BACKUP_DAMAGED")) throw error;
    const message =
      `${database} is damaged, so no backup of it was kept: ${String(error.fields["why"])}. ` +
      "Run springhouse doctor, and restore an older backup.";
    throw new SpringhouseError("CORRUPT", message, { cause: error, fields: { path: database } });
  } finally {
    await removeSteadily(to);
  }
}

/** Two backups of one second get names that differ; a name that was asked for is taken or not. */
async function publish(
  directory: string,
  folder: WorkFolder,
  manifest: Manifest,
  isNameGiven: boolean,
): Promise<BackupEntry> {
  for (let count = 1; count <= SAME_SECOND_MAX; count++) {
    const name = count === 1 ? manifest.name : `${manifest.name}_${count}`;
    const text = manifestText({ ...manifest, name });
    await writeFile(folder.file(MANIFEST_FILE), text, { mode: 0o600, flush: true });
    if (await folder.publish(name)) {
      const entry = await readEntry(pathOf(directory, name), name);
      assert(entry !== undefined, "a backup was removed at the moment in which it was made");
      return entry;
    }
    if (isNameGiven) break;
  }
  throw taken(directory, manifest.name);
}

async function refuseTaken(directory: string, name: string | undefined): Promise<void> {
  if (name === undefined) return;
  if ((await readEntry(pathOf(directory, name), name)) !== undefined) throw taken(directory, name);
}

function taken(directory: string, name: string): SpringhouseError {
  const message = `There is a ${name} in ${directory} already. Give another name, or none.`;
  return new SpringhouseError("BACKUP_EXISTS", message, { fields: { name, directory } });
}

/** Throws `DISK_FULL` when a backup would not fit. */
export async function assertRoomFor(database: string, directory: string): Promise<void> {
  const sizeBytes = sizeOf(database) + sizeOf(`${database}-wal`);
  await assertRoom(directory, NEEDED_SHARE * sizeBytes, `A backup of ${basename(database)}`);
}
