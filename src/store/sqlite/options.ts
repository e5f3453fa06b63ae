/** Options of a SQLite store, validated and filled. */

import { refuseUnknownKeys } from "../../core/options.ts";
import { parseLocation, type SqliteLocation } from "../../sqlite/location.ts";
import { assertMilliseconds } from "../../sqlite/milliseconds.ts";
import { DATABASE_OPTION_KEYS, type DatabaseOptions } from "../../sqlite/options.ts";

/** How to open a SQLite store. */
export interface SqliteStoreOptions extends DatabaseOptions {
  /** `sqlite:app.db`, `sqlite:///app.db`, `sqlite::memory:`, or a parsed location. No default. */
  readonly url: string | SqliteLocation;
  /** How long an interactive transaction may last, milliseconds. Default: 5,000. */
  readonly transactionDeadlineMs?: number;
}

/** Options with nothing left open; those of the file are resolved where it is opened. */
export interface ResolvedSqliteStoreOptions {
  readonly location: SqliteLocation;
  readonly database: DatabaseOptions;
  readonly transactionDeadlineMs: number;
}

/**
 * Fills the defaults.
 *
 * @throws `INVALID_ARGUMENT` for an unknown key, `INVALID_URL` for a URL of another database.
 */
export function resolveSqliteStoreOptions(options: SqliteStoreOptions): ResolvedSqliteStoreOptions {
  const keys = ["url", "transactionDeadlineMs", ...DATABASE_OPTION_KEYS];
  refuseUnknownKeys(options, keys, "openSqliteStore");
  const { url, transactionDeadlineMs = 5_000, ...database } = options;
  assertMilliseconds("transactionDeadlineMs", transactionDeadlineMs);
  const location = typeof url === "object" ? url : parseLocation(url);
  return { location, database, transactionDeadlineMs };
}
