/**
 * Values as bytes in the file: in the row of their entry while they are small, in rows of parts
 * otherwise, and never copied between the threads in one piece.
 */

import { crc32 } from "node:zlib";
import type { Statement } from "../../core/statement.ts";
import type { Database } from "../../sqlite/database.ts";
import type { Turn } from "../../sqlite/turn.ts";
import type { Stored } from "./rows.ts";
import { PARTS_MAX } from "./schema.ts";
import { ADD_PART, FIRST_PART, OTHER_PARTS, statement } from "./statements.ts";

/** Larger values stand in parts: a change of the access count rewrites the row. */
export const ROW_VALUE_BYTES_MAX = 16 * 1_024;
/** One part is copied within a fraction of a millisecond. */
const PART_BYTES = 256 * 1_024;
/** The first number of the parts of one value is random below 2^40, times `PARTS_MAX`. */
const PART_NUMBERS = 2 ** 40;

/** A number for the parts of a new value. */
export function newPartsNumber(): number {
  return Math.floor(Math.random() * PART_NUMBERS);
}

/** The statements that store the parts of a value, after its entry. */
export function addParts(key: string, parts: number, bytes: Uint8Array): Statement[] {
  const statements: Statement[] = [];
  for (let start = 0; start < bytes.byteLength; start += PART_BYTES) {
    const id = parts * PARTS_MAX + statements.length;
    const part = bytes.subarray(start, start + PART_BYTES);
    // A view is copied together with all that is behind it.
    statements.push(statement(ADD_PART, id, Uint8Array.from(part), key, parts));
  }
  return statements;
}

/** The bytes of a value; `undefined` when the entry was replaced meanwhile. */
export async function readBytes(
  database: Database,
  { parts, bytes }: Stored,
  turn: Turn,
): Promise<Uint8Array | undefined> {
  if (parts === undefined) return bytes;
  const firstId = parts * PARTS_MAX;
  const [row] = (await database.read(statement(FIRST_PART, firstId))).rows;
  const first = row?.[0] as Uint8Array | undefined;
  if (first === undefined || first.byteLength < PART_BYTES) return first;
  const question = statement(OTHER_PARTS, firstId, firstId + PARTS_MAX);
  const others = (await database.read(question)).rows.map(([part]) => part as Uint8Array);
  return await join([first, ...others], turn);
}

/** The checksum of bytes, in pieces. */
export async function checksumOf(bytes: Uint8Array, turn: Turn): Promise<number> {
  if (bytes.byteLength <= PART_BYTES) return crc32(bytes);
  let checksum = 0;
  for (let start = 0; start < bytes.byteLength; start += PART_BYTES) {
    checksum = crc32(bytes.subarray(start, start + PART_BYTES), checksum);
    if (turn.isOver(performance.now())) await turn.next();
  }
  return checksum;
}

async function join(parts: readonly Uint8Array[], turn: Turn): Promise<Uint8Array> {
  const size = parts.reduce((sum, part) => sum + part.byteLength, 0);
  const whole = Buffer.allocUnsafe(size);
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.byteLength;
    if (turn.isOver(performance.now())) await turn.next();
  }
  return whole;
}
