/** Files that are either as they were or as they shall be, whatever happens in between. */

import { closeSync, fsyncSync, openSync, renameSync, writeSync } from "node:fs";
import { dirname } from "node:path";

/** What tells a file that is being written from one that is whole. */
export const UNFINISHED = ".tmp";

/** Replaces a file by way of another one beside it; only its owner may read it. */
export function writeFileWhole(path: string, text: string): void {
  const beside = `${path}${UNFINISHED}`;
  writeDurably(beside, text);
  renameSync(beside, path);
  syncFolder(dirname(path));
}

/** Writes a file and waits for the disk. */
export function writeDurably(path: string, text: string): void {
  const handle = openSync(path, "w", 0o600);
  try {
    // One call may write only a part.
    const bytes = Buffer.from(text);
    for (let done = 0; done < bytes.length; ) done += writeSync(handle, bytes, done);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/** Makes new names in a folder durable; not every system lets a folder be opened. */
export function syncFolder(folder: string): void {
  if (process.platform === "win32") return;
  const handle = openSync(folder, "r");
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
