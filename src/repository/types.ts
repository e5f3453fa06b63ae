/** The options of repositories, and what pages are. */

import type { Entity, PatchOf, RowOf } from "../schema/types.ts";
import type { OrderBy, Where } from "./conditions.ts";
import type { Includes } from "./relation.ts";

/** For `list`. */
export interface ListOptions<E extends Entity, I extends Includes = Includes> {
  /** Default: all rows. */
  readonly where?: Where<E>;
  /** Default: by key. NULL comes before every value. */
  readonly orderBy?: OrderBy<E>;
  /** Rows at most; 0 gives none. Default: the page size of the database. */
  readonly limit?: number;
  /** Rows left out at the beginning. Not together with `cursor`. Default: 0. */
  readonly offset?: number;
  /** Where a page ended, from `page`. Default: the beginning. */
  readonly cursor?: string;
  /** Related rows to load with one query for each relation. Default: none. */
  readonly include?: I;
  /** Gives up waiting. Default: none. */
  readonly signal?: AbortSignal;
}

/** For `page`. */
export interface PageOptions<E extends Entity, I extends Includes = Includes>
  extends Omit<ListOptions<E, I>, "offset"> {
  /** Count all rows that match as well; it reads them all. Default: false. */
  readonly total?: boolean;
}

/** One page of rows. Cursors are opaque texts, to be given back as `cursor`. */
export interface Page<Row> {
  readonly rows: readonly Row[];
  /** Absent on the last page. */
  readonly next?: string;
  /** Absent on the first page. */
  readonly previous?: string;
  /** Rows that match; only when it was asked for. */
  readonly total?: number;
}

/** For `search`. */
export interface SearchOptions<E extends Entity, I extends Includes = Includes>
  extends Pick<ListOptions<E, I>, "where" | "limit" | "offset" | "include" | "signal"> {}

/** For `stream`. */
export interface StreamOptions<E extends Entity>
  extends Pick<ListOptions<E>, "where" | "orderBy" | "signal"> {}

/** For reads by key. */
export interface GetOptions<I extends Includes = Includes> {
  /** Related rows to load with one query for each relation. Default: none. */
  readonly include?: I;
  /** Gives up waiting. Default: none. */
  readonly signal?: AbortSignal;
}

/** For writes. */
export interface WriteOptions {
  /** Gives up waiting, as long as the write has not been sent. Default: none. */
  readonly signal?: AbortSignal;
}

/** For changes of a row that an earlier request has shown. */
export interface EditOptions extends WriteOptions {
  /**
   * A position that `db.position()` gave before the row was read. When the row was changed since,
   * nothing is written, and the call fails with `CONFLICT`. Present and undefined is refused: a
   * position that was lost must not let the write go unchecked. Default: none.
   */
  readonly since?: string;
}

/** For `createMany`. */
export interface CreateManyOptions extends WriteOptions {
  /** Give the rows instead of their number. Default: false. */
  readonly returning?: boolean;
}

/** For `upsert`. */
export interface UpsertOptions<E extends Entity> extends WriteOptions {
  /** The unique properties that tell whether the row exists. Default: the key. */
  readonly on?: readonly (keyof RowOf<E> & string)[];
}

/** How many rows a call may give. */
export interface PageLimits {
  /** Rows of a page when a call does not say. Default: 50. */
  readonly size: number;
  /** The most that a call may ask for. Default: 1,000. */
  readonly sizeMax: number;
}

/** What `update` takes: everything but the key, which may stand in it when it is the same. */
export type ReplacementOf<E extends Entity> = Partial<RowOf<E>> & {
  readonly [P in keyof PatchOf<E>]-?: Exclude<PatchOf<E>[P], undefined>;
};
