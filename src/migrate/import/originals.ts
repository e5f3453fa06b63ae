/**
 * Copies of the files that are imported, made before anything else: private, with what is secret
 * masked, and with a list of what they are copies of. The originals are only read.
 */

import { createHash } from "node:crypto";
import { closeSync, createWriteStream, openSync, readSync } from "node:fs";
import { mkdir, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip, createZstdCompress } from "node:zlib";
import { syncFolder, WorkFolder, writeNew } from "../../backup/folder.ts";
import { toSpringhouseError } from "../../sqlite/errors.ts";
import { SecretMask } from "./mask.ts";
import type { CopiedFile } from "./plan.ts";
import { readBytes } from "./text.ts";

const PRIVATE_FILE = 0o600;
const PRIVATE_FOLDER = 0o700;

/** Read at a time into one buffer: buffers that are made for each piece are given back late. */
const PIECE_BYTES = 262_144;
/** Imports of one second that find a name; more is a mistake. */
const SAME_SECOND_MAX = 1_000;

/** The list of what the copies are copies of. */
export const LIST = "originals.json";

/** SHA-256 of a file as it is, in hexadecimal digits. For a thread: it reads synchronously. */
export function hashFile(path: string): string {
  const hash = createHash("sha256");
  const piece = Buffer.allocUnsafe(PIECE_BYTES);
  let file: number | undefined;
  try {
    file = openSync(path, "r");
    for (let read = readSync(file, piece); read > 0; read = readSync(file, piece)) {
      hash.update(piece.subarray(0, read));
    }
    return hash.digest("hex");
  } catch (error) {
    throw toSpringhouseError(error, { path });
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/**
 * Copies the files into a new folder of the folder of backups, named after the time. It has its
 * name only when it is whole. What a killed import has left there goes first.
 *
 * @returns the folder.
 * @throws `DISK_FULL` and the like; nothing is left then.
 */
export async function copyOriginals(
  directory: string,
  files: readonly CopiedFile[],
  nowMs: number,
): Promise<string> {
  await using work = await WorkFolder.make(directory);
  const copies = work.file("copies");
  try {
    await mkdir(copies, { mode: PRIVATE_FOLDER });
    const listed: object[] = [];
    for (const file of files) {
      const path = join(copies, file.name);
      await mkdir(dirname(path), { recursive: true, mode: PRIVATE_FOLDER });
      const masked = await copyFile(file, path);
      listed.push({ copy: file.name, original: file.path, sha256: file.hash, masked });
    }
    await writeNew(join(copies, LIST), `${JSON.stringify({ files: listed }, null, 2)}\n`);
    return await publish(copies, join(directory, folderName(nowMs)));
  } catch (error) {
    throw toSpringhouseError(error, { path: directory });
  }
}

/** Gives a folder its name, or the next one: another import may have begun in the same second. */
async function publish(copies: string, name: string): Promise<string> {
  for (let number = 1; ; number++) {
    const folder = number === 1 ? name : `${name}-${number}`;
    try {
      // A folder that has something in it is never replaced.
      await rename(copies, folder);
      await syncFolder(dirname(folder));
      return folder;
    } catch (error) {
      const { code } = error as { code?: string };
      const isTaken = code === "ENOTEMPTY" || code === "EEXIST" || code === "ENOTDIR";
      if (!isTaken || number === SAME_SECOND_MAX) throw error;
    }
  }
}

/** "migration-20251231-235959", in UTC. */
function folderName(nowMs: number): string {
  const [day = "", time = ""] = new Date(nowMs).toISOString().split(/[T.]/);
  return `migration-${day.replaceAll("-", "")}-${time.replaceAll(":", "")}`;
}

/** Copies one file; the number of secrets that were masked. */
async function copyFile({ path: from, cut }: CopiedFile, to: string): Promise<number> {
  const mask = new SecretMask(cut);
  const cover = new Transform({
    transform: (chunk: Buffer, _encoding, done) => done(null, mask.push(chunk)),
    flush: (done) => done(null, mask.end()),
  });
  const target = createWriteStream(to, { mode: PRIVATE_FILE, flush: true });
  const pack = from.endsWith(".gz")
    ? createGzip()
    : from.endsWith(".zst")
      ? createZstdCompress()
      : undefined;
  if (pack === undefined) await pipeline(readBytes(from), cover, target);
  else await pipeline(readBytes(from), cover, pack, target);
  return mask.count;
}
