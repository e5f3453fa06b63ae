/**
 * A segment: one file of a point-in-time backup.
 *
 * A *base* segment holds some of the pages that the database had at one transaction, a *changes*
 * segment holds pages as transactions wrote them, in their order. Layout, numbers big-endian:
 *
 *     header (208 bytes) | frames, compressed with zstd | CRC-32 of every 4 KiB of them
 *
 * The header ends with the SHA-256 of everything else in the file, and carries the SHA-256 of the
 * segment before it. So each file proves itself and its place: one that was cut, altered, taken
 * away, copied or moved breaks the chain. The CRC-32s serve only to say where a file was altered.
 *
 * A frame is the number of the page, the size of the database in pages when the frame ends a
 * transaction (0 otherwise), and the page.
 */

import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { constants, crc32, zstdCompress, zstdDecompress } from "node:zlib";
import { SpringhouseError } from "../../core/errors.ts";
import type { Frame, WalPosition } from "./wal.ts";

/** Bytes of a header. */
export const SEGMENT_HEADER_BYTES = 208;
/** Bytes of a SHA-256. */
const HASH_BYTES = 32;
const HASH_OFFSET = SEGMENT_HEADER_BYTES - HASH_BYTES;
const PREVIOUS_OFFSET = HASH_OFFSET - HASH_BYTES;
const MAGIC = "SPRHSEG\n";
const VERSION = 1;
/** What is altered is named to 4 KiB; that costs a thousandth of the size. */
const BLOCK_BYTES = 4_096;
const CRC_BYTES = 4;
const FRAME_HEADER_BYTES = 8;
/** Fast: the pages of neighbouring transactions are nearly the same, and compress well anyway. */
const ZSTD_LEVEL = 1;
const PAGE_SIZES = [512, 1_024, 2_048, 4_096, 8_192, 16_384, 32_768, 65_536];
/**
 * Pages of a segment, in bytes: what is held in memory of one, and what is hashed in one piece
 * without keeping the event loop for more than a few milliseconds.
 */
export const SEGMENT_BYTES_MAX: number = 4 * 1_024 * 1_024;
const RAW_BYTES_MAX = 2 * SEGMENT_BYTES_MAX;

/** The hash that the first segment of a chain follows on. */
export const NO_HASH: string = "0".repeat(2 * HASH_BYTES);

/** What a segment says about itself. */
export interface SegmentFacts {
  readonly kind: "base" | "changes";
  /** The generation that it belongs to, 32 hexadecimal digits. */
  readonly generation: string;
  /** Its place: of changes in the generation from 1, of a base among its parts from 1. */
  readonly sequence: number;
  /** The first transaction of which it has a frame; of a base the one that it shows. */
  readonly firstTransaction: number;
  /** The last transaction that is whole with it; of a base the one that it shows. */
  readonly lastTransaction: number;
  /** When its transactions were seen to be committed, UTC milliseconds. */
  readonly timeMs: number;
  readonly pageSize: number;
  /** Size of the database after it, in pages. */
  readonly databasePages: number;
  /** Of a base: in how many parts it comes. 0 for changes. */
  readonly parts: number;
  /** The place in the write-ahead log that was reached with it. */
  readonly position: WalPosition;
  /** SHA-256 of the segment before, in hexadecimal digits. */
  readonly previous: string;
}

/** A segment as it is stored. */
export interface EncodedSegment {
  readonly bytes: Uint8Array;
  /** Its SHA-256, which the next segment carries. */
  readonly hash: string;
}

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

/** Makes the file of a segment. */
export async function encodeSegment(
  facts: SegmentFacts,
  frames: readonly Frame[],
): Promise<EncodedSegment> {
  const raw = joinFrames(frames, facts.pageSize);
  const params = { [constants.ZSTD_c_compressionLevel]: ZSTD_LEVEL };
  const payload = await compress(raw, { params });
  const head = Buffer.alloc(SEGMENT_HEADER_BYTES);
  writeHeader(head, facts, frames.length, payload.length);
  const sums = blockSums(payload);
  const hash = hashOf(head, payload, sums);
  hash.copy(head, HASH_OFFSET);
  return { bytes: Buffer.concat([head, payload, sums]), hash: hash.toString("hex") };
}

/** A segment that was read and proved. */
export interface DecodedSegment {
  readonly facts: SegmentFacts;
  readonly hash: string;
  readonly frames: readonly Frame[];
}

/**
 * Reads the file of a segment and proves that it is as it was written.
 *
 * @param file its name, for the message.
 * @throws `SEGMENT_DAMAGED` with the file and the offset.
 */
export async function decodeSegment(file: string, stored: Uint8Array): Promise<DecodedSegment> {
  const bytes = Buffer.from(stored.buffer, stored.byteOffset, stored.length);
  const { facts, frameCount, payloadBytes } = readHeader(file, bytes);
  const end = SEGMENT_HEADER_BYTES + payloadBytes;
  const size = end + CRC_BYTES * Math.ceil(payloadBytes / BLOCK_BYTES);
  if (bytes.length !== size) {
    const problem = bytes.length < size ? "is cut off" : "goes on after its end";
    throw damaged(file, Math.min(bytes.length, size), `${problem}: ${size} bytes were written`);
  }
  const payload = bytes.subarray(SEGMENT_HEADER_BYTES, end);
  const sums = bytes.subarray(end);
  const head = Buffer.from(bytes.subarray(0, SEGMENT_HEADER_BYTES));
  const said = head.toString("hex", HASH_OFFSET);
  head.fill(0, HASH_OFFSET);
  if (hashOf(head, payload, sums).toString("hex") !== said) {
    const offset = alteredAt(payload, sums);
    throw damaged(file, offset, "was altered: the SHA-256 of its content is not its own");
  }
  const raw = await decompress(payload, { maxOutputLength: RAW_BYTES_MAX });
  return { facts, hash: said, frames: splitFrames(file, raw, facts.pageSize, frameCount) };
}

