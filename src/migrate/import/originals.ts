/**
 * Copies of the files that are imported, made before anything else: private, with what is secret
 * masked, and with a list of what they are copies of. The originals are only read.
 */

import { createHash } from "node:crypto";
import { closeSync, createWriteStream, fsyncSync, openSync, readSync } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip, createZstdCompress } from "node:zlib";
import { toSpringhouseError } from "../../sqlite/errors.ts";
import { SecretMask } from "./mask.ts";
import type { CopiedFile } from "./plan.ts";
import { readBytes } from "./text.ts";

const PRIVATE_FILE = 0o600;
const PRIVATE_FOLDER = 0o700;

/** Read at a time into one buffer: buffers that are made for each piece are given back late. */
const PIECE_BYTES = 262_144;

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

/** "migration-20251231-235959", in UTC. */
export function folderName(nowMs: number): string {
  const [day = "", time = ""] = new Date(nowMs).toISOString().split(/[T.]/);
  return `migration-${day.replaceAll("-", "")}-${time.replaceAll(":", "")}`;
}

/**
 * Makes a folder with copies of the files. It has its name only when it is whole: a kill leaves one
 * that ends in ".partial", which the next copy to this place takes away.
 *
 * @throws `DISK_FULL` and the like; nothing is left then.
 */
export async function copyOriginals(folder: string, files: readonly CopiedFile[]): Promise<void> {
  const partial = `${folder}.partial`;
  try {
    await rm(partial, { recursive: true, force: true });
    await mkdir(partial, { recursive: true, mode: PRIVATE_FOLDER });
    const listed: object[] = [];
    for (const file of files) {
      const path = join(partial, file.name);
      await mkdir(dirname(path), { recursive: true, mode: PRIVATE_FOLDER });
      const masked = await copyFile(file, path);
      listed.push({ copy: file.name, original: file.path, sha256: file.hash, masked });
    }
    const list = `${JSON.stringify({ files: listed }, null, 2)}\n`;
    await writeFile(join(partial, "originals.json"), list, { mode: PRIVATE_FILE, flush: true });
    await rename(partial, folder);
    syncFolder(dirname(folder));
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    throw toSpringhouseError(error, { path: folder });
  }
}

/** Makes the names in a folder as lasting as the files, where the system can do that. */
export function syncFolder(path: string): void {
  if (process.platform === "win32") return;
  const folder = openSync(path, "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
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
