/** The session of a database with rollups: what it reads of them is right (`rollup-keeper.ts`). */

import type { SqliteStore } from "../store/sqlite/store.ts";
import type {
  CallOptions,
  ResultSet,
  Session,
  SqlValue,
  Statement,
  StoreTransaction,
  StreamOptions,
  TransactionOptions,
  UnitOptions,
  WriteManyOptions,
} from "../store/store.ts";
import type { RollupKeeper } from "./rollup-keeper.ts";

/** See above. */
export class RollupSession implements Session {
  readonly dialect = "sqlite";
  readonly #store: SqliteStore;
  readonly #keeper: RollupKeeper;

  constructor(store: SqliteStore, keeper: RollupKeeper) {
    this.#store = store;
    this.#keeper = keeper;
  }

  isWrite(sql: string): boolean {
    return this.#store.isWrite(sql);
  }

  read(statement: Statement, options?: CallOptions): Promise<ResultSet> {
    return this.#keeper.during(statement.sql, () => this.#store.read(statement, options));
  }

  /** The snapshot is taken with the first chunk, and looked at before that is given. */
  async *stream(
    statement: Statement,
    options?: StreamOptions,
  ): AsyncGenerator<ResultSet, void, undefined> {
    let rest: AsyncGenerator<ResultSet, void, undefined> | undefined;
    const begin = async (): Promise<IteratorResult<ResultSet, void>> => {
      await rest?.return();
      rest = this.#store.stream(statement, options);
      return await rest.next();
    };
    try {
      const first = await this.#keeper.during(statement.sql, begin);
      if (!first.done) yield first.value;
      if (rest !== undefined) yield* rest;
    } finally {
      await rest?.return();
    }
  }

  write(unit: readonly Statement[], options?: UnitOptions): Promise<readonly ResultSet[]> {
    return this.#store.write(unit, options);
  }

  writeMany(
    sql: string,
    rows: Iterable<readonly SqlValue[]> | AsyncIterable<readonly SqlValue[]>,
    options?: WriteManyOptions,
  ): Promise<number> {
    return this.#store.writeMany(sql, rows, options);
  }

  /** While it has the writer, nobody else changes the schema. */
  transaction<T>(
    run: (transaction: StoreTransaction) => Promise<T>,
    options?: TransactionOptions,
  ): Promise<T> {
    const kept = async (transaction: StoreTransaction): Promise<T> => {
      await this.#keeper.keepIn(transaction);
      return await run(transaction);
    };
    return this.#store.transaction(kept, options);
  }
}
