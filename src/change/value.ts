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
