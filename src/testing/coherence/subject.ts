/**
 * What a cache must offer to be put to the proof: it is opened on a SQLite file, asked, and written
 * through. Whatever else it does is its own affair.
 */

import type { RootOperationNode } from "kysely";

/** A value that SQLite can bind. */
export type QueryValue = null | number | bigint | string | Uint8Array;

/** A question to the database, which the oracle can ask on a plain connection as well. */
export interface CoherenceQuery {
  readonly sql: string;
  readonly parameters: readonly QueryValue[];
  /**
   * Kysely's tree of it, for caches that read what a query depends on from there: what
   * `.compile()` gives has it as `query`. Default: none; the cache has the text.
   */
  readonly query?: RootOperationNode;
  /** Whether the order of the rows is part of the result. Default: false. */
  readonly isOrdered?: boolean;
  /**
   * Whether the query leaves open which of several texts that a collation calls equal stands for
   * all of them, as GROUP BY and DISTINCT do. Default: false.
   */
  readonly isCollated?: boolean;
}

/** Rows as the cache gives them: the names of the columns and their values. */
export type CoherenceRows = readonly Readonly<Record<string, unknown>>[];

/** A cache that can be opened on a file. */
export interface CoherenceSubject {
  /** Opens the cache on a file that exists. */
  open(path: string): Promise<OpenSubject>;
  /** Whether it promises to see what other connections write. Default: true. */
  readonly seesOthers?: boolean;
}

/** An open cache. */
export interface OpenSubject {
  /** The rows, from the cache or from the database. */
  read(query: CoherenceQuery): Promise<CoherenceRows>;
  /**
   * The rows if the cache has them and would give them now, without asking the database. Default:
   * none; then every query is read after each commit, and hits are not told from misses.
   */
  peek?(query: CoherenceQuery): CoherenceRows | undefined;
  /**
   * The rows of several queries, each kept on its own, read as one state of the database. Default:
   * none; then it is not tried.
   */
  readTogether?(queries: readonly CoherenceQuery[]): Promise<readonly CoherenceRows[]>;
  /**
   * Runs the statements in one transaction of the cache's own writer. A statement that fails leaves
   * no trace and does not end it. `SAVEPOINT s` and `ROLLBACK TO s` may stand among them, in pairs.
   */
  write(statements: readonly string[]): Promise<void>;
  /** Waits until the cache has to know what others have written. Default: at once. */
  settle?(): Promise<void>;
  close(): Promise<void>;
}
