/**
 * What a statement would touch, asked of SQLite without running it: its authorizer, and the program
 * that it is compiled to. Neither alone says everything.
 */

import { nodeSqlite } from "../core/node-sqlite.ts";
import type { Access, Connection } from "./connection.ts";
import type { Row } from "./values.ts";

/** Asks on one connection. */
export class StatementReads {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** The program: one row for each instruction, as `EXPLAIN` gives it. */
  explain(sql: string): readonly Row[] {
    return this.#connection.askAll(`EXPLAIN ${sql}`);
  }

  /** Tables by the pages at which they and their indexes begin. */
  schemaRoots(): ReadonlyMap<number, string> {
    const rows = this.#connection.askAll(
      "SELECT rootpage, tbl_name FROM sqlite_schema WHERE rootpage > 0",
    );
    return new Map(rows.map(([page, table]) => [Number(page), String(table).toLowerCase()]));
  }

  /** Everything that the authorizer is asked about. */
  accesses(sql: string): readonly Access[] {
    const accesses: Access[] = [];
    this.#connection.inspect(sql, (access) => accesses.push(access));
    return accesses;
  }
}
