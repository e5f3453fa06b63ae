/** The probe over a plain connection. */

import { constants, type DatabaseSync } from "node:sqlite";
import type { Authorized, PlanStep, StatementProbe } from "../../../src/footprint/explain.ts";

const WRITES: ReadonlySet<number> = new Set([
  constants.SQLITE_INSERT,
  constants.SQLITE_UPDATE,
  constants.SQLITE_DELETE,
]);

export function probeOf(connection: DatabaseSync): StatementProbe {
  return {
    explain: (sql) => connection.prepare(`EXPLAIN ${sql}`).all() as unknown as PlanStep[],
    schemaRoots: () => rootsOf(connection),
    authorized: (sql) => authorizedOf(connection, sql),
  };
}

function rootsOf(connection: DatabaseSync): Map<number, string> {
  const rows = connection
    .prepare(
      `SELECT rootpage, lower(tbl_name) AS name FROM sqlite_schema
       WHERE rootpage > 0 AND tbl_name NOT LIKE 'sqlite~_%' ESCAPE '~' AND lower(tbl_name) NOT IN
         (SELECT lower(name) FROM pragma_table_list WHERE schema = 'main' AND type = 'shadow')`,
    )
    .all() as unknown as { readonly rootpage: number; readonly name: string }[];
  return new Map(rows.map(({ rootpage, name }) => [rootpage, name]));
}

function authorizedOf(connection: DatabaseSync, sql: string): Authorized {
  const reads = new Set<string>();
  const functions = new Set<string>();
  let writes = false;
  connection.setAuthorizer((action, first, second) => {
    if (action === constants.SQLITE_READ && first !== null) reads.add(first.toLowerCase());
    if (action === constants.SQLITE_FUNCTION && second !== null)
      functions.add(second.toLowerCase());
    writes ||= WRITES.has(action);
    return constants.SQLITE_OK;
  });
  try {
    connection.prepare(sql);
  } finally {
    connection.setAuthorizer(null);
  }
  return { reads, functions, writes };
}
