/**
 * One connection to one file: its settings, its prepared statements, its errors.
 *
 * Owned by one thread. Rows come as arrays. Control statements (BEGIN, SAVEPOINT …) are kept apart
 * from the callers' statements, so that no number of texts can push them out.
 */

import { DatabaseSync, type StatementSync } from "node:sqlite";
import { SpringhouseError } from "../core/errors.ts";
import { toSpringhouseError } from "./errors.ts";
import { isOutOfRange, narrowIntegers } from "./integers.ts";
import { RowCursor } from "./row-cursor.ts";
import { StatementCache } from "./statement-cache.ts";
import { isBlank, SEVERAL_STATEMENTS, statementFacts } from "./statement-text.ts";
import type { ResultColumn, ResultSet, Row, SqlValue, Statement } from "./values.ts";

/** How to open a connection. */
export interface ConnectionOptions {
  readonly path: string;
  readonly readOnly: boolean;
  readonly pragmas: readonly string[];
}

/** A connection and what it has prepared. */
export class Connection implements Disposable {
  readonly path: string;
  readonly #database: DatabaseSync;
  readonly #statements: StatementCache;
  readonly #controls = new Map<string, StatementSync>();

  constructor(options: ConnectionOptions) {
    this.path = options.path;
    try {
      this.#database = new DatabaseSync(options.path, {
        readOnly: options.readOnly,
        returnArrays: true,
      });
      for (const pragma of options.pragmas) this.#database.exec(`PRAGMA ${pragma}`);
    } catch (error) {
      throw toSpringhouseError(error, { path: options.path });
    }
    this.#statements = new StatementCache((sql) => this.#prepare(sql));
  }

  get inTransaction(): boolean {
    return this.#database.isTransaction;
  }

  /** Runs one of our own statements: transaction control and settings. */
  control(sql: string): void {
    try {
      let statement = this.#controls.get(sql);
      if (statement === undefined) {
        statement = this.#database.prepare(sql);
        this.#controls.set(sql, statement);
      }
      statement.run();
    } catch (error) {
      throw toSpringhouseError(error, { path: this.path, sql });
    }
  }

  /** The first row of one of our own questions. */
  ask(sql: string, ...parameters: SqlValue[]): Row {
    try {
      return (this.#database.prepare(sql).get(...parameters) ?? []) as unknown as Row;
    } catch (error) {
      throw toSpringhouseError(error, { path: this.path, sql });
    }
  }

  /** All rows of one of our own questions. */
  askAll(sql: string, ...parameters: SqlValue[]): Row[] {
    try {
      return this.#database.prepare(sql).all(...parameters) as unknown as Row[];
    } catch (error) {
      throw toSpringhouseError(error, { path: this.path, sql });
    }
  }

  /** Runs a caller's statement to its end. */
  run({ sql, parameters }: Statement): ResultSet {
    try {
      const statement = this.#statements.get(sql);
      if (statement.columns().length === 0) {
        const { changes } = statement.run(...parameters);
        return { columns: [], rows: [], changes: statementFacts(sql).dml ? Number(changes) : 0 };
      }
      // A statement with RETURNING must not run twice, so it reads bigints from the start.
      statement.setReadBigInts(true);
      const rows = statement.all(...parameters) as unknown as Row[];
      for (const row of rows) narrowIntegers(row);
      const changes = statementFacts(sql).dml ? Number(this.ask("SELECT changes()")[0]) : 0;
      return { columns: columnsOf(statement), rows, changes };
    } catch (error) {
      throw toSpringhouseError(error, { path: this.path, sql });
    }
  }

  /** Runs a statement once for each row of parameters; the number of rows changed. */
  runMany(sql: string, rows: readonly (readonly SqlValue[])[]): number {
    try {
      const statement = this.#statements.get(sql);
      const { dml } = statementFacts(sql);
      let total = 0;
      for (const row of rows) {
        const { changes } = statement.run(...row);
        if (dml) total += Number(changes);
      }
      return total;
    } catch (error) {
      throw toSpringhouseError(error, { path: this.path, sql });
    }
  }

  /** All rows of a short read; numbers first, again with bigints when one does not fit. */
  readAll({ sql, parameters }: Statement): { statement: StatementSync; rows: Row[] } {
    try {
      const statement = this.#statements.get(sql);
      try {
        statement.setReadBigInts(false);
        return { statement, rows: statement.all(...parameters) as unknown as Row[] };
      } catch (error) {
        if (!isOutOfRange(error)) throw error;
        statement.setReadBigInts(true);
        const rows = statement.all(...parameters) as unknown as Row[];
        for (const row of rows) narrowIntegers(row);
        return { statement, rows };
      }
    } catch (error) {
      throw toSpringhouseError(error, { path: this.path, sql });
    }
  }

  /** Steps through a read in chunks. The cursor holds a snapshot until it ends or is closed. */
  openCursor({ sql, parameters }: Statement): RowCursor {
    try {
      const statement = this.#statements.take(sql);
      return new RowCursor(statement, parameters, () => this.#statements.give(sql, statement));
    } catch (error) {
      throw toSpringhouseError(error, { path: this.path, sql });
    }
  }

  close(): void {
    if (this.#database.isOpen) this.#database.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #prepare(sql: string): StatementSync {
    const statement = this.#database.prepare(sql);
    if (isBlank(sql.slice(statement.sourceSQL.length))) return statement;
    throw new SpringhouseError(
      "STATEMENT_REFUSED",
      `The statement was refused: ${SEVERAL_STATEMENTS}.\n${sql.slice(0, 200)}`,
      { fields: { sql } },
    );
  }
}

/** Names and origins of a statement's columns, without the fields that nobody reads. */
export function columnsOf(statement: StatementSync): readonly ResultColumn[] {
  return statement.columns().map(({ name, table, column }) => ({ name, table, column }));
}
