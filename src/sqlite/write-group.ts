/**
 * Group commit: many units, one transaction, one wait for the disk.
 *
 * Each unit stands under its own savepoint, so that one that fails takes nothing with it. Some
 * failures take the whole transaction all the same (`OR ROLLBACK`, a full disk, a deferred foreign
 * key at COMMIT); then everything is rolled back and the units run again one by one, in order,
 * each in a transaction of its own, so that only the guilty one fails. The same is done when a unit
 * could pass for what another one did (`deferred-keys.ts`).
 */

import { assert } from "../core/assert.ts";
import type { Connection } from "./connection.ts";
import type { CursorTable } from "./cursor-table.ts";
import type { DeferredKeys } from "./deferred-keys.ts";
import { toSpringhouseError } from "./errors.ts";
import type { Outcome } from "./group-wire.ts";
import type { WireResult } from "./protocol.ts";
import type { Statement } from "./values.ts";

type Unit = readonly Statement[];

/** Runs the units of one group; one outcome for each, in order. */
export function runGroup(
  connection: Connection,
  cursors: CursorTable,
  begin: () => void,
  units: readonly Unit[],
  keys: DeferredKeys,
): Outcome[] {
  // A unit alone needs no savepoint: its transaction is the savepoint.
  const isAlone = units.length === 1 || (keys.expected && keys.find());
  if (isAlone) return runSingly(connection, cursors, begin, units);
  try {
    begin();
  } catch (error) {
    const failed = { error: toSpringhouseError(error) };
    return units.map(() => failed);
  }
  const outcomes: Outcome[] = [];
  for (const unit of units) {
    outcomes.push(runUnit(connection, cursors, unit));
    if (!connection.inTransaction) return runSingly(connection, cursors, begin, units);
  }
  if (keys.find()) {
    rollBack(connection);
    return runSingly(connection, cursors, begin, units);
  }
  try {
    connection.control("COMMIT");
    return outcomes;
  } catch {
    rollBack(connection);
    return runSingly(connection, cursors, begin, units);
  }
}

function runSingly(
  connection: Connection,
  cursors: CursorTable,
  begin: () => void,
  units: readonly Unit[],
): Outcome[] {
  return units.map((unit) => {
    try {
      begin();
      const results = runStatements(connection, cursors, unit);
      connection.control("COMMIT");
      return { results };
    } catch (error) {
      rollBack(connection);
      return { error: toSpringhouseError(error) };
    }
  });
}

/** Runs one unit under a savepoint. */
function runUnit(connection: Connection, cursors: CursorTable, unit: Unit): Outcome {
  try {
    return { results: runUnderSavepoint(connection, cursors, unit) };
  } catch (error) {
    return { error: toSpringhouseError(error) };
  }
}

/**
 * Runs statements so that they leave no trace when one fails.
 *
 * @throws the error of the statement; the transaction may be gone as well (`inTransaction`).
 */
export function runUnderSavepoint(
  connection: Connection,
  cursors: CursorTable,
  unit: Unit,
): WireResult[] {
  connection.control("SAVEPOINT unit");
  try {
    const results = runStatements(connection, cursors, unit);
    connection.control("RELEASE unit");
    return results;
  } catch (error) {
    undoSavepoint(connection, "unit");
    throw error;
  }
}

/** Takes back what a savepoint holds, unless the transaction is gone already. */
export function undoSavepoint(connection: Connection, name: string): void {
  if (!connection.inTransaction) return;
  connection.control(`ROLLBACK TO ${name}`);
  connection.control(`RELEASE ${name}`);
}

/** Ends the transaction if there still is one. */
export function rollBack(connection: Connection): void {
  if (connection.inTransaction) connection.control("ROLLBACK");
}

function runStatements(connection: Connection, cursors: CursorTable, unit: Unit): WireResult[] {
  const results: WireResult[] = [];
  for (const statement of unit) {
    const startMs = performance.now();
    const result = connection.run(statement);
    assert(connection.inTransaction, "a statement ended its transaction without an error");
    results.push(cursors.wrap(result, performance.now() - startMs));
  }
  return results;
}
