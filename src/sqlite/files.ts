/** The files of a database: making, recognising, setting aside and removing them. */

import {
  accessSync,
  closeSync,
  constants,
  fsyncSync,
  openSync,
  renameSync,
  statSync,
} from "node:fs";
import { dirname } from "node:path";
import { SpringhouseError } from "../core/errors.ts";
import { toSpringhouseError } from "./errors.ts";

/** Read and written by the owner only. */
const PRIVATE_MODE = 0o600;
const WRITE_BITS = 0o222;

/** What SQLite puts beside a database file. */
export const COMPANIONS: readonly string[] = ["-wal", "-shm", "-journal"];

/**
 * Makes an empty file that only its owner can read, unless there is one. SQLite gives the files
 * that it puts beside it the same permissions. Returns whether the file was made.
 */
export function createPrivately(path: string): boolean {
  try {
    closeSync(openSync(path, "wx", PRIVATE_MODE));
    return true;
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === "EEXIST") return false;
    if (code !== "ENOENT") throw toSpringhouseError(error, { path });
    throw new SpringhouseError(
      "UNOPENABLE",
      `The folder ${dirname(path)} does not exist. Make it first: it is not made silently.`,
      { cause: error, fields: { path } },
    );
  }
}

/** Names a file whatever path leads to it. Throws `UNOPENABLE` when there is none. */
export function identityOf(path: string): string {
  try {
    const facts = statSync(path, { bigint: true });
    if (facts.isDirectory()) throw isFolder(path);
    return `${facts.dev}:${facts.ino}`;
  } catch (error) {
    const { code } = error as { code?: string };
    if (code !== "ENOENT") throw toSpringhouseError(error, { path });
    throw new SpringhouseError(
      "UNOPENABLE",
      `${path} does not exist. A database is made only when it is opened without readOnly.`,
      { cause: error, fields: { path } },
    );
  }
}

function isFolder(path: string): SpringhouseError {
  const message = `${path} is a folder. Name a file in it.`;
  return new SpringhouseError("UNOPENABLE", message, { fields: { path } });
}

/** Waits until the disk has the file, or the names in the folder, where the system can do that. */
export function syncFile(path: string): void {
  // Windows opens no folder and keeps names by itself; a file must be open for writing there.
  const isWindows = process.platform === "win32";
  if (isWindows && statSync(path).isDirectory()) return;
  const file = openSync(path, isWindows ? "r+" : "r");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Size of a file in bytes; 0 when there is none. */
export function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

/**
 * Who could put a log beside the file: this user, only others, or nobody, because the file system
 * or the folder is frozen. The superuser, who may everything, does not count among the others.
 */
export function folderAccess(path: string): "writable" | "others" | "frozen" {
  const folder = dirname(path);
  try {
    accessSync(folder, constants.W_OK);
    return "writable";
  } catch (error) {
    const isDenied = (error as { code?: string }).code === "EACCES";
    return isDenied && (statSync(folder).mode & WRITE_BITS) !== 0 ? "others" : "frozen";
  }
}

/**
 * Renames a database with all that stands beside it; the new name. All of it, or nothing.
 *
 * @param why what is wrong with it, as a part of the new name.
 */
export function setAside(path: string, nowMs: number, why = "damaged"): string {
  const stamp = new Date(nowMs).toISOString().replaceAll(/[:.]/g, "-");
  const aside = `${path}.${why}-${stamp}`;
  renameDatabase(path, aside);
  return aside;
}

/** Gives a database another name, with all that stands beside it. All of it, or nothing. */
export function renameDatabase(from: string, to: string): void {
  const renamed: string[] = [];
  try {
    for (const part of ["", ...COMPANIONS]) {
      if (part !== "" && !exists(from + part)) continue;
      renameSync(from + part, to + part);
      renamed.push(part);
    }
  } catch (error) {
    // A database without its log is another one.
    for (const part of renamed) renameSync(to + part, from + part);
    throw error;
  }
}

function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}
