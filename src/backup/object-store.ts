/**
 * Where the files of a point-in-time backup are kept: a place for whole, immutable objects with
 * names. A backend is one file that holds only its differences.
 *
 * Invariants that every backend keeps, and `test/backup/object-store.ts` holds:
 * - an object is there wholly or not at all, also after a crash in the middle of `put`;
 * - when `put` resolves, the object survives a power failure;
 * - `put` of a name that is there replaces it;
 * - `list` gives every object that was put before the call, in the order of the names.
 */

/** A place for objects. Names are parts of letters, digits and `.-_`, divided by `/`. */
export interface ObjectStore {
  /** For messages: a folder, or `s3://bucket/prefix`. */
  readonly place: string;
  put(name: string, bytes: Uint8Array, signal?: AbortSignal): Promise<void>;
  /** @throws `NOT_FOUND` when there is none. */
  get(name: string, signal?: AbortSignal): Promise<Uint8Array>;
  list(prefix: string, signal?: AbortSignal): Promise<readonly StoredObject[]>;
  /** What is not there is no error. */
  drop(names: readonly string[], signal?: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** One object of a list. */
export interface StoredObject {
  readonly name: string;
  readonly sizeBytes: number;
}
