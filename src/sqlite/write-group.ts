/**
 * Group commit: many units, one transaction, one wait for the disk.
 *
 * Each unit stands under its own savepoint, so that one that fails takes nothing with it. Some
 * failures take the whole transaction all the same (`OR ROLLBACK`, a full disk, a deferred foreign
 * key at COMMIT); then everything is rolled back and the units run again one by one, in order,
 * each in a transaction of its own, so that only the guilty one fails. The same is done when a unit
 * could pass for what another one did (`deferred-keys.ts`).
 *
 * What a unit expects is judged when its turn comes, so that what units before it wrote counts.
 *
 * While another process holds the lock, units that have waited long enough fail. The outcomes end
 * with them, so that they are told at once, and the rest is sent again and goes on waiting.
 */

import { assert } from "../core/assert.ts";
import { SpringhouseError } from "../core/errors.ts";
import { runClearingTheWay } from "./altered-table.ts";
import type { Connection } from "./connection.ts";
import type { CursorTable } from "./cursor-table.ts";
import type { DeferredKeys } from "./deferred-keys.ts";
import { toSpringhouseError } from "./errors.ts";
import type { Outcome } from "./group-wire.ts";
import type { WireResult } from "./protocol.ts";
import { rollBack, undoSavepoint } from "./savepoint.ts";
import type { Statement } from "./values.ts";

type Unit = readonly Statement[];

/** The way of units into a transaction. */
export interface Gate {
  /**
   * Begins a transaction for the units from `first` to before `end`.
   *
   * @throws `BUSY` when `first` has waited long enough, `ABORTED` when nobody waits for any.
   */
  begin(first: number, end: number): void;
  /** Called when the transaction has begun; false when the unit was given up before. */
  claim(unit: number): boolean;
  /**
   * Called before the first statement of a unit, in its transaction.
   *
   * @throws `CONFLICT` when what the unit expects does not hold.
   */
  check(unit: number): void;
  /** Whether the unit has waited long enough for the lock. */
  isOverdue(unit: number): boolean;
  commit(): void;
}

/** Runs the units of one group; one outcome for each of the first ones, one of them at least. */
export function runGroup(
  connection: Connection,
  cursors: CursorTable,
  gate: Gate,
  units: readonly Unit[],
  keys: DeferredKeys,
): Outcome[] {
  // A unit alone needs no savepoint: its transaction is the savepoint.
  const isAlone = units.length === 1 || (keys.expected && keys.find());
  const again = (): Outcome[] => runSingly(connection, cursors, gate, units);
  if (isAlone) return again();
  const outcomes: Outcome[] = [];
  try {
    gate.begin(0, units.length);
  } catch (error) {
    return refuseWaiting(outcomes, toSpringhouseError(error), gate, units.length);
  }
  for (const [index, unit] of units.entries()) {
    const claimed = gate.claim(index);
    outcomes.push(claimed ? runUnit(connection, cursors, gate, index, unit) : withdrawn());
    if (!connection.inTransaction) return again();
  }
  if (keys.find()) {
    rollBack(connection);
    return again();
  }
  try {
    gate.commit();
    return outcomes;
  } catch {
    rollBack(connection);
    return again();
  }
}

function runSingly(
  connection: Connection,
  cursors: CursorTable,
  gate: Gate,
  units: readonly Unit[],
): Outcome[] {
  const outcomes: Outcome[] = [];
  for (const [index, unit] of units.entries()) {
    try {
      gate.begin(index, index + 1);
    } catch (error) {
      const failure = toSpringhouseError(error);
      if (failure.code === "BUSY") return refuseWaiting(outcomes, failure, gate, units.length);
      outcomes.push({ error: failure });
      continue;
    }
    outcomes.push(runInTransaction(connection, cursors, gate, index, unit));
  }
  return outcomes;
}

/** Runs one unit in the transaction that was begun for it, unless it was given up. */
function runInTransaction(
  connection: Connection,
  cursors: CursorTable,
  gate: Gate,
  index: number,
  unit: Unit,
): Outcome {
  try {
    if (!gate.claim(index)) throw withdrawn().error;
    gate.check(index);
    const results = runStatements(connection, cursors, unit);
    gate.commit();
    return { results };
  } catch (error) {
    rollBack(connection);
    return { error: toSpringhouseError(error) };
  }
}

/** Adds the failure of a BEGIN: that of all units, or, when it was in vain, of the overdue ones. */
function refuseWaiting(
  outcomes: Outcome[],
  error: SpringhouseError,
  gate: Gate,
  count: number,
): Outcome[] {
  const mayWait = error.code === "BUSY";
  do outcomes.push({ error });
  while (outcomes.length < count && !(mayWait && !gate.isOverdue(outcomes.length)));
  return outcomes;
}

/** What nobody sees: the caller was told when it gave up. */
export function withdrawn(): { readonly error: SpringhouseError } {
  return { error: new SpringhouseError("ABORTED", "The write was aborted before it began.") };
}

/** Runs one unit under a savepoint. */
function runUnit(
  connection: Connection,
  cursors: CursorTable,
  gate: Gate,
  index: number,
  unit: Unit,
): Outcome {
  try {
    gate.check(index);
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

function runStatements(connection: Connection, cursors: CursorTable, unit: Unit): WireResult[] {
  const results: WireResult[] = [];
  for (const statement of unit) {
    const startMs = performance.now();
    const result = runClearingTheWay(connection, statement);
    assert(connection.inTransaction, "a statement ended its transaction without an error");
    results.push(cursors.wrap(result, performance.now() - startMs));
  }
  return results;
}
