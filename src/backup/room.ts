/** Whether a disk has room: one that is filled takes the room that the database itself needs. */

import { statfs } from "node:fs/promises";
import { formatBytes } from "../core/bytes.ts";
import { SpringhouseError } from "../core/errors.ts";
import { toSpringhouseError } from "../sqlite/errors.ts";

/**
 * Throws `DISK_FULL` unless so many bytes are free.
 *
 * @param what needs them: "A backup of app.db".
 */
export async function assertRoom(folder: string, needed: number, what: string): Promise<void> {
  const free = await freeBytes(folder);
  if (free >= needed) return;
  const message =
    `${what} needs ${formatBytes(needed)} in ${folder} while it is made, and only ` +
    `${formatBytes(free)} are free. Make room, or take another folder. Nothing was changed.`;
  throw new SpringhouseError("DISK_FULL", message, { fields: { folder, free, needed } });
}

async function freeBytes(folder: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  } catch (error) {
    throw toSpringhouseError(error, { path: folder });
  }
}
