/** Kysely's `sql` tag that loads Kysely only when it is used. */

import type { RawBuilder, Sql } from "kysely";
import { kyselyModule } from "./kysely-runtime.ts";

/**
 * A piece of SQL with safely bound values, for use inside Kysely queries or on its own.
 *
 * @example
 * const { rows } = await sql<{ n: number }>`SELECT count(*) AS n FROM tasks WHERE score > ${3}`
 *   .execute(db.query);
 */
export const sql: Sql = Object.assign(
  <T>(fragments: TemplateStringsArray, ...parameters: unknown[]): RawBuilder<T> =>
    kyselyModule().sql<T>(fragments, ...parameters),
  {
    val: <V>(value: V): RawBuilder<V> => kyselyModule().sql.val(value),
    ref: <R = unknown>(column: string): RawBuilder<R> => kyselyModule().sql.ref<R>(column),
    table: <T = unknown>(table: string): RawBuilder<T> => kyselyModule().sql.table<T>(table),
    id: <T = unknown>(...names: readonly string[]): RawBuilder<T> =>
      kyselyModule().sql.id<T>(...names),
    lit: <V>(value: V): RawBuilder<V> => kyselyModule().sql.lit(value),
    raw: <R = unknown>(text: string): RawBuilder<R> => kyselyModule().sql.raw<R>(text),
    join: <T = unknown>(
      items: readonly unknown[],
      separator?: RawBuilder<unknown>,
    ): RawBuilder<T> => kyselyModule().sql.join<T>(items, separator),
  },
);
