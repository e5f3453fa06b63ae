/**
 * The slow statements of late: the last hundred, each with its time and without its values. What
 * watches the health of a database counts them in a window, and what gives advice explains them.
 */

import { maskLiterals } from "../core/sql-fingerprint.ts";

/** Where a statement ran. */
export type QueryPlace = "inline" | "reader" | "writer";

/** One run that took too long. */
export interface SlowQuery {
  /** The statement; literals are `?`, parameters are as they were written. */
  readonly sql: string;
  readonly ms: number;
  /** Rows that it gave, or changed. */
  readonly rows: number;
  readonly where: QueryPlace;
  /** When it had ended, in milliseconds since 1970. */
  readonly atMs: number;
}

/** As many as a person looks at; they take less than half a megabyte. */
export const SLOW_QUERIES_MAX = 100;
/** Longer texts are cut: a list of slow statements is for reading. */
const TEXT_CHARS_MAX = 4_000;

/** A ring of the last slow runs. */
export class SlowQueries {
  readonly #ring: SlowQuery[] = [];
  #next = 0;

  /** Notes a slow run; the oldest one makes room. */
  add(query: SlowQuery): void {
    const masked = maskLiterals(query.sql.slice(0, 2 * TEXT_CHARS_MAX));
    const sql = masked.length > TEXT_CHARS_MAX ? `${masked.slice(0, TEXT_CHARS_MAX)}…` : masked;
    this.#ring[this.#next] = { ...query, sql };
    this.#next = (this.#next + 1) % SLOW_QUERIES_MAX;
  }

  /** Those that ended at or after `sinceMs`, the latest first. */
  since(sinceMs: number): readonly SlowQuery[] {
    const newest = this.#ring.slice(0, this.#next).reverse();
    const older = this.#ring.slice(this.#next).reverse();
    return [...newest, ...older].filter(({ atMs }) => atMs >= sinceMs);
  }
}
