/**
 * Related rows, said in the `include` of a read: `one(Week)`, `many(Task, { by: "weekId" })`. Which
 * columns lead from one entity to the other follows from the foreign keys.
 */

import type { Entity, RowOf } from "../schema/types.ts";
import type { OrderBy, Where } from "./conditions.ts";

/** Relations by the property that they get in the row. */
export type Includes = Readonly<Record<string, Relation>>;

/** No relations. */
// biome-ignore lint/complexity/noBannedTypes: it is the empty set of relations, not any object.
export type NoIncludes = {};

/** One relation, of either kind, without the types of its entity. */
export interface Relation {
  readonly kind: "one" | "many";
  readonly entity: Entity;
  readonly options: RelationOptions;
}

/** What the options of `one` and `many` have in common. */
export interface RelationOptions {
  readonly by?: string | readonly string[];
  readonly where?: object;
  readonly orderBy?: object;
  readonly limit?: number;
  readonly include?: Includes;
}

/** For `one`. */
export interface OneOptions<I extends Includes = Includes> {
  /**
   * The property with the foreign key, when several lead to that entity; several properties for a
   * foreign key of several columns. Default: the only foreign key there is.
   */
  readonly by?: string | readonly string[];
  /** Relations of the related row. Default: none. */
  readonly include?: I;
}

/** For `many`. */
export interface ManyOptions<E extends Entity, I extends Includes = Includes> {
  /** The property of the related entity with the foreign key. Default: the only one there is. */
  readonly by?: (keyof RowOf<E> & string) | readonly (keyof RowOf<E> & string)[];
  /** Only those related rows. Default: all. */
  readonly where?: Where<E>;
  /** Order of the related rows. Default: by key. */
  readonly orderBy?: OrderBy<E>;
  /** Related rows for each row at most. Default: all. */
  readonly limit?: number;
  /** Relations of the related rows. Default: none. */
  readonly include?: I;
}

/** Made by `one`. */
export interface OneRelation<E extends Entity, I extends Includes> {
  readonly kind: "one";
  readonly entity: E;
  readonly options: OneOptions<I>;
}

/** Made by `many`. */
export interface ManyRelation<E extends Entity, I extends Includes> {
  readonly kind: "many";
  readonly entity: E;
  readonly options: ManyOptions<E, I>;
}

/** The properties that relations add to a row. */
export type Included<I extends Includes> = {
  readonly [P in keyof I]: I[P] extends OneRelation<infer E, infer Inner>
    ? WithIncludes<RowOf<E>, Inner> | null
    : I[P] extends ManyRelation<infer E, infer Inner>
      ? readonly WithIncludes<RowOf<E>, Inner>[]
      : never;
};

/** A row with the related rows that were asked for. */
export type WithIncludes<Row, I extends Includes> = [keyof I] extends [never]
  ? Row
  : string extends keyof I
    ? Row
    : Row & Included<I>;

/**
 * The one row that is related, or null: the row that a foreign key of this entity refers to, or the
 * row whose unique foreign key refers to this one. Rows that are related to the same row share its
 * object.
 *
 * @example tasks.get(1, { include: { week: one(Week) } })
 */
export function one<E extends Entity, const I extends Includes = NoIncludes>(
  entity: E,
  options: OneOptions<I> = {},
): OneRelation<E, I> {
  return { kind: "one", entity, options };
}

/**
 * All rows whose foreign key refers to this one.
 *
 * @example
 * const best = many(Task, { by: "weekId", orderBy: { score: "desc" }, limit: 3 });
 * await weeks.list({ include: { best } });
 */
export function many<E extends Entity, const I extends Includes = NoIncludes>(
  entity: E,
  options: ManyOptions<E, I> = {},
): ManyRelation<E, I> {
  return { kind: "many", entity, options };
}
