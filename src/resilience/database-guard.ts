/**
 * A guard around a database. Most errors of a database are answers: a circuit that opens because of
 * rows that exist already, or of a statement with a typing error, would take a sound database away
 * from everybody. A lock that somebody holds is waited for, and says nothing against the database.
 */

import { type ErrorCode, SpringhouseError } from "../core/errors.ts";
import { refuseUnknownKeys } from "../core/options.ts";
import { type Guard, guard } from "./guard.ts";
import type { ErrorKind, GuardOptions } from "./options.ts";

/** Options of a guard; what an error means is known. */
export type DatabaseGuardOptions = Omit<GuardOptions, "isFailure" | "classify">;

/** Every code that is no answer. */
const KINDS: Partial<Readonly<Record<ErrorCode, ErrorKind>>> = {
  // Nothing was begun: there was no lock, no connection, no place in the queue.
  BUSY: "busy",
  POOL_TIMEOUT: "busy",
  // Whether a write was done is unknown, or it cannot be done as long as nobody helps.
  CORRUPT: "broken",
  DISK_FULL: "broken",
  IO: "broken",
  NOT_A_DATABASE: "broken",
  UNOPENABLE: "broken",
  WORKER_DIED: "broken",
};

/** What an error of a database means. Errors of others are answers. */
export function classifyDatabaseError(error: unknown): ErrorKind {
  return error instanceof SpringhouseError ? (KINDS[error.code] ?? "answer") : "answer";
}

const KEYS = ["name", "timeout", "retry", "circuitBreaker", "bulkhead"];

/**
 * A guard for calls of a database, with `retry` and `circuitBreaker` unless they are given.
 *
 * Say `isRepeatable: false` with a write that may not be done twice and has a `timeout`.
 *
 * @throws `INVALID_ARGUMENT` for options that cannot work.
 * @example
 * const safe = databaseGuard({ bulkhead: { maxConcurrent: 50 } });
 * await safe.execute(() => db.repository(Task).create({ title: "Write" }));
 */
export function databaseGuard(options: DatabaseGuardOptions = {}): Guard {
  refuseUnknownKeys(options, KEYS, "databaseGuard");
  const filled = { name: "database", retry: {}, circuitBreaker: {}, ...options };
  return guard({ ...filled, classify: classifyDatabaseError });
}
