/**
 * What makes the log of changes whole: a look at the file, the triggers that it lacks, and the test
 * of those. All of it in the thread that holds the write lock, so that nobody waits for a thread
 * that has other things to do.
 */

import { type Coverage, coverageOf } from "../capture/coverage.ts";
import { logSelfTest } from "../capture/log-self-test.ts";
import { HAS_LOG, SELECT_SHAPES, toShape } from "../capture/log-tables.ts";
import { fileTables, STRUCTURE_QUERIES, type StructureRows } from "../capture/table-structure.ts";
import { SpringhouseError } from "../core/errors.ts";
import type { Connection } from "./connection.ts";
import { undoSavepoint } from "./savepoint.ts";

/** How the tables are logged; the connection must be in a transaction. */
export function coverageOn(connection: Connection): Coverage {
  const rows = Object.fromEntries(
    Object.entries(STRUCTURE_QUERIES).map(([name, sql]) => [name, connection.askAll(sql)]),
  ) as unknown as StructureRows;
  const hasLog = connection.ask(HAS_LOG).length > 0;
  return coverageOf(fileTables(rows), hasLog ? connection.askAll(SELECT_SHAPES).map(toShape) : []);
}

/** Makes what the log lacks, in a write transaction. */
export function completeLog(connection: Connection): void {
  for (const sql of coverageOn(connection).statements) connection.run({ sql, parameters: [] });
}

/** Proves on the SQLite that runs what the triggers rely on; leaves nothing behind. */
export function testLog(connection: Connection): void {
  const { statements, query } = logSelfTest();
  connection.control(`SAVEPOINT ${SAVEPOINT}`);
  try {
    for (const sql of statements) connection.run({ sql, parameters: [] });
    const [verdict] = connection.ask(query);
    if (verdict === 1) return;
  } finally {
    undoSavepoint(connection, SAVEPOINT);
  }
  throw new SpringhouseError(
    "ASSERTION",
    "The triggers of this SQLite do not fire as they must for the log of changes to be whole.",
  );
}

const SAVEPOINT = "log_test";
