/** What coherence needs from a database; `sqlite-database.ts` is the one for SQLite. */

import type { Reading } from "../change/footprint.ts";
import type { Position } from "../change/position.ts";
import type { SchemaStructure } from "../change/structure.ts";
import type { LogSource } from "./log-source.ts";
import type { SnapshotReads } from "./tracking.ts";

/** Whether the log is written, and what is known of the tables it tells of. */
export type Preparation =
  | {
      readonly ready: true;
      readonly schemaVersion: number;
      readonly schema: SchemaStructure;
      /** Whether the log tells of everything that has happened after each of its places. */
      readonly isWhole: boolean;
    }
  /** Nothing can be kept, and why. */
  | { readonly ready: false; readonly reason: string };

/** One database and its log. */
export interface CoherentDatabase {
  readonly log: LogSource;
  /** Whether the calling code is inside of a transaction: what it reads is for nobody else. */
  readonly isInTransaction: boolean;
  /**
   * Makes sure that every change from now on is in the log.
   *
   * @param isLossy whether something was written that the log does not have: then it is made to say
   * that anything may have changed, for whoever has kept what was read before.
   */
  prepare(isLossy: boolean): Promise<Preparation>;
  /** Runs `run` with reads of one state, and the place of the log at which it stands. */
  snapshot<T>(
    run: (reads: SnapshotReads, position: Position | undefined) => Promise<T>,
  ): Promise<T>;
  /** What a statement of this text reads, whatever its values are. */
  readingOfText(sql: string): Reading;
  /** Adds a row with a mark to the log. */
  mark(): Promise<void>;
  /** Gives back the room of old rows of the log, when there are many. */
  trim(position: Position): Promise<void>;
}
