/**
 * The calls of the file system that a file tier makes, each on a thread of libuv, and what their
 * failures mean.
 *
 * The functions with callbacks are wrapped here because a `FileHandle` of `node:fs/promises` costs
 * several times as much, which shows where a whole read takes a tenth of a millisecond.
 */

import fs from "node:fs";
import { SpringhouseError } from "../../core/errors.ts";

/** Files are for this user alone: a cache holds whatever the program holds. */
const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;

/** Opens a file. */
export function openFile(path: string, flags: string | number): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.open(path, flags, FILE_MODE, (error, fd) => (error ? reject(error) : resolve(fd)));
  });
}

/** Closes in the background: nobody waits for it, and reading is over. */
export function closeFile(fd: number): void {
  fs.close(fd, () => undefined);
}

/** Fills the buffer from a position on. @returns how many bytes there were. */
export async function readInto(fd: number, buffer: Uint8Array, position: number): Promise<number> {
  let filled = 0;
  while (filled < buffer.byteLength) {
    const count = await readOnce(fd, buffer, filled, position + filled);
    if (count === 0) break;
    filled += count;
  }
  return filled;
}

/** One read, which may give less than there is room for. */
export function readOnce(
  fd: number,
  buffer: Uint8Array,
  offset: number,
  position: number,
): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.read(fd, buffer, offset, buffer.byteLength - offset, position, (error, count) =>
      error ? reject(error) : resolve(count),
    );
  });
}

/** Writes all bytes, at a position or, without one, where the file stands. */
export async function writeAll(
  fd: number,
  bytes: Uint8Array,
  position: number | null = null,
): Promise<void> {
  let written = 0;
  while (written < bytes.byteLength) {
    written += await writeOnce(fd, bytes, written, position === null ? null : position + written);
  }
}

function writeOnce(
  fd: number,
  bytes: Uint8Array,
  offset: number,
  position: number | null,
): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.write(fd, bytes, offset, bytes.byteLength - offset, position, (error, count) =>
      error ? reject(error) : resolve(count),
    );
  });
}

/** What `fstat` knows of an open file. */
export function statOpen(fd: number): Promise<fs.Stats> {
  return new Promise((resolve, reject) => {
    fs.fstat(fd, (error, stats) => (error ? reject(error) : resolve(stats)));
  });
}

/** Removes a file. @returns whether it was there. */
export function removeFile(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    fs.unlink(path, (error) => {
      if (error === null) resolve(true);
      else if (isAbsent(error)) resolve(false);
      else reject(error);
    });
  });
}

/** Puts a file in the place of another, at once for everybody. */
export function renameFile(from: string, to: string): Promise<void> {
  return new Promise((resolve, reject) => {
    fs.rename(from, to, (error) => (error ? reject(error) : resolve()));
  });
}

/** The names in a folder; none when there is no folder. */
export function listFolder(path: string): Promise<string[]> {
  return new Promise((resolve, reject) => {
    fs.readdir(path, (error, names) => {
      if (error === null) resolve(names);
      else if (isAbsent(error)) resolve([]);
      else reject(error);
    });
  });
}

/** Makes a folder and those above it. */
export function makeFolder(path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    fs.mkdir(path, { recursive: true, mode: FOLDER_MODE }, (error) =>
      error ? reject(error) : resolve(),
    );
  });
}

/** Whether a call failed because there is no such file or folder. */
export function isAbsent(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === "ENOENT" || code === "ENOTDIR";
}

/** Tries to do something in a folder that somebody is deleting just now. */
const TRIES_MAX = 5;

/** Does something in a folder, and makes the folder first when it turns out to be missing. */
export async function withFolder<T>(folder: string, work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await work();
    } catch (error) {
      if (!isAbsent(error) || tries === TRIES_MAX) throw error;
    }
    await makeFolder(folder).catch((error: unknown) => {
      if (!isAbsent(error)) throw error;
    });
  }
}

/** A failure of the file system as ours, when a caller can act on it; else as it is. */
export function asTierError(error: unknown, what: string): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === "ENOSPC" || code === "EDQUOT") {
    return new SpringhouseError(
      "DISK_FULL",
      `${what} failed: ${message}. Free some space, or lower maxBytes of the file tier.`,
      { cause: error },
    );
  }
  if (code === "EROFS" || code === "EACCES" || code === "EPERM") {
    return new SpringhouseError(
      "READ_ONLY",
      `${what} failed: ${message}. Give this user the right to read and write the folder.`,
      { cause: error },
    );
  }
  if (code === "ENOTDIR" || code === "EEXIST" || code === "ELOOP" || code === "ENAMETOOLONG") {
    return new SpringhouseError(
      "UNOPENABLE",
      `${what} failed: ${message}. Give the file tier a folder that can be made.`,
      { cause: error },
    );
  }
  return error;
}
