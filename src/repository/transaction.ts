/**
 * Transactions across repositories: everything that is done through `tx` happens together or not at
 * all, and its events are delivered when it has happened.
 */

import { assertSignal } from "../core/abort.ts";
import { assertFunction } from "../core/arguments.ts";
import { type Duration, parseDurationMs } from "../core/duration.ts";
import { SpringhouseError } from "../core/errors.ts";
import { refuseUnknownKeys } from "../core/options.ts";
import type { Entity } from "../schema/types.ts";
import type { CallOptions, TransactionOptions } from "../store/store.ts";
import type { EventsOf } from "./event-types.ts";
import { type Scope, transact } from "./scope.ts";
import { Workspace } from "./workspace.ts";

/** For `transaction`. */
export interface TransactionSettings extends CallOptions {
  /** How long the transaction may take until it is rolled back. Default: that of the database. */
  readonly deadline?: Duration;
}

/** Whether a transaction is still open, for what the store does not see. */
interface Life {
  isEnded: boolean;
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
  readonly #life: Life;

  constructor(scope: Scope, life: Life) {
    super(scope);
    this.#life = life;
  }

  /** Raises an event of the program's own; it is delivered after the outermost commit. */
  override emit<Name extends keyof Events & string>(name: Name, event: Events[Name]): void {
    if (this.#life.isEnded) {
      const message =
        `The event "${name}" was raised after the end of its transaction, with which it would be ` +
        "delivered. Raise it before, or by `db.emit`.";
      throw new SpringhouseError("TRANSACTION_ENDED", message, { fields: { event: name } });
    }
    super.emit(name, event);
  }

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
  return lead(scope, run, options);
}

async function lead<Entities extends readonly Entity[], Events extends object, T>(
  scope: Scope,
  run: (transaction: Transaction<Entities, Events>) => Promise<T>,
  options: TransactionOptions,
): Promise<T> {
  const life: Life = { isEnded: false };
  try {
    return await transact(scope, options, async (inner) => {
      try {
        return await run(new Transaction<Entities, Events>(inner, life));
      } finally {
        life.isEnded = true;
      }
    });
  } finally {
    // At its deadline a transaction ends before the function that leads it does.
    life.isEnded = true;
  }
}
