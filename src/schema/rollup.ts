/**
 * `rollup()`: statistics of another entity's rows, by groups. They are kept by triggers in the
 * transaction of each write, so that they are exact for whoever reads and whoever writes. A rollup
 * is read like an entity, by the name that it has in SQL, and written by nobody.
 *
 * @example
 * const WeekStatistics = rollup("week_statistics", Task, {
 *   by: { weekId: Task.weekId },
 *   measures: { totalTasks: count(), totalDurationSeconds: sum(Task.durationSeconds) },
 * });
 * await db.repository(WeekStatistics).get(7);
 */

import type { ColumnType } from "kysely";
import { show } from "./check.ts";
import { factsOf, isEntity } from "./entity.ts";
import type { Collation, ColumnKind } from "./facts.ts";
import type { Measure } from "./measure.ts";
import { type SnakeCase, tableNameProblem } from "./names.ts";
import { invalidSchema } from "./refuse.ts";
import { rollupFacts } from "./rollup-facts.ts";
import { type ColumnHandle, definition, type Entity, type KeyValue } from "./types.ts";

/** What the rows are grouped by: a column, with a collation when texts are not told apart by it. */
export type GroupKey =
  | ColumnHandle
  | { readonly column: ColumnHandle; readonly collate?: Collation };

/** The groups, by property. */
export type Groups = Readonly<Record<string, GroupKey>>;

/** The measures, by property. */
export type Measures = Readonly<Record<string, Measure>>;

/** What a rollup knows. */
export interface RollupOptions<By extends Groups, M extends Measures> {
  /** What the groups are made by. An empty object makes one group, with the key `id` 1. */
  readonly by: By;
  /** What is known of each group. */
  readonly measures: M;
  /** SQL condition over SQL names of the source: only such rows count. Default: all rows. */
  readonly where?: string;
}

type HandleOf<K> = K extends { readonly column: infer C } ? C : K;
type KindOfKey<K> = HandleOf<K> extends ColumnHandle<infer Kind, unknown> ? Kind : never;
type ValueOfKey<K> = HandleOf<K> extends ColumnHandle<ColumnKind, infer Value> ? Value : never;
type KindOfMeasure<M> = M extends Measure<infer Kind, unknown, unknown> ? Kind : never;
type ValueOfMeasure<M> = M extends Measure<ColumnKind, infer Value, unknown> ? Value : never;
type SqlOfMeasure<M> = M extends Measure<ColumnKind, unknown, infer Sql> ? Sql : never;

/** The key of the one group of a rollup without `by`. */
type Only = Readonly<Record<"id", ColumnHandle<"int", number>>>;
type GroupsOf<By> = [keyof By] extends [never] ? Only : By;
type Flat<T> = { [P in keyof T]: T[P] };
type ReadOnly<T> = ColumnType<T, never, never>;

/** The types of a rollup: those of an entity that takes nothing. */
export interface RollupTypes<Name extends string, By, M> {
  readonly table: Name;
  readonly columns: Readonly<Record<never, never>>;
  readonly kinds: Flat<
    { readonly [P in keyof GroupsOf<By>]: KindOfKey<GroupsOf<By>[P]> } & {
      readonly [P in keyof M]: KindOfMeasure<M[P]>;
    }
  >;
  readonly row: Flat<
    { readonly [P in keyof GroupsOf<By>]: ValueOfKey<GroupsOf<By>[P]> } & {
      readonly [P in keyof M]: ValueOfMeasure<M[P]>;
    }
  >;
  readonly insert: never;
  readonly valid: never;
  readonly patch: never;
  readonly key: KeyValue<
    { readonly [P in keyof GroupsOf<By>]: NonNullable<ValueOfKey<GroupsOf<By>[P]>> },
    keyof GroupsOf<By>
  >;
  readonly keyProperty: keyof GroupsOf<By> & string;
  readonly sql: Flat<
    {
      readonly [P in keyof GroupsOf<By> as SnakeCase<P & string>]: ReadOnly<
        ValueOfKey<GroupsOf<By>[P]>
      >;
    } & { readonly [P in keyof M as SnakeCase<P & string>]: ReadOnly<SqlOfMeasure<M[P]>> }
  >;
}

/** A declared rollup, as `open({ rollups })` takes it. */
export type Rollup<Name extends string = string, By = unknown, M = unknown> = Entity<
  RollupTypes<Name, By, M>
>;

/**
 * Declares a rollup.
 *
 * @param name of the view in SQL.
 * @throws `INVALID_SCHEMA` naming rollup, property and reason when it cannot work.
 */
export function rollup<const Name extends string, By extends Groups, M extends Measures>(
  name: Name,
  source: Entity,
  options: RollupOptions<By, M>,
): Rollup<Name, By, M> {
  const problem = tableNameProblem(name);
  if (problem !== undefined) throw invalidSchema(String(name), undefined, problem);
  if (!isEntity(source) || factsOf(source).rollup !== undefined) {
    const reason = `is of an entity made by entity(), not of ${show(source)}`;
    throw invalidSchema(name, undefined, reason);
  }
  const facts = rollupFacts(name, factsOf(source), options);
  return Object.freeze({
    [definition]: Object.freeze({ facts }),
    "~standard": Object.freeze({
      version: 1,
      vendor: "springhouse",
      validate: () => ({ issues: [{ message: `"${name}" is a rollup, which takes no rows` }] }),
    }),
  }) as unknown as Rollup<Name, By, M>;
}
