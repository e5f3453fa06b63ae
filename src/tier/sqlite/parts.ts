/**
 * Values as bytes in the file: in the row of their entry while they are small, in rows of parts
 * otherwise, and never copied between the threads in one piece.
 */

import { crc32 } from "node:zlib";
import { isSliceOver, nextSlice } from "../../core/slices.ts";
import type { Statement } from "../../core/statement.ts";
import type { Database } from "../../sqlite/database.ts";
import type { Stored } from "./rows.ts";
import { PARTS_MAX } from "./schema.ts";
import { ADD_PART, FIRST_PART, OTHER_PARTS, statement } from "./statements.ts";

/** Larger values stand in parts: a change of the access count rewrites the row. */
export const ROW_VALUE_BYTES_MAX: number = 16 * 1_024;
/** One part is copied within a fraction of a millisecond. */
const PART_BYTES = 256 * 1_024;
/** The first number of the parts of one value is random below 2^40, times `PARTS_MAX`. */
const PART_NUMBERS = 2 ** 40;

/** A number for the parts of a new value. */
export function newPartsNumber(): number {
  return Math.floor(Math.random() * PART_NUMBERS);
}

/** The bytes of a value as they go to the writer. */
export interface SplitBytes {
  /** Copies: the bytes may be a caller's, or a view of a buffer that would be sent as a whole. */
  readonly parts: readonly Uint8Array[];
  readonly checksum: number;
}

/** Copies the bytes of a value, in pieces, with a turn of the event loop between them. */
export async function split(bytes: Uint8Array): Promise<SplitBytes> {
  const parts: Uint8Array[] = [];
  let checksum = 0;
  for (let start = 0; start === 0 || start < bytes.byteLength; start += PART_BYTES) {
    const part = Uint8Array.from(bytes.subarray(start, start + PART_BYTES));
    checksum = crc32(part, checksum);
    parts.push(part);
    if (isSliceOver()) await nextSlice();
  }
  return { parts, checksum };
}

/** The statements that store the parts of a value, after its entry. */
export function addParts(key: string, number: number, parts: readonly Uint8Array[]): Statement[] {
  return parts.map((part, index) =>
    statement(ADD_PART, number * PARTS_MAX + index, part, key, number),
  );
}

/** The bytes of a value that stands in its row; `undefined` when they are damaged. */
export function checked({ bytes, checksum }: Stored): Uint8Array | undefined {
  return crc32(bytes) === checksum ? bytes : undefined;
}

/** The bytes of a value in parts; `undefined` when they are damaged, or not there any more. */
export async function readParts(
  database: Database,
  number: number,
  checksum: number,
): Promise<Uint8Array | undefined> {
  const firstId = number * PARTS_MAX;
  const [row] = (await database.read(statement(FIRST_PART, firstId))).rows;
  const first = row?.[0] as Uint8Array | undefined;
  if (first === undefined) return undefined;
  if (first.byteLength < PART_BYTES) return crc32(first) === checksum ? first : undefined;
  const question = statement(OTHER_PARTS, firstId, firstId + PARTS_MAX);
  const others = (await database.read(question)).rows.map(([part]) => part as Uint8Array);
  return await join([first, ...others], checksum);
}

/** Copies parts into one, and checks them on the way, with turns of the event loop between. */
async function join(
  parts: readonly Uint8Array[],
  checksum: number,
): Promise<Uint8Array | undefined> {
  const size = parts.reduce((sum, part) => sum + part.byteLength, 0);
  const whole = Buffer.allocUnsafe(size);
  let offset = 0;
  let found = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.byteLength;
    found = crc32(part, found);
    if (isSliceOver()) await nextSlice();
  }
  return found === checksum ? whole : undefined;
}
