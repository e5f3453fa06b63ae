/**
 * Values as SQLite stores them, in the one form in which they can be compared exactly: integers are
 * always bigints and reals always numbers, so that the storage class shows.
 */

/** A stored value. */
export type StoredValue = null | bigint | number | string | Uint8Array;

/** Stands for a value that is not known, because it was too long for the log: it may be any. */
export const UNKNOWN: unique symbol = Symbol("unknown");

/** A value of an image. */
export type ImageValue = StoredValue | typeof UNKNOWN;

/**
 * Whether a text may stand for other bytes than its own: bytes that are no UTF-8 are read as
 * U+FFFD, a lone surrogate is bound as U+FFFD, and some of SQLite ends a text at NUL.
 */
export function isDoubtful(text: string): boolean {
  return !text.isWellFormed() || text.includes("\uFFFD") || text.includes("\0");
}

/**
 * Whether a text of a file in UTF-16 may stand for other bytes than its own: two halves of which
 * the second is none are read as one character all the same, and U+FFFE and U+FFFF are bound as
 * U+FFFD.
 */
export function isDoubtfulInUtf16(text: string): boolean {
  return isDoubtful(text) || /[\uD800-\uDFFF\uFFFE\uFFFF]/.test(text);
}

/**
 * Whether two values are surely the same, storage class and bytes: 1 and 1.0 are not, nor are 0.0
 * and -0.0, "a" and "A". Nothing is surely the same as what is unknown or doubtful.
 */
export function isSame(one: ImageValue, other: ImageValue, isUtf16 = false): boolean {
  if (typeof one === "string") {
    return one === other && !(isUtf16 ? isDoubtfulInUtf16(one) : isDoubtful(one));
  }
  if (one instanceof Uint8Array) {
    return other instanceof Uint8Array && Buffer.compare(one, other) === 0;
  }
  return one !== UNKNOWN && Object.is(one, other);
}
