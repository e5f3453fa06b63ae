/** What results that outlive the process need from a database; `sqlite-marks.ts` for SQLite. */

import type { Position } from "../change/position.ts";

/** Places of the log with a mark. */
export interface Marks {
  /** Tells the database from all others but its copies; undefined when it has none yet. */
  readonly identity: string | undefined;
  /** The last place with a mark after one number and up to another, if it is not far back. */
  last(after: number, upTo: number): Position | undefined;
  /**
   * The schema as one text, if its version is still this one: a copy that SQLite's backup has made
   * counts its versions anew.
   */
  schemaText(version: number): string | undefined;
  /** Makes a place with a mark, and an identity. False for a database that cannot be written. */
  add(): Promise<boolean>;
}
