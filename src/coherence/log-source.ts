/**
 * What the feed of changes needs from a database: cheap signs that something was committed, and the
 * log of what it was.
 */

import type { Position } from "../change/position.ts";
import type { LoggedChange } from "./ring.ts";

/** What a look into the log has found. All of it belongs to one snapshot. */
export interface Look {
  /** As `dataVersion()`, of this snapshot. */
  readonly dataVersion: number;
  /** Changes with every change of the schema. */
  readonly schemaVersion: number;
  /** The end of the log; undefined when there is no log, or nothing in it. */
  readonly position: Position | undefined;
  /** Whether the log still has the place that the look began at. */
  readonly reachesBack: boolean;
  /** What came after it. */
  readonly changes: readonly LoggedChange[];
}

/** The log of one database, seen from the main thread. Nothing here waits. */
export interface LogSource {
  /** Commits that our own writer has begun, and those of them that have ended. */
  readonly announced: number;
  readonly settled: number;
  /** Another number than before when somebody else has committed. */
  dataVersion(): number;
  /**
   * Whether the write-ahead log is at its beginning. Beginning it anew, before a commit or without
   * one, gives another `dataVersion` too.
   */
  isRestarted(): boolean;
  /**
   * The log after a place; without one, only where it ends. When the schema is another one than
   * that of this version the log is not looked at, for it may not be there any more.
   *
   * @throws `BUSY` when the database cannot be read at this moment.
   */
  look(after: Position | undefined, schemaVersion: number | undefined): Look;
}
