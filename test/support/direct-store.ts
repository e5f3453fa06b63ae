/**
 * A naive Store: one connection, everything on the calling thread, no threads, no grouping, no
 * caching. Tests use it as the oracle for the real one, and where a store is only scenery.
 */

import { DatabaseSync } from "node:sqlite";
import { SpringhouseError } from "../../src/core/errors.ts";
import type {
  ResultSet,
  SqlValue,
  Statement,
  Store,
  StoreTransaction,
  StreamOptions,
  TransactionOptions,
} from "../../src/store/store.ts";

/** Opens a naive store on `path` (":memory:" is fine). */
export function openDirectStore(path: string): Store {
  return new DirectStore(new DatabaseSync(path));
}

class DirectStore implements Store {
  readonly dialect = "sqlite";
  readonly current: StoreTransaction | undefined = undefined;
  readonly #database: DatabaseSync;
  #tail: Promise<unknown> = Promise.resolve();

  constructor(database: DatabaseSync) {
    this.#database = database;
    database.exec("PRAGMA foreign_keys = ON");
  }

  read(statement: Statement): Promise<ResultSet> {
    return this.#queue(() => this.#run(statement));
  }

  async *stream(statement: Statement, options: StreamOptions = {}): AsyncGenerator<ResultSet> {
    const { columns, rows } = await this.read(statement);
    const step = options.chunkRows ?? 500;
    for (let at = 0; at < rows.length; at += step) {
      yield { columns, rows: rows.slice(at, at + step), changes: 0 };
    }
  }

  write(unit: readonly Statement[]): Promise<readonly ResultSet[]> {
    return this.transaction((transaction) => transaction.write(unit));
  }

  writeMany(
    sql: string,
    rows: Iterable<readonly SqlValue[]> | AsyncIterable<readonly SqlValue[]>,
  ): Promise<number> {
    return this.transaction((transaction) => transaction.writeMany(sql, rows));
  }

  isWrite(sql: string): boolean {
    return this.#database
      .prepare(`EXPLAIN ${sql}`)
      .all()
      .some((row) => row["opcode"] === "Transaction" && row["p2"] === 1);
  }

  transaction<T>(
    run: (transaction: StoreTransaction) => Promise<T>,
    options: TransactionOptions = {},
  ): Promise<T> {
    return this.#queue(async () => {
      const off = options.foreignKeys === "off";
      if (off) this.#database.exec("PRAGMA foreign_keys = OFF");
      this.#database.exec("BEGIN IMMEDIATE");
      try {
        const result = await run(this.#nested(1));
        this.#database.exec("COMMIT");
        return result;
      } catch (error) {
        if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
        throw error;
      } finally {
        if (off) this.#database.exec("PRAGMA foreign_keys = ON");
      }
    });
  }

  async close(): Promise<void> {
    await this.#tail;
    if (this.#database.isOpen) this.#database.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #nested(depth: number): StoreTransaction {
    const transaction: StoreTransaction = {
      dialect: "sqlite",
      depth,
      read: async (statement) => this.#run(statement),
      stream: (statement, options) => this.#chunks(statement, options),
      isWrite: (sql) => this.isWrite(sql),
      write: (unit) =>
        transaction.transaction(async () => unit.map((statement) => this.#run(statement))),
      writeMany: async (sql, rows) => {
        let changes = 0;
        for await (const parameters of rows) changes += this.#run({ sql, parameters }).changes;
        return changes;
      },
      transaction: async (run) => {
        this.#database.exec(`SAVEPOINT s${depth}`);
        try {
          const result = await run(this.#nested(depth + 1));
          this.#database.exec(`RELEASE s${depth}`);
          return result;
        } catch (error) {
          this.#database.exec(`ROLLBACK TO s${depth}; RELEASE s${depth}`);
          throw error;
        }
      },
    };
    return transaction;
  }

  async *#chunks(statement: Statement, options: StreamOptions = {}): AsyncGenerator<ResultSet> {
    const { columns, rows } = this.#run(statement);
    const step = options.chunkRows ?? 500;
    for (let at = 0; at < rows.length; at += step) {
      yield { columns, rows: rows.slice(at, at + step), changes: 0 };
    }
  }

  #run(statement: Statement): ResultSet {
    try {
      const prepared = this.#database.prepare(statement.sql);
      prepared.setReturnArrays(true);
      prepared.setReadBigInts(true);
      const columns = prepared
        .columns()
        .map(({ name, table, column }) => ({ name, table, column }));
      const write = this.isWrite(statement.sql);
      const before = this.#total();
      const rows = prepared.all(...statement.parameters) as unknown as SqlValue[][];
      return {
        columns,
        rows: rows.map((row) => row.map(narrow)),
        changes: write ? this.#changes(before) : 0,
      };
    } catch (error) {
      const constraint = String((error as Error).message).includes("constraint");
      const message = error instanceof Error ? error.message : String(error);
      throw new SpringhouseError(constraint ? "CONSTRAINT" : "SQL", message, { cause: error });
    }
  }

  #total(): number {
    return Number(this.#database.prepare("SELECT total_changes() AS n").get()?.["n"]);
  }

  #changes(before: number): number {
    if (this.#total() === before) return 0;
    return Number(this.#database.prepare("SELECT changes() AS n").get()?.["n"]);
  }

  #queue<T>(work: () => Promise<T> | T): Promise<T> {
    const result = this.#tail.then(work);
    this.#tail = result.catch(() => undefined);
    return result;
  }
}

function narrow(value: SqlValue): SqlValue {
  return typeof value === "bigint" && Number.isSafeInteger(Number(value)) ? Number(value) : value;
}
