/**
 * The folder of backups: one folder for each, named like the backup.
 *
 *     backups/
 *       backup_20261126_020000/
 *         manifest.json       what it holds, written once
 *         database.zst        the file, compressed; database.zst.enc when it is encrypted
 *         verified.json       when it was last restored and checked, and with what result
 *         pinned.json         only when it is pinned: why
 *       .work-…/              something is being made; removed when its process is gone
 *       schedule.db           next times of the schedule
 *
 * A backup is made in a work folder and gets its name by one rename, so a folder with a name has
 * had a manifest and data: when one of them is gone, it is a damaged backup, and not nothing. Names
 * come from users and from the disk: they are checked before they become paths, and nothing outside
 * of the folder is ever read or removed.
 */

import { randomUUID } from "node:crypto";
import { lstatSync } from "node:fs";
import {
  lstat,
  mkdir,
  open,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  stat,
  writeFile,
} from "node:fs/promises";
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import { SpringhouseError } from "../core/errors.ts";
import { isGone, type ProcessMark, thisProcess } from "../core/process-mark.ts";
import { toSpringhouseError } from "../sqlite/errors.ts";
import { DATA_FILE, ENCRYPTED_DATA_FILE, MANIFEST_FILE } from "./manifest.ts";
import { removeSteadily } from "./steady-file.ts";

const PRIVATE_FOLDER = 0o700;
const PRIVATE_FILE = 0o600;
const WORK_PREFIX = ".work-";
const OWNER_FILE = "owner.json";
/** A work folder without an owner is one that is being made or removed at this moment. */
const OWNERLESS_MS_MAX = 60_000;
/** Letters that mean nothing to any file system or shell; no dot first, no way up. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;
/** What else lies in the folder of backups, and names that Windows keeps for itself. */
const RESERVED =
  /^(?:segments|schedule\.db(?:-wal|-shm|-journal)?|con|prn|aux|nul|(?:com|lpt)\d)$/i;
/** What is in the folder and is no backup in a folder of its own; the last are of PostgreSQL. */
const OTHER_PARTS = /^(?:\.work-.*|segments|schedule\.db.*|.*\.dump(?:\..*)?)$/i;
const BACKUPS_MAX = 100_000;

/** Throws `INVALID_ARGUMENT` for what cannot be the name of a backup. */
export function assertName(name: unknown): asserts name is string {
  if (typeof name === "string" && isName(name)) return;
  const shown = JSON.stringify(name) ?? String(name);
  const isReserved = typeof name === "string" && RESERVED.test(name);
  const why = isReserved
    ? "It is reserved: for what else lies in the folder of backups, or by Windows. Take another."
    : 'Take letters, digits, ".", "_" and "-", at most 100, a letter or digit first.';
  const message = `${shown} cannot be the name of a backup. ${why}`;
  throw new SpringhouseError("INVALID_ARGUMENT", message, { fields: { name } });
}

/** Whether it can be the name of a backup. */
export function isName(name: string): boolean {
  return NAME.test(name) && !RESERVED.test(name);
}

/** `backup_20261126_020000`, in UTC, so that names sort by time whatever clocks do. */
export function defaultName(nowMs: number, prefix = "backup"): string {
  const [date = "", time = ""] = new Date(nowMs).toISOString().split("T");
  return `${prefix}_${date.replaceAll("-", "")}_${time.slice(0, 8).replaceAll(":", "")}`;
}

/** The folder of a backup. Throws as `assertName` does. */
export function pathOf(directory: string, name: string): string {
  assertName(name);
  return join(resolve(directory), name);
}

/** Names of all backups, damaged ones too. Empty when there is no folder. */
export async function backupNames(directory: string): Promise<readonly string[]> {
  const entries = await ifThere(directory, () => readdir(directory, { withFileTypes: true }));
  const folders = (entries ?? [])
    .filter((entry) => entry.isDirectory() && isName(entry.name))
    .slice(0, BACKUPS_MAX);
  const names: string[] = [];
  for (const { name } of folders) {
    if (await isBackup(join(directory, name))) names.push(name);
  }
  return names;
}

