/**
 * SQLite's write-ahead log, read from outside.
 *
 * The file is a header of 32 bytes and then frames: 24 bytes that name a page, and the page. A
 * frame belongs to the log only when its salts are those of the header, and when its checksum goes
 * on from that of the frame before it; whatever else stands in the file is a rest of an earlier
 * log or of a transaction that was rolled back. A frame whose second number is not 0 ends a
 * transaction: the number is the size of the database in pages after it.
 *
 * @see https://www.sqlite.org/fileformat2.html#the_write_ahead_log
 */

import { SpringhouseError } from "../../core/errors.ts";

/** Bytes before the first frame. */
export const WAL_HEADER_BYTES = 32;
/** Bytes before the page of a frame. */
export const FRAME_HEADER_BYTES = 24;
/** The last bit says whether the checksums read the pages as big-endian words. */
const MAGIC = 0x377f0682;
const FORMAT = 3_007_000;
/** What a checksum covers of a header before its own eight bytes. */
const WAL_HEADER_SUMMED = 24;
const FRAME_HEADER_SUMMED = 8;

/** The two running sums of SQLite's checksum. */
export type WalChecksum = readonly [number, number];

/** The beginning of a log. */
export interface WalHeader {
  readonly pageSize: number;
  readonly salts: readonly [number, number];
  readonly checksum: WalChecksum;
  readonly isBigEndian: boolean;
}

/** A place in a log: after so many frames, of which the last had this checksum. */
export interface WalPosition {
  readonly salts: readonly [number, number];
  readonly frames: number;
  readonly checksum: WalChecksum;
}

/** Before anything was read of any log. */
export const NO_POSITION: WalPosition = { salts: [0, 0], frames: 0, checksum: [0, 0] };

/** The header, or nothing when the file is empty or has no whole one. */
export function parseWalHeader(bytes: Uint8Array): WalHeader | undefined {
  if (bytes.length < WAL_HEADER_BYTES) return undefined;
  const view = viewOf(bytes);
  const magic = view.getUint32(0);
  if ((magic & ~1) >>> 0 !== MAGIC || view.getUint32(4) !== FORMAT) return undefined;
  const isBigEndian = (magic & 1) === 1;
  const checksum: WalChecksum = [view.getUint32(24), view.getUint32(28)];
  const actual = addChecksum([0, 0], bytes.subarray(0, WAL_HEADER_SUMMED), isBigEndian);
  if (!isSame(actual, checksum)) return undefined;
  return {
    pageSize: view.getUint32(8),
    salts: [view.getUint32(16), view.getUint32(20)],
    checksum,
    isBigEndian,
  };
}

/** The place before the first frame. */
export function startOf({ salts, checksum }: WalHeader): WalPosition {
  return { salts, frames: 0, checksum };
}

/** Whether both are places of one log. */
export function isSameLog(a: Pick<WalPosition, "salts">, b: Pick<WalPosition, "salts">): boolean {
  return isSame(a.salts, b.salts);
}

/** Where a frame begins in the file; the first one has the number 1. */
export function frameOffset(frame: number, pageSize: number): number {
  return WAL_HEADER_BYTES + (frame - 1) * (FRAME_HEADER_BYTES + pageSize);
}

/** The place after a frame, by its own word: what `followFrames` has to come to. */
export function positionAt(frame: number, bytes: Uint8Array): WalPosition {
  const view = viewOf(bytes);
  return {
    salts: [view.getUint32(8), view.getUint32(12)],
    frames: frame,
    checksum: [view.getUint32(16), view.getUint32(20)],
  };
}

/** A page that a transaction wrote. */
export interface Frame {
  /** Pages are counted from 1. */
  readonly page: number;
  /** Size of the database in pages, when the frame ends a transaction; 0 otherwise. */
  readonly commitPages: number;
  readonly data: Uint8Array;
}

/**
 * Reads whole frames that follow on `from`, and proves that they do.
 *
 * @throws `CORRUPT` at the first frame that does not follow, with its offset in the log.
 */
export function followFrames(
  header: WalHeader,
  from: WalPosition,
  bytes: Uint8Array,
): { readonly frames: readonly Frame[]; readonly position: WalPosition } {
  const { pageSize, salts, isBigEndian } = header;
  const size = FRAME_HEADER_BYTES + pageSize;
  const view = viewOf(bytes);
  const frames: Frame[] = [];
  let { checksum } = from;
  for (let start = 0; start + size <= bytes.length; start += size) {
    const head = bytes.subarray(start, start + FRAME_HEADER_SUMMED);
    const data = bytes.subarray(start + FRAME_HEADER_BYTES, start + size);
    checksum = addChecksum(addChecksum(checksum, head, isBigEndian), data, isBigEndian);
    const said = positionAt(0, bytes.subarray(start, start + FRAME_HEADER_BYTES));
    if (!isSame(said.salts, salts) || !isSame(said.checksum, checksum)) {
      throw brokenFrame(from.frames + frames.length + 1, pageSize);
    }
    frames.push({ page: view.getUint32(start), commitPages: view.getUint32(start + 4), data });
  }
  return { frames, position: { salts, frames: from.frames + frames.length, checksum } };
}

function brokenFrame(frame: number, pageSize: number): SpringhouseError {
  const offset = frameOffset(frame, pageSize);
  const message =
    `Frame ${frame} of the write-ahead log, at byte ${offset}, does not follow on the one before ` +
    "it: the log was begun anew or is damaged.";
  return new SpringhouseError("CORRUPT", message, { fields: { frame, offset } });
}

/** Whether the words of this machine are little-endian, as nearly all are. */
const IS_LITTLE_ENDIAN = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;

/** Goes on with a checksum over words of 32 bits; a multiple of eight bytes. */
export function addChecksum(
  [first, second]: WalChecksum,
  bytes: Uint8Array,
  isBigEndian: boolean,
): WalChecksum {
  let [a, b] = [first, second];
  // Words as the machine has them, where it can: several times as fast as through a view.
  if (isBigEndian !== IS_LITTLE_ENDIAN && bytes.byteOffset % 4 === 0) {
    const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
    for (let index = 0; index < words.length; index += 2) {
      a = (a + (words[index] as number) + b) | 0;
      b = (b + (words[index + 1] as number) + a) | 0;
    }
  } else {
    const view = viewOf(bytes);
    for (let offset = 0; offset < bytes.length; offset += 8) {
      a = (a + view.getUint32(offset, !isBigEndian) + b) | 0;
      b = (b + view.getUint32(offset + 4, !isBigEndian) + a) | 0;
    }
  }
  return [a >>> 0, b >>> 0];
}

function isSame(a: readonly [number, number], b: readonly [number, number]): boolean {
  return a[0] === b[0] && a[1] === b[1];
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}
