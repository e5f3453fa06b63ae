/**
 * What a statement would touch, asked of SQLite without running it: its authorizer, and the program
 * that the statement is compiled to.
 */

import { lowerAscii } from "../core/lower-ascii.ts";
import { nodeSqlite } from "../core/node-sqlite.ts";
import type { Authorized, PlanStep, StatementProbe } from "../footprint/explain.ts";
import type { Connection } from "./connection.ts";

/** Asks on one connection. */
export class SqliteProbe implements StatementProbe {
  readonly #connection: Connection;
  readonly #loggedAs: (table: string) => string | undefined;

  /**
   * @param loggedAs the table whose changes tell of a table's: mostly itself. The pages of tables
   * without one are nobody's.
   */
  constructor(connection: Connection, loggedAs: (table: string) => string | undefined) {
    this.#connection = connection;
    this.#loggedAs = loggedAs;
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
    const roots = new Map<number, string>();
    for (const [page, table] of this.#connection.askAll(sql)) {
      const logged = this.#loggedAs(String(table));
      if (logged !== undefined) roots.set(Number(page), logged);
    }
    return roots;
  }

  authorized(sql: string): Authorized {
    const { SQLITE_FUNCTION, SQLITE_READ, SQLITE_RECURSIVE, SQLITE_SELECT } =
      nodeSqlite().constants;
    const reads = new Set<string>();
    const functions = new Set<string>();
    let writes = false;
    this.#connection.inspect(sql, ({ action, first, second }) => {
      if (action === SQLITE_READ) reads.add(lowerAscii(String(first)));
      else if (action === SQLITE_FUNCTION) functions.add(lowerAscii(String(second)));
      // Whatever is not known to read only may be a write.
      else if (action !== SQLITE_SELECT && action !== SQLITE_RECURSIVE) writes = true;
    });
    return { reads, functions, writes };
  }
}