/** Whether a folder holds a backup, or what is left of one. A link to a folder is none. */
export async function isBackup(path: string): Promise<boolean> {
  if ((await ifThere(path, () => lstat(path)))?.isDirectory() !== true) return false;
  for (const file of [MANIFEST_FILE, DATA_FILE, ENCRYPTED_DATA_FILE]) {
    if ((await fileBytes(join(path, file))) !== undefined) return true;
  }
  return false;
}

/** Throws `BACKUP_NOT_FOUND` unless there is a backup of this name; else its folder. */
export async function existingPath(directory: string, name: string): Promise<string> {
  const path = pathOf(directory, name);
  if (await isBackup(path)) return path;
  const isLink = (await ifThere(path, () => lstat(path)))?.isSymbolicLink() === true;
  const message = isLink
    ? `${path} is a link, and nothing outside of the folder of backups is read or changed. Put ` +
      "the backup itself there, or give the folder that holds it."
    : `There is no backup ${name} in ${directory}. See: springhouse backup list`;
  throw new SpringhouseError("BACKUP_NOT_FOUND", message, { fields: { name, directory } });
}

/** Writes a file so that it is there whole or not at all, also after a power failure. */
export async function writeWhole(path: string, text: string): Promise<void> {
  const temporary = `${path}.new`;
  await translated(path, async () => {
    await writeNew(temporary, text);
    await rename(temporary, path);
    await syncFolder(resolve(path, ".."));
  });
}

/**
 * Writes a file of its own, durably and for this user alone. What lies there is removed first: it
 * may be what a kill has left, or a link to a file that is none of ours.
 */
export async function writeNew(path: string, data: string | Uint8Array): Promise<void> {
  await rm(path, { force: true });
  await writeFile(path, data, { flag: "wx", mode: PRIVATE_FILE, flush: true });
}

/** The text of a file; undefined when there is none. */
export async function readIfThere(path: string): Promise<string | undefined> {
  return ifThere(path, () => readFile(path, "utf8"));
}

/** A private folder for something that is being made; disposing removes it with what is in it. */
export class WorkFolder implements AsyncDisposable {
  readonly path: string;
  readonly #directory: string;

  private constructor(directory: string) {
    this.#directory = directory;
    this.path = join(directory, `${WORK_PREFIX}${randomUUID()}`);
  }

  /** Makes it, and the folder of backups when there is none. Removes abandoned ones. */
  static async make(directory: string): Promise<WorkFolder> {
    const work = new WorkFolder(resolve(directory));
    await translated(directory, async () => {
      await mkdir(directory, { recursive: true, mode: PRIVATE_FOLDER });
      await removeAbandoned(directory);
      await mkdir(work.path, { mode: PRIVATE_FOLDER });
      const owner = JSON.stringify(thisProcess());
      await writeFile(work.file(OWNER_FILE), owner, { mode: PRIVATE_FILE });
    });
    return work;
  }

  file(name: string): string {
    return join(this.path, name);
  }

