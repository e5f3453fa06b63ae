/**
 * The file of an entry: everything about it in one, so that value and metadata cannot disagree.
 *
 *     0   4  "SHF2", the version of this format; "SHF1" had no count of reads
 *     4   4  CRC-32 of bytes 8 to 20 and of the metadata
 *     8   4  length of the metadata
 *    12   4  length of the body
 *    16   4  CRC-32 of the body
 *    20   8  when it was read last, UTC milliseconds as a double
 *    28   4  how often it was read
 *    32   4  CRC-32 of those twelve bytes
 *    36      the metadata as JSON, then the body as `pack` made it
 *
 * The sixteen bytes from 20 on are the only ones that are ever written again, in place: see
 * accesses.ts. When a read meets them half written, their check fails and they do not count.
 * Numbers are little-endian. Times that are for ever are `null` in JSON.
 */

import { crc32 } from "node:zlib";
import {
  closeFile,
  isAbsent,
  openFile,
  readInto,
  readOnce,
  statOpen,
  writeAll,
} from "./file-io.ts";

/** What a file says about its entry. */
export interface EntryMeta {
  readonly key: string;
  readonly category: string;
  readonly createdMs: number;
  readonly freshUntilMs: number;
  readonly keepUntilMs: number;
  readonly slidingMs: number;
  /** Its freshness was ended, whatever a clock that was set back says. */
  readonly isExpired?: boolean;
  readonly tags: readonly string[];
  readonly loadMs: number;
  readonly etag: string | undefined;
  readonly codec: string;
  /** The log of drops, and how far it went when the entry was written. */
  readonly log: string;
  readonly at: number;
}

/** A file without its body. */
export interface EntryHead {
  readonly meta: EntryMeta;
  /** When it was read last; when it was made, if nobody has read it. */
  readonly accessedMs: number;
  /** How often it was read, by all processes, as far as they have written it. */
  readonly accesses: number;
  /** The whole file. */
  readonly bytes: number;
}

/** What was found at a path. */
export type Found =
  | { readonly state: "absent" }
  | { readonly state: "damaged" }
  /** Of another version of this format; a program that is newer than this one reads newer ones. */
  | { readonly state: "foreign"; readonly isOlder: boolean }
  | { readonly state: "entry"; readonly head: EntryHead; readonly body: Uint8Array };

const NO_BODY = new Uint8Array(0);
const MAGIC = "SHF2";
const ANY_MAGIC = /^SHF\d$/;
const CHECKED_FROM = 8;
const CHECKED_TO = 20;
const FIXED_BYTES = 36;
/** Where time and count of the reads stand, and how long they are with their check. */
export const ACCESS_AT = 20;
export const ACCESS_BYTES = 16;
const ACCESSES_MAX = 2 ** 32 - 1;
/** More than this is no metadata: the key, the tags and the ETag together. */
export const META_BYTES_MAX: number = 1_024 * 1_024;
/** A head that is longer takes a second read. */
export const HEAD_READ_BYTES = 4_096;
/** A file of unknown length that is longer takes a second read. */
export const FIRST_READ_BYTES = 16_384;

/** Makes the file of an entry; `undefined` when its metadata is too long. */
export function encodeEntry(
  meta: EntryMeta,
  body: Uint8Array,
  access: Access = { accessedMs: meta.createdMs, accesses: 0 },
): Buffer | undefined {
  const json = Buffer.from(JSON.stringify(meta));
  if (json.byteLength > META_BYTES_MAX) return undefined;
  const file = Buffer.allocUnsafe(FIXED_BYTES + json.byteLength + body.byteLength);
  file.write(MAGIC, 0, "latin1");
  file.writeUInt32LE(json.byteLength, 8);
  file.writeUInt32LE(body.byteLength, 12);
  file.writeUInt32LE(crc32(body), 16);
  encodeAccess(access).copy(file, ACCESS_AT);
  json.copy(file, FIXED_BYTES);
  file.set(body, FIXED_BYTES + json.byteLength);
  file.writeUInt32LE(crc32(json, crc32(file.subarray(CHECKED_FROM, CHECKED_TO))), 4);
  return file;
}

/** When an entry was read last, and how often. */
export type Access = Pick<EntryHead, "accessedMs" | "accesses">;

/** The bytes that stand at `ACCESS_AT`. */
export function encodeAccess({ accessedMs, accesses }: Access): Buffer {
  const bytes = Buffer.allocUnsafe(ACCESS_BYTES);
  bytes.writeDoubleLE(accessedMs, 0);
  bytes.writeUInt32LE(Math.min(accesses, ACCESSES_MAX), 8);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 12)), 12);
  return bytes;
}

/** Adds reads to those that a file knows of; does nothing to a file of another version. */
export async function addAccesses(path: string, { accessedMs, accesses }: Access): Promise<void> {
  const fd = await openFile(path, "r+");
  try {
    const fixed = Buffer.alloc(FIXED_BYTES);
    await readInto(fd, fixed, 0);
    if (fixed.toString("latin1", 0, MAGIC.length) !== MAGIC) return;
    // Another process may have read it later than this one.
    const before = decodeAccess(fixed, accessedMs);
    const sum = { accessedMs: before.accessedMs, accesses: before.accesses + accesses };
    await writeAll(fd, encodeAccess(sum), ACCESS_AT);
  } finally {
    closeFile(fd);
  }
}