/** The error for a segment that is not what was written. */
export function damaged(file: string, offset: number, problem: string): SpringhouseError {
  const message =
    `Segment ${file}, at byte ${offset}: it ${problem}. What stands before it can be restored: ` +
    "choose an earlier time, or take the file from a copy of the backup.";
  return new SpringhouseError("SEGMENT_DAMAGED", message, { fields: { file, offset } });
}

function joinFrames(frames: readonly Frame[], pageSize: number): Buffer {
  const size = FRAME_HEADER_BYTES + pageSize;
  const raw = Buffer.allocUnsafe(frames.length * size);
  for (const [index, { page, commitPages, data }] of frames.entries()) {
    raw.writeUInt32BE(page, index * size);
    raw.writeUInt32BE(commitPages, index * size + 4);
    raw.set(data, index * size + FRAME_HEADER_BYTES);
  }
  return raw;
}

function splitFrames(file: string, raw: Buffer, pageSize: number, count: number): Frame[] {
  const size = FRAME_HEADER_BYTES + pageSize;
  if (raw.length !== count * size) {
    throw damaged(file, SEGMENT_HEADER_BYTES, `does not hold the ${count} pages that it names`);
  }
  return Array.from({ length: count }, (_, index) => ({
    page: raw.readUInt32BE(index * size),
    commitPages: raw.readUInt32BE(index * size + 4),
    data: raw.subarray(index * size + FRAME_HEADER_BYTES, (index + 1) * size),
  }));
}

function writeHeader(head: Buffer, facts: SegmentFacts, frames: number, payload: number): void {
  const { salts, checksum } = facts.position;
  head.write(MAGIC, 0, "latin1");
  head.writeUInt32BE(VERSION, 8);
  head.writeUInt32BE(facts.kind === "base" ? 0 : 1, 12);
  head.write(facts.generation, 16, "hex");
  head.writeBigUInt64BE(BigInt(facts.sequence), 32);
  head.writeBigUInt64BE(BigInt(facts.firstTransaction), 40);
  head.writeBigUInt64BE(BigInt(facts.lastTransaction), 48);
  head.writeBigUInt64BE(BigInt(facts.timeMs), 56);
  const numbers = [facts.pageSize, facts.databasePages, facts.parts, frames, payload];
  const place = [...salts, facts.position.frames, ...checksum];
  for (const [index, number] of [...numbers, ...place].entries()) {
    head.writeUInt32BE(number, 64 + 4 * index);
  }
  head.write(facts.previous, PREVIOUS_OFFSET, "hex");
}

function readHeader(
  file: string,
  bytes: Buffer,
): { facts: SegmentFacts; frameCount: number; payloadBytes: number } {
  if (bytes.length < SEGMENT_HEADER_BYTES) {
    throw damaged(file, bytes.length, "is cut off within its header");
  }
  if (bytes.toString("latin1", 0, MAGIC.length) !== MAGIC) {
    throw damaged(file, 0, "does not begin as a segment does");
  }
  const version = bytes.readUInt32BE(8);
  if (version !== VERSION) throw damaged(file, 8, `has the unknown version ${version}`);
  const long = (offset: number): number => Number(bytes.readBigUInt64BE(offset));
  const word = (index: number): number => bytes.readUInt32BE(64 + 4 * index);
  const pageSize = word(0);
  if (!PAGE_SIZES.includes(pageSize)) throw damaged(file, 64, `has pages of ${pageSize} bytes`);
  const facts: SegmentFacts = {
    kind: bytes.readUInt32BE(12) === 0 ? "base" : "changes",
    generation: bytes.toString("hex", 16, 32),
    sequence: long(32),
    firstTransaction: long(40),
    lastTransaction: long(48),
    timeMs: long(56),
    pageSize,
    databasePages: word(1),
    parts: word(2),
    position: { salts: [word(5), word(6)], frames: word(7), checksum: [word(8), word(9)] },
    previous: bytes.toString("hex", PREVIOUS_OFFSET, HASH_OFFSET),
  };
  return { facts, frameCount: word(3), payloadBytes: word(4) };
}

function hashOf(...parts: readonly Uint8Array[]): Buffer {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
}

function blockSums(payload: Buffer): Buffer {
  const sums = Buffer.alloc(CRC_BYTES * Math.ceil(payload.length / BLOCK_BYTES));
  for (let block = 0; block * BLOCK_BYTES < payload.length; block++) {
    sums.writeUInt32BE(crc32(blockOf(payload, block)), CRC_BYTES * block);
  }
  return sums;
}

/** The first block that is not as it was; the header when all are. */
function alteredAt(payload: Buffer, sums: Buffer): number {
  for (let block = 0; block * BLOCK_BYTES < payload.length; block++) {
    if (crc32(blockOf(payload, block)) === sums.readUInt32BE(CRC_BYTES * block)) continue;
    return SEGMENT_HEADER_BYTES + block * BLOCK_BYTES;
  }
  return 0;
}

function blockOf(payload: Buffer, block: number): Buffer {
  return payload.subarray(block * BLOCK_BYTES, (block + 1) * BLOCK_BYTES);
}