  /**
   * Gives it its name, which makes it a backup. All its files must be on disk.
   *
   * @returns false when the name is taken.
   */
  async publish(name: string): Promise<boolean> {
    const target = pathOf(this.#directory, name);
    return translated(target, async () => {
      await syncFolder(this.path);
      try {
        // A folder that has something in it is never replaced.
        await rename(this.path, target);
      } catch (error) {
        const { code } = error as { code?: string };
        if (code === "ENOTEMPTY" || code === "EEXIST" || code === "ENOTDIR") return false;
        throw error;
      }
      await syncFolder(this.#directory);
      await rm(join(target, OWNER_FILE), { force: true });
      return true;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await removeSteadily(this.path);
  }
}

/** Removes a backup: it has no name any more before anything of it is gone. */
export async function removeBackup(directory: string, name: string): Promise<void> {
  const path = pathOf(directory, name);
  const aside = join(resolve(directory), `${WORK_PREFIX}${randomUUID()}`);
  await translated(path, async () => {
    await rename(path, aside);
    await writeNew(join(aside, OWNER_FILE), JSON.stringify(thisProcess()));
    await syncFolder(directory);
    await removeSteadily(aside);
  });
}

/** Size of a file; undefined when there is none, or something that is no file. */
export async function fileBytes(path: string): Promise<number | undefined> {
  const facts = await ifThere(path, () => lstat(path));
  return facts?.isFile() === true ? facts.size : undefined;
}

/**
 * Why a file of a backup cannot be the one that was written, by one look at it; undefined when a
 * look finds nothing wrong. As with folders, what a link leads to is never read.
 */
export function fileProblem(path: string, sizeBytes: number): string | undefined {
  try {
    const facts = lstatSync(path, { throwIfNoEntry: false });
    if (facts === undefined) return "is missing";
    if (facts.isSymbolicLink()) return "is a link, and nothing outside of its folder is read";
    if (!facts.isFile()) return "is no file";
    if (facts.size === sizeBytes) return undefined;
    return `has ${facts.size} bytes instead of ${sizeBytes}`;
  } catch (error) {
    throw toSpringhouseError(error, { path });
  }
}

/**
 * Throws `INVALID_ARGUMENT` when a file that is to be made belongs to the folder of backups: to a
 * backup, to the schedule, to the segments. A database of the user's may lie in the same folder.
 */
export async function assertNoPart(directory: string, file: string): Promise<void> {
  const folder = await realpath(directory).catch(() => resolve(directory));
  const parent = dirname(resolve(file));
  const place = join(await realpath(parent).catch(() => parent), basename(file));
  const way = relative(folder, place);
  const [first = ""] = way.split(sep);
  if (way === "" || first === ".." || isAbsolute(way)) return;
  if (!OTHER_PARTS.test(first) && !(await isBackup(join(folder, first)))) return;
  const message =
    `${file} belongs to the folder of backups, ${directory}: what is restored would destroy what ` +
    "it is made of, or another backup. Give a file elsewhere.";
  throw new SpringhouseError("INVALID_ARGUMENT", message, { fields: { file, directory } });
}

/** Bytes of everything in a folder. */
export async function folderBytes(path: string): Promise<number> {
  const entries = await ifThere(path, () => {
    return readdir(path, { recursive: true, withFileTypes: true });
  });
  let bytes = 0;
  for (const entry of entries ?? []) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath, entry.name);
    bytes += (await ifThere(file, () => stat(file)))?.size ?? 0;
  }
  return bytes;
}

/** Work folders whose process is gone: nobody will finish them. */
async function removeAbandoned(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    if (!name.startsWith(WORK_PREFIX)) continue;
    const path = join(directory, name);
    if (await isAbandoned(path)) await removeSteadily(path);
  }
}

async function isAbandoned(path: string): Promise<boolean> {
  try {
    const owner = JSON.parse(await readFile(join(path, OWNER_FILE), "utf8")) as ProcessMark;
    return isGone(owner);
  } catch {
    const facts = await stat(path).catch(() => undefined);
    return facts !== undefined && Date.now() - facts.mtimeMs > OWNERLESS_MS_MAX;
  }
}

/** Makes the names of a folder durable. */
export async function syncFolder(path: string): Promise<void> {
  // Windows cannot open a folder, and does not need it.
  if (process.platform === "win32") return;
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Undefined for what is not there. */
async function ifThere<T>(path: string, run: () => Promise<T>): Promise<T | undefined> {
  try {
    return await run();
  } catch (error) {
    if ((error as { code?: string }).code === "ENOENT") return undefined;
    throw toSpringhouseError(error, { path });
  }
}

/** Every failure as one of ours. */
async function translated<T>(path: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw toSpringhouseError(error, { path });
  }
}
