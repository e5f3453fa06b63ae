/**
 * Large files that go to the disk piece by piece while they are written, and from it in the same
 * way.
 *
 * The kernel would gather a gigabyte and write it at once, and a journaling file system makes the
 * commits of everybody else wait for that, as for the freeing of a gigabyte: hundreds of
 * milliseconds. A few megabytes take a moment.
 */

import { type FileHandle, lstat, open, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { Writable } from "node:stream";

/** So much is left to the kernel at most. */
const UNSYNCED_BYTES_MAX = 4 * 1_024 ** 2;
/** So much is given back at once. */
const FREED_BYTES_MAX = 32 * 1_024 ** 2;
const PRIVATE_FILE = 0o600;
const QUEUE_BYTES = 1_048_576;

/** A stream to a new file, for this user alone, which is on disk when the stream has finished. */
export function steadyFile(path: string): Writable {
  let file: FileHandle | undefined;
  let unsyncedBytes = 0;

  async function write(chunk: Buffer): Promise<void> {
    await file?.appendFile(chunk);
    unsyncedBytes += chunk.length;
    if (unsyncedBytes < UNSYNCED_BYTES_MAX) return;
    await file?.datasync();
    unsyncedBytes = 0;
  }

  return new Writable({
    highWaterMark: QUEUE_BYTES,
    construct(done) {
      open(path, "wx", PRIVATE_FILE).then((opened) => {
        file = opened;
        done();
      }, done);
    },
    write(chunk: Buffer, _encoding, done) {
      write(chunk).then(() => done(), done);
    },
    final(done) {
      (file?.sync() ?? Promise.resolve()).then(() => done(), done);
    },
    destroy(error, done) {
      (file?.close() ?? Promise.resolve()).then(() => done(error), done);
    },
  });
}

/** Removes a file, or a folder with all that is in it: large files from their ends on. */
export async function removeSteadily(path: string): Promise<void> {
  const facts = await lstat(path).catch(() => undefined);
  if (facts?.isDirectory() === true) {
    for (const name of await readdir(path)) await removeSteadily(join(path, name));
  } else if (facts?.isFile() === true && facts.nlink === 1) await shorten(path, facts.size);
  await rm(path, { recursive: true, force: true });
}

/** Gives back the space of a file little by little; what it holds is not wanted any more. */
async function shorten(path: string, sizeBytes: number): Promise<void> {
  if (sizeBytes <= FREED_BYTES_MAX) return;
  await using file = await open(path, "r+");
  for (let left = sizeBytes - FREED_BYTES_MAX; left > 0; left -= FREED_BYTES_MAX) {
    await file.truncate(left);
    await file.sync();
  }
}
