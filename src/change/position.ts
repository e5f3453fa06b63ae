/**
 * A place in the history of a database: the number of a row of the log. The last row of each commit
 * of our own has a random mark as well: a file that was restored or copied may have the number, and
 * not the mark. A place without one is good for as long as the file stays open.
 */

export interface Position {
  readonly sequence: number;
  /** 64 random bits as decimal text; empty for a row that has none. */
  readonly mark: string;
}
