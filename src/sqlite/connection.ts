/**
 * One connection to one file: its settings, its prepared statements, its errors.
 *
 * Owned by one thread. Rows come as arrays. Control statements (BEGIN, SAVEPOINT …) are kept apart
 * from the callers' statements, so that no number of texts can push them out.
 */

import type { DatabaseSync, StatementSync } from "node:sqlite";
import { SpringhouseError } from "../core/errors.ts";
import { nodeSqlite } from "../core/node-sqlite.ts";
import type { Origin } from "../core/statement.ts";
import { laterParts } from "./compound.ts";
import { toSpringhouseError } from "./errors.ts";
import { assertInRange, isOutOfRange, narrowIntegers } from "./integers.ts";
import { RowCursor } from "./row-cursor.ts";
import { columnsOf, type Prepared, StatementCache } from "./statement-cache.ts";
import {
  countPlaceholders,
  isBlank,
  SEVERAL_STATEMENTS,
  statementFacts,
} from "./statement-text.ts";
import type { ResultSet, Row, SqlValue, Statement } from "./values.ts";

type Values = readonly SqlValue[];

/** Something that a statement would do, in the words of SQLite's authorizer. */
export interface Access {
  readonly action: number;
  /** What they are depends on the action: mostly a table, and a column or a function. */
  readonly first: string | null;
  readonly second: string | null;
  /** "main", "temp" or an attached database; null where SQLite does not say. */
  readonly database: string | null;
}

/** How to open a connection. */
export interface ConnectionOptions {
  readonly path: string;
  readonly readOnly: boolean;
  readonly pragmas: readonly string[];
  /**
   * Whether all its statements look for one row by a unique key, for which SQLite takes no partial
   * index; then none has to be prepared anew for a new schema. Default: false.
   */
  readonly looksUpOnly?: boolean;
}

/** A connection and what it has prepared. */
export class Connection implements Disposable {
  readonly path: string;
  readonly #database: DatabaseSync;
  readonly #statements: StatementCache;
  readonly #controls = new Map<string, StatementSync>();
  readonly #isLasting: boolean;
  #versionOfSchema: StatementSync | undefined;
  /** The version of the schema that the cached statements were prepared under. */
  #schemaVersion: unknown;
  /** Whether it is known to be the present one: in a transaction, until its own next DDL. */
  #isSchemaKnown = false;
  #onAccess: ((access: Access) => void) | undefined;
  #isWatched = false;

  constructor({ path, readOnly, pragmas, looksUpOnly = false }: ConnectionOptions) {
    this.path = path;
    this.#isLasting = looksUpOnly;
    let database: DatabaseSync | undefined;
    try {
      const sqlite = nodeSqlite();
      database = new sqlite.DatabaseSync(path, { readOnly, returnArrays: true });
      for (const pragma of pragmas) database.exec(`PRAGMA ${pragma}`);
    } catch (error) {
      database?.close();
      throw toSpringhouseError(error, { path });
    }
    this.#database = database;
    this.#statements = new StatementCache((sql) => this.#prepare(sql));
  }

  get inTransaction(): boolean {
    return this.#database.isTransaction;
  }

