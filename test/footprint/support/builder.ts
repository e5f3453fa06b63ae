/** Kysely without a database, over tables of which nothing is known at compile time. */

import {
  DummyDriver,
  type Expression,
  type ExpressionBuilder,
  expressionBuilder,
  Kysely,
  type SelectQueryBuilder,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from "kysely";

export type Tables = Record<string, Record<string, unknown>>;
export type Query = SelectQueryBuilder<Tables, string, Record<string, unknown>>;
export type Operand = Expression<unknown>;

export const kysely: Kysely<Tables> = new Kysely<Tables>({
  dialect: {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  },
});

export const eb: ExpressionBuilder<Tables, string> = expressionBuilder<Tables, string>();
