/**
 * What the writer thread does: groups of units, and one interactive transaction at a time.
 *
 * The connection never waits for a lock inside SQLite (`busy-wait.ts`); every transaction takes
 * the write lock when it begins, so nothing in it can be refused for being late.
 */

import { unreachable } from "../core/assert.ts";
import { SpringhouseError } from "../core/errors.ts";
import { retryWhileBusy } from "./busy-wait.ts";
import { Connection } from "./connection.ts";
import { CursorTable } from "./cursor-table.ts";
import { writerPragmas } from "./pragmas.ts";
import type { ThreadData, WireResult, WriterRequest } from "./protocol.ts";
import type { Handler } from "./thread-server.ts";
import type { Statement } from "./values.ts";
import { rollBack, runGroup, runUnderSavepoint, undoSavepoint } from "./write-group.ts";

/** The state of the writer thread. */
export class WriterSession implements Handler<WriterRequest> {
  readonly #cursors = new CursorTable();
  readonly #connection: Connection;
  readonly #busyTimeoutMs: number;
  #foreignKeysOff = false;

  constructor({ path, profile, busyTimeoutMs }: Omit<ThreadData, "port">) {
    this.#busyTimeoutMs = busyTimeoutMs;
    this.#connection = retryWhileBusy(() => {
      const connection = new Connection({ path, readOnly: false, pragmas: writerPragmas(profile) });
      try {
        connection.ask("PRAGMA journal_mode = WAL");
        return connection;
      } catch (error) {
        connection.close();
        throw error;
      }
    }, busyTimeoutMs);
  }

  handle(request: WriterRequest): unknown {
    switch (request.kind) {
      case "open":
        return undefined;
      case "group":
        return runGroup(this.#connection, this.#cursors, () => this.#begin(), request.units);
      case "begin":
        return this.#beginTransaction(request.foreignKeys);
      case "unit":
        return this.#unit(request.statements);
      case "rows":
        return this.#rows(request.sql, request.rows);
      case "savepoint":
        return this.#inTransaction(() => this.#connection.control(`SAVEPOINT s${request.depth}`));
      case "release":
        return this.#inTransaction(() => this.#connection.control(`RELEASE s${request.depth}`));
      case "rollbackTo":
        return undoSavepoint(this.#connection, `s${request.depth}`);
      case "commit":
        return this.#commit();
      case "rollback":
        return this.#end(() => rollBack(this.#connection));
      case "query":
        return this.#inTransaction(() =>
          this.#cursors.query(this.#connection, request.statement, request.chunkRows),
        );
      case "fetch":
        return this.#cursors.fetch(request.cursor, request.chunkRows);
      case "dismiss":
        return this.#cursors.dismiss(request.cursor);
      case "close":
        return this.#close();
      default:
        return unreachable(request);
    }
  }

  #begin(): void {
    retryWhileBusy(() => this.#connection.control("BEGIN IMMEDIATE"), this.#busyTimeoutMs);
  }

  #beginTransaction(foreignKeys: boolean): void {
    if (!foreignKeys) this.#setForeignKeys(false);
    try {
      this.#begin();
    } catch (error) {
      this.#setForeignKeys(true);
      throw error;
    }
  }

  /** Only outside of a transaction does SQLite take this setting. */
  #setForeignKeys(on: boolean): void {
    if (on !== this.#foreignKeysOff) return;
    this.#connection.control(`PRAGMA foreign_keys = ${on ? "ON" : "OFF"}`);
    this.#foreignKeysOff = !on;
  }

  #unit(statements: readonly Statement[]): WireResult[] {
    return this.#inTransaction(() =>
      runUnderSavepoint(this.#connection, this.#cursors, statements),
    );
  }

  #rows(sql: string, rows: Parameters<Connection["runMany"]>[1]): number {
    return this.#inTransaction(() => {
      const changes = this.#connection.runMany(sql, rows);
      this.#assertOpen();
      return changes;
    });
  }

  #inTransaction<T>(run: () => T): T {
    this.#assertOpen();
    return run();
  }

  #assertOpen(): void {
    if (this.#connection.inTransaction) return;
    throw new SpringhouseError(
      "TRANSACTION_ENDED",
      "The transaction was rolled back by an earlier failure in it. Run it again from its start.",
    );
  }

  #commit(): void {
    this.#assertOpen();
    this.#end(() => {
      try {
        this.#connection.control("COMMIT");
      } catch (error) {
        rollBack(this.#connection);
        throw error;
      }
    });
  }

  /** Ends the transaction, with its open reads before it and its setting after it. */
  #end(finish: () => void): void {
    this.#cursors.clear();
    try {
      finish();
    } finally {
      this.#setForeignKeys(true);
    }
  }

  #close(): void {
    this.#cursors.clear();
    rollBack(this.#connection);
    this.#connection.control("PRAGMA wal_checkpoint(TRUNCATE)");
    this.#connection.close();
  }
}