  /** Runs one of our own statements: transaction control and settings. */
  control(sql: string): void {
    this.#translate(sql, () => {
      let statement = this.#controls.get(sql);
      if (statement === undefined) {
        statement = this.#database.prepare(sql);
        this.#controls.set(sql, statement);
      }
      statement.run();
    });
    // Others may change it from here on, or what this connection has changed is taken back.
    const isOpen = this.#database.isTransaction && !sql.startsWith("ROLLBACK");
    if (!isOpen) this.#isSchemaKnown = false;
  }

  /** The first row of one of our own questions. */
  ask(sql: string, ...parameters: SqlValue[]): Row {
    return this.askAll(sql, ...parameters)[0] ?? [];
  }

  /** All rows of one of our own questions. */
  askAll(sql: string, ...parameters: SqlValue[]): Row[] {
    if (statementFacts(sql).explain) this.#noticeSchema();
    return this.#translate(sql, () => rowsOf(this.#database.prepare(sql), parameters));
  }

  /** Runs a caller's statement to its end. */
  run({ sql, parameters }: Statement): ResultSet {
    return this.#translate(sql, () => {
      const prepared = this.#ready(sql, parameters);
      const { statement } = prepared;
      const { dml } = statementFacts(sql);
      if (statement.columns().length === 0) {
        const { changes } = statement.run(...parameters);
        return { columns: [], rows: [], changes: dml ? Number(changes) : 0 };
      }
      // A statement with RETURNING must not run twice, so it reads bigints from the start.
      statement.setReadBigInts(true);
      const rows = rowsOf(statement, parameters);
      for (const row of rows) narrowIntegers(row);
      const changes = dml ? this.#changes() : 0;
      return { columns: columnsOf(prepared), rows, changes };
    });
  }

  /** Runs a statement once for each row of parameters; the number of rows changed. */
  runMany(sql: string, rows: readonly Values[]): number {
    return this.#translate(sql, () => {
      const { dml } = statementFacts(sql);
      let total = 0;
      for (const row of rows) {
        const { changes } = this.#ready(sql, row).statement.run(...row);
        if (dml) total += Number(changes);
      }
      return total;
    });
  }

  /** All rows of a short read; numbers first, again with bigints when one does not fit. */
  readAll({ sql, parameters }: Statement): { prepared: Prepared; rows: Row[] } {
    return this.#translate(sql, () => {
      const prepared = this.#ready(sql, parameters);
      const { statement } = prepared;
      try {
        statement.setReadBigInts(false);
        const rows = rowsOf(statement, parameters);
        for (const row of rows) assertInRange(row);
        return { prepared, rows };
      } catch (error) {
        if (!isOutOfRange(error)) throw error;
        statement.setReadBigInts(true);
        const rows = rowsOf(statement, parameters);
        for (const row of rows) narrowIntegers(row);
        return { prepared, rows };
      }
    });
  }

  /** All rows of one of our own short reads, every integer as a bigint. */
  readExactly({ sql, parameters }: Statement): Row[] {
    return this.#translate(sql, () => {
      const { statement } = this.#ready(sql, parameters);
      statement.setReadBigInts(true);
      return rowsOf(statement, parameters);
    });
  }

  /** Tells of everything that a statement would do, without running it. */
  inspect(sql: string, onAccess: (access: Access) => void): void {
    this.#watch();
    this.#noticeSchema();
    this.#onAccess = onAccess;
    try {
      this.#translate(sql, () => this.#prepare(sql));
    } finally {
      this.#onAccess = undefined;
    }
  }

  /** Steps through a read in chunks. The cursor holds a snapshot until it ends or is closed. */
  openCursor({ sql, parameters }: Statement): RowCursor {
    return this.#translate(sql, () => {
      const { explain } = statementFacts(sql);
      this.#renewStatements();
      const version = this.#schemaVersion;
      const prepared = explain ? this.#compile(sql) : this.#statements.take(sql);
      assertCount(prepared, parameters, sql);
      return new RowCursor(this.path, prepared, parameters, () => {
        if (!explain && version === this.#schemaVersion) this.#statements.give(sql, prepared);
      });
    });
  }

  close(): void {
    if (this.#database.isOpen) this.#database.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Once for a connection: SQLite prepares all statements again when an authorizer comes. */
  #watch(): void {
    if (this.#isWatched) return;
    this.#isWatched = true;
    const { SQLITE_OK } = nodeSqlite().constants;
    this.#database.setAuthorizer((action, first, second, database) => {
      this.#onAccess?.({ action, first, second, database });
      return SQLITE_OK;
    });
  }

  /** What the statement before has changed; `all` does not tell. */
  #changes(): number {
    const { statement } = this.#statements.get("SELECT changes()");
    return Number(rowsOf(statement, [])[0]?.[0]);
  }

  #ready(sql: string, parameters: Values): Prepared {
    const { explain, ddl } = statementFacts(sql);
    this.#renewStatements();
    if (ddl) this.#isSchemaKnown = false;
    const prepared = explain ? this.#compile(sql) : this.#statements.get(sql);
    assertCount(prepared, parameters, sql);
    return prepared;
  }

  /**
   * Forgets all statements when the schema has changed since they were prepared. SQLite would
   * prepare them anew by itself, and may take a partial index for the values that are bound at that
   * moment; but it does not remember that the plan rests on them, and runs it for later values too
   * (seen with 3.53.4). A statement that is new knows it.
   */
  #renewStatements(): void {
    if (this.#isLasting || this.#isSchemaKnown) return;
    this.#versionOfSchema ??= this.#database.prepare("PRAGMA schema_version");
    const [version] = this.#versionOfSchema.get() as unknown as Row;
    if (version !== this.#schemaVersion) {
      this.#statements.clear();
      this.#noticeSchema();
      this.#schemaVersion = version;
    }
    this.#isSchemaKnown = this.#database.isTransaction;
  }

  /** For EXPLAIN, which tells what was compiled, and is never compiled again by itself. */
  #compile(sql: string): Prepared {
    this.#noticeSchema();
    return this.#prepare(sql);
  }

  /**
   * Lets SQLite notice that another connection has changed the schema. A statement that runs does
   * so by itself; one that is only compiled goes by the schema as this connection last read it.
   */
  #noticeSchema(): void {
    this.control("SELECT 1 FROM sqlite_schema LIMIT 0");
  }

  #prepare(sql: string): Prepared {
    const statement = this.#database.prepare(sql);
    if (isBlank(sql.slice(statement.sourceSQL.length))) {
      const parts = laterParts(sql).map((part) => this.#originsOf(part));
      return { statement, placeholders: countPlaceholders(sql), parts };
    }
    throw new SpringhouseError(
      "STATEMENT_REFUSED",
      `The statement was refused: ${SEVERAL_STATEMENTS}.\n${sql.slice(0, 200)}`,
      { fields: { sql } },
    );
  }

  /** None when the part cannot stand alone: then nothing is known of its columns. */
  #originsOf(part: string): readonly Origin[] {
    try {
      const columns = this.#database.prepare(part).columns();
      return columns.map(({ table, column }) => ({ table, column }));
    } catch {
      return [];
    }
  }

  #translate<T>(sql: string, run: () => T): T {
    try {
      return run();
    } catch (error) {
      throw toSpringhouseError(error, { path: this.path, sql });
    }
  }
}

/** The connection was opened with `returnArrays`, which the types do not know. */
function rowsOf(statement: StatementSync, parameters: Values): Row[] {
  return statement.all(...parameters) as unknown as Row[];
}

/** SQLite takes NULL for what is missing, which would be stored without a word. */
function assertCount({ placeholders }: Prepared, parameters: Values, sql: string): void {
  if (placeholders === parameters.length) return;
  throw new SpringhouseError(
    "INVALID_ARGUMENT",
    `The statement takes ${placeholders} values and was given ${parameters.length}.\n` +
      sql.slice(0, 200),
    { fields: { sql, placeholders, values: parameters.length } },
  );
}
