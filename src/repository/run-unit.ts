/** Units of work as functions, which can be run again when somebody was faster. */

import { assertSignal, throwIfAborted } from "../core/abort.ts";
import { assertFunction } from "../core/arguments.ts";
import { isSpringhouseError, SpringhouseError } from "../core/errors.ts";
import { refuseUnknownKeys } from "../core/options.ts";
import type { Entity } from "../schema/types.ts";
import type { CallOptions } from "../store/store.ts";
import type { Scope } from "./scope.ts";
import { UnitOfWork } from "./unit-of-work.ts";

/** For `unitOfWork` with a function. */
export interface UnitSettings extends CallOptions {
  /**
   * How often the function is run again, with a new unit, when what it had read was changed before
   * it was committed. Of units that stand in each other's way at once one is committed each time.
   * Default: 0.
   */
  readonly retry?: number;
}

/** A unit that is in somebody's way so often is better a transaction. */
const RETRIES_MAX = 1_000;

/** Runs `run` with a unit and commits that, unless it has ended; gives what `run` gave. */
export async function runUnitOfWork<Entities extends readonly Entity[], T>(
  scope: Scope,
  run: (unit: UnitOfWork<Entities>) => Promise<T>,
  settings: UnitSettings,
): Promise<T> {
  assertFunction("unitOfWork: run", run);
  refuseUnknownKeys(settings, ["retry", "signal"], "unitOfWork");
  const { retry = 0, signal } = settings;
  assertSignal(signal);
  if (!Number.isSafeInteger(retry) || retry < 0 || retry > RETRIES_MAX) throw wrongRetry(retry);
  for (let left = retry; ; left--) {
    throwIfAborted(signal, "The unit of work");
    const unit = new UnitOfWork<Entities>(scope);
    try {
      return await runOnce(unit, run, signal === undefined ? {} : { signal });
    } catch (error) {
      if (left === 0 || unit.isPinned || !isSpringhouseError(error, "CONFLICT")) throw error;
    }
  }
}

async function runOnce<Entities extends readonly Entity[], T>(
  unit: UnitOfWork<Entities>,
  run: (unit: UnitOfWork<Entities>) => Promise<T>,
  call: CallOptions,
): Promise<T> {
  try {
    const result = await run(unit);
    if (!unit.hasEnded) await unit.commit(call);
    return result;
  } finally {
    if (!unit.hasEnded) unit.rollback();
  }
}

function wrongRetry(retry: unknown): SpringhouseError {
  const message = `unitOfWork: retry must be a whole number from 0 to ${RETRIES_MAX}.`;
  return new SpringhouseError("INVALID_ARGUMENT", message, { fields: { retry } });
}
