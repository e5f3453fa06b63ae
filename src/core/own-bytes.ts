/**
 * Bytes that are given to a call stay the caller's, who may fill the same buffer again or transfer
 * it while the call waits for its turn. So what a call keeps is a copy.
 */

import { SpringhouseError } from "./errors.ts";

/** A copy when the value is bytes; any other value is itself. Throws `INVALID_ARGUMENT`. */
export function ownBytes<T>(value: T): T {
  if (!(value instanceof Uint8Array)) return value;
  if (!isTransferred(value)) return new Uint8Array(value) as T & Uint8Array;
  throw new SpringhouseError("INVALID_ARGUMENT", `A value ${TRANSFERRED}.`);
}

/** What is wrong with bytes that `isTransferred`. */
export const TRANSFERRED = "is a Uint8Array whose buffer was transferred away: give it before that";

/** Whether the buffer now belongs to another thread, or to nobody. */
export function isTransferred({ buffer }: Uint8Array): boolean {
  return buffer instanceof ArrayBuffer && buffer.detached;
}

/** The values with copies of all bytes; the same array when there are none. */
export function ownValues<T>(values: readonly T[]): readonly T[] {
  return values.some((value) => value instanceof Uint8Array) ? values.map(ownBytes) : values;
}
