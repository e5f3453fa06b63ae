/**
 * Transactions across repositories: everything that is done through `tx` happens together or not at
 * all, and its events are delivered when it has happened.
 */

import { assertSignal } from "../core/abort.ts";
import { assertFunction } from "../core/arguments.ts";
import { type Duration, parseDurationMs } from "../core/duration.ts";
import { refuseUnknownKeys } from "../core/options.ts";
import type { Entity } from "../schema/types.ts";
import type { CallOptions } from "../store/store.ts";
import type { EventsOf } from "./event-types.ts";
import { type Scope, transact } from "./scope.ts";
import { Workspace } from "./workspace.ts";

/** For `transaction`. */
export interface TransactionSettings extends CallOptions {
  /** How long the transaction may take until it is rolled back. Default: that of the database. */
  readonly deadline?: Duration;
}

/**
 * An open transaction. Every use after its end is `TRANSACTION_ENDED`.
 *
 * @example
 * await db.transaction(async (tx) => {
 *   const week = await tx.repository(Week).create({ label: "2025-W47" });
 *   await tx.repository(Task).create({ weekId: week.id, title: "Atlas" });
 *   tx.emit("statisticsUpdated", { weekId: week.id });
 * });
 */
export class Transaction<
  Entities extends readonly Entity[],
  Events extends object = EventsOf<Entities>,
> extends Workspace<Entities, Events> {
  /** A savepoint: when `run` rejects, what was done inside it is undone, and the rest stands. */
  transaction<T>(run: (inner: Transaction<Entities, Events>) => Promise<T>): Promise<T> {
    return runTransaction(this.scope, run);
  }
}

/**
 * Runs `run` in a transaction. It is committed when the promise of `run` resolves, and rolled back
 * when it rejects, with the same error.
 *
 * @throws `TRANSACTION_TIMEOUT` beyond the deadline; `TRANSACTION_REENTRY` inside another one.
 */
export function runTransaction<Entities extends readonly Entity[], Events extends object, T>(
  scope: Scope,
  run: (transaction: Transaction<Entities, Events>) => Promise<T>,
  settings: TransactionSettings = {},
): Promise<T> {
  refuseUnknownKeys(settings, ["deadline", "signal"], "transaction");
  assertFunction("transaction: run", run);
  const { deadline, signal } = settings;
  assertSignal(signal);
  const options = {
    ...(deadline === undefined ? {} : { deadlineMs: parseDurationMs(deadline, "deadline") }),
    ...(signal === undefined ? {} : { signal }),
  };
  return transact(scope, options, (inner) => run(new Transaction<Entities, Events>(inner)));
}