/** Reads a file. @param bytesExpected its length or a little more, when that is known. */
export async function readEntry(path: string, bytesExpected?: number): Promise<Found> {
  const firstBytes = Math.max(bytesExpected ?? FIRST_READ_BYTES, HEAD_READ_BYTES);
  return await readFound(path, firstBytes, true);
}

/** Reads a file without its body, which is empty then. */
export async function readHead(path: string): Promise<Found> {
  return await readFound(path, HEAD_READ_BYTES, false);
}

async function readFound(path: string, firstBytes: number, withBody: boolean): Promise<Found> {
  let fd: number;
  try {
    fd = await openFile(path, "r");
  } catch (error) {
    if (isAbsent(error)) return { state: "absent" };
    throw error;
  }
  const buffer = withBody ? Buffer.allocUnsafe(firstBytes) : (spareBuffers.pop() ?? headBuffer());
  try {
    const count = await readOnce(fd, buffer, 0, 0);
    const first = buffer.subarray(0, count);
    return await decodeFound(first, withBody, async (bytes) => {
      if (bytes <= count) return first;
      // Nothing is allocated for a length that the file does not have.
      if ((await statOpen(fd)).size < bytes) return undefined;
      const whole = Buffer.allocUnsafe(bytes);
      first.copy(whole);
      const more = await readInto(fd, whole.subarray(count), count);
      return count + more === bytes ? whole : undefined;
    });
  } catch (error) {
    // A folder where a file should be.
    if ((error as NodeJS.ErrnoException).code === "EISDIR") return { state: "damaged" };
    throw error;
  } finally {
    closeFile(fd);
    if (!withBody) spareBuffers.push(buffer);
  }
}

/**
 * Buffers for heads, of which a walk reads a hundred thousand; nothing of them is kept. There are
 * as many as heads have ever been read at once, which the gate of a tier bounds.
 */
const spareBuffers: Buffer[] = [];

function headBuffer(): Buffer {
  return Buffer.allocUnsafeSlow(HEAD_READ_BYTES);
}

/** @param grow gives at least so many bytes of the file, or nothing when it is shorter. */
async function decodeFound(
  first: Buffer,
  withBody: boolean,
  grow: (bytes: number) => Promise<Buffer | undefined>,
): Promise<Found> {
  if (first.byteLength < FIXED_BYTES) return { state: "damaged" };
  const magic = first.toString("latin1", 0, MAGIC.length);
  if (magic !== MAGIC) {
    if (!ANY_MAGIC.test(magic)) return { state: "damaged" };
    return { state: "foreign", isOlder: magic < MAGIC };
  }
  const metaBytes = first.readUInt32LE(8);
  const bodyBytes = first.readUInt32LE(12);
  if (metaBytes > META_BYTES_MAX) return { state: "damaged" };
  const bodyAt = FIXED_BYTES + metaBytes;
  // The head is verified before the length of the body is believed.
  const head = await grow(bodyAt);
  if (head === undefined) return { state: "damaged" };
  const json = head.subarray(FIXED_BYTES, bodyAt);
  const check = crc32(json, crc32(head.subarray(CHECKED_FROM, CHECKED_TO)));
  if (check !== head.readUInt32LE(4)) return { state: "damaged" };
  const meta = decodeMeta(json);
  if (meta === undefined) return { state: "damaged" };
  const found = { meta, ...decodeAccess(head, meta.createdMs), bytes: bodyAt + bodyBytes };
  if (!withBody) return { state: "entry", head: found, body: NO_BODY };
  const file = await grow(bodyAt + bodyBytes);
  const body = file?.subarray(bodyAt, bodyAt + bodyBytes);
  if (body === undefined || crc32(body) !== head.readUInt32LE(16)) return { state: "damaged" };
  return { state: "entry", head: found, body };
}

/** What a head says of reads. @param leastMs the last of them was no earlier than this. */
function decodeAccess(head: Buffer, leastMs: number): Access {
  const bytes = head.subarray(ACCESS_AT, ACCESS_AT + ACCESS_BYTES);
  if (crc32(bytes.subarray(0, 12)) !== bytes.readUInt32LE(12)) {
    return { accessedMs: leastMs, accesses: 0 };
  }
  const accessedMs = bytes.readDoubleLE(0);
  return {
    accessedMs: accessedMs > leastMs ? accessedMs : leastMs,
    accesses: bytes.readUInt32LE(8),
  };
}

/** The checksum held, so this is what some version of us wrote; still, it is looked at. */
function decodeMeta(json: Buffer): EntryMeta | undefined {
  try {
    const meta = JSON.parse(json.toString()) as EntryMeta;
    if (typeof meta.key !== "string" || !Array.isArray(meta.tags)) return undefined;
    return {
      ...meta,
      createdMs: meta.createdMs ?? Number.POSITIVE_INFINITY,
      freshUntilMs: meta.freshUntilMs ?? Number.POSITIVE_INFINITY,
      keepUntilMs: meta.keepUntilMs ?? Number.POSITIVE_INFINITY,
      slidingMs: meta.slidingMs ?? Number.POSITIVE_INFINITY,
    };
  } catch {
    return undefined;
  }
}
