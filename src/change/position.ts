/**
 * A place in the history of a database: the number of a log row, and the random mark that was
 * written with it. A file that was restored or copied may have the number, and not the mark.
 */

export interface Position {
  readonly sequence: number;
  /** 64 random bits as decimal text. */
  readonly mark: string;
}
