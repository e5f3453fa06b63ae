/**
 * The plain connections of the proof: one that writes as a program does that knows nothing of any
 * cache, with SQLite's default settings, and one that says what is right.
 */

import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import { nodeSqlite } from "../../core/node-sqlite.ts";
import { resultText } from "./compare.ts";
import { type ProofTable, tablesOf } from "./proof-table.ts";
import type { CoherenceQuery } from "./subject.ts";

/** How long a plain write blocks this thread, which the cache's writer may be waiting for. */
const BUSY_TIMEOUT_MS = 5;
/** Turns of the event loop that a plain write waits for the cache's writer between two attempts. */
const BUSY_TRIES_MAX = 1_000;

/** What stands for the result of a query that SQLite refuses: no row can look like it. */
export const FAILED = "failed";

/** See above. */
export class Witness implements Disposable {
  readonly #writer: DatabaseSync;
  readonly #reader: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  #schemaVersion = -1;
  #tables: readonly ProofTable[] = [];

  /** Opens a file, and makes it when there is none. */
  constructor(path: string) {
    const { DatabaseSync } = nodeSqlite();
    this.#writer = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
    this.#writer.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF");
    this.#reader = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
    this.#reader.exec("PRAGMA query_only = ON");
  }

  /** Another value after each commit of anybody but the reader itself, which makes none. */
  get dataVersion(): unknown {
    return this.#prepared("PRAGMA data_version").get()?.["data_version"];
  }

  /** The tables as they stand now. */
  get tables(): readonly ProofTable[] {
    this.#refresh();
    return this.#tables;
  }

  /** The right results of queries, all of one state. */
  resultsOf(queries: readonly CoherenceQuery[]): string[] {
    this.#reader.exec("BEGIN");
    try {
      this.#refresh();
      return queries.map((query) => this.#resultOf(query));
    } finally {
      this.#reader.exec("COMMIT");
    }
  }

  /**
   * Runs statements in one transaction, each for itself, when nobody else is writing.
   *
   * @param begun called within it, before the first statement.
   * @param ended called right after it, before anything else can happen on this thread.
   */
  async write(
    statements: readonly string[],
    begun: () => void = () => undefined,
    ended: () => void = () => undefined,
  ): Promise<void> {
    for (let left = BUSY_TRIES_MAX; !tryExec(this.#writer, "BEGIN IMMEDIATE"); left--) {
      if (left === 0) throw new Error("Another connection holds the database for too long.");
      await new Promise((resolve) => setImmediate(resolve));
    }
    begun();
    this.#run(statements);
    ended();
  }

  /** Runs statements one by one, outside of a transaction: settings, and the first schema. */
  setUp(statements: readonly string[]): void {
    for (const sql of statements) tryExec(this.#writer, sql);
  }

  [Symbol.dispose](): void {
    this.#reader.close();
    this.#writer.close();
  }

  #run(statements: readonly string[]): void {
    const results = statements.map((sql) => tryExec(this.#writer, sql));
    // A statement of the list may have ended the transaction.
    if (!this.#writer.isTransaction) return;
    // As most programs do when nothing went well.
    if (!results.includes(true)) this.#writer.exec("ROLLBACK");
    else if (!tryExec(this.#writer, "COMMIT")) this.#writer.exec("ROLLBACK");
  }

  #resultOf(query: CoherenceQuery): string {
    try {
      const rows = this.#prepared(query.sql).all(...(query.parameters as SQLInputValue[]));
      return resultText(rows, query);
    } catch {
      return FAILED;
    }
  }

  #refresh(): void {
    const version = Number(this.#prepared("PRAGMA schema_version").get()?.["schema_version"]);
    if (version === this.#schemaVersion) return;
    this.#statements.clear();
    this.#schemaVersion = version;
    this.#tables = tablesOf(this.#reader);
  }

  #prepared(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#reader.prepare(sql);
    statement.setReadBigInts(true);
    this.#statements.set(sql, statement);
    return statement;
  }
}

function tryExec(database: DatabaseSync, sql: string): boolean {
  try {
    database.exec(sql);
    return true;
  } catch {
    return false;
  }
}
