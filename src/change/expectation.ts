/**
 * What a write rests on: that nothing of what was read has been changed since. It travels with the
 * write to the thread that makes it, and is judged there inside of its transaction, where nobody
 * can come between any more.
 */

import type { Atom } from "./footprint.ts";
import type { Position } from "./position.ts";

/**
 * A place in the history of a database, and the schema that it had there. Between two places with
 * one schema the log is whole: who drops a trigger of ours changes the schema.
 */
export interface Version extends Position {
  readonly schemaVersion: number;
}

/** That no change after a place touches what was read. */
export interface Expectation {
  readonly version: Version;
  /** `"all"` when it is not known what was read: then no change at all may have come. */
  readonly atoms: readonly Atom[] | "all";
}

/** What a write is told to expect. */
export interface Expecting {
  /**
   * What must hold in the transaction before anything is written. Otherwise nothing is, and the
   * write fails with `CONFLICT`. Default: nothing.
   */
  readonly expects?: readonly Expectation[] | undefined;
}

/** A place that no database has ever been at. What was read there is never as it was. */
export const NO_VERSION: Version = { sequence: 0, mark: "", schemaVersion: -1 };
