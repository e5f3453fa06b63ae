/**
 * What a statement would touch, asked of SQLite without running it: its authorizer, and the program
 * that the statement is compiled to.
 */

import { nodeSqlite } from "../core/node-sqlite.ts";
import type { Authorized, PlanStep, StatementProbe } from "../footprint/explain.ts";
import type { Connection } from "./connection.ts";

/** Asks on one connection. */
export class SqliteProbe implements StatementProbe {
  readonly #connection: Connection;
  readonly #isLogged: (table: string) => boolean;

  /** @param isLogged whether changes of a table are told of; others are nobody's pages. */
  constructor(connection: Connection, isLogged: (table: string) => boolean) {
    this.#connection = connection;
    this.#isLogged = isLogged;
  }

  explain(sql: string): readonly PlanStep[] {
    return this.#connection.askAll(`EXPLAIN ${sql}`).map(([, opcode, p1, p2, p3, p4]) => ({
      opcode: String(opcode),
      p1: Number(p1),
      p2: Number(p2),
      p3: Number(p3),
      p4,
    }));
  }

  schemaRoots(): ReadonlyMap<number, string> {
    const sql = "SELECT rootpage, lower(tbl_name) FROM sqlite_schema WHERE rootpage > 0";
    const roots = this.#connection
      .askAll(sql)
      .map(([page, table]) => [Number(page), String(table)] as const);
    return new Map(roots.filter(([, table]) => this.#isLogged(table)));
  }

  authorized(sql: string): Authorized {
    const { SQLITE_FUNCTION, SQLITE_READ, SQLITE_RECURSIVE, SQLITE_SELECT } =
      nodeSqlite().constants;
    const reads = new Set<string>();
    const functions = new Set<string>();
    let writes = false;
    this.#connection.inspect(sql, ({ action, first, second }) => {
      if (action === SQLITE_READ) reads.add(String(first).toLowerCase());
      else if (action === SQLITE_FUNCTION) functions.add(String(second).toLowerCase());
      // Whatever is not known to read only may be a write.
      else if (action !== SQLITE_SELECT && action !== SQLITE_RECURSIVE) writes = true;
    });
    return { reads, functions, writes };
  }
}
