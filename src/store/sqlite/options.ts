/** Options of a SQLite store, validated and filled. */

import { refuseUnknownKeys } from "../../core/options.ts";
import { parseLocation, type SqliteLocation } from "../../sqlite/location.ts";
import type { Profile } from "../../sqlite/pragmas.ts";

/** How to open a SQLite store. */
export interface SqliteStoreOptions {
  /** `sqlite:app.db`, `sqlite:///app.db`, `sqlite::memory:`, or a parsed location. No default. */
  readonly url: string | SqliteLocation;
  /** `durable` for what must last, `fast` for caches. Default: "durable". */
  readonly profile?: Profile;
  /** Opens without a writer. Default: false. */
  readonly readOnly?: boolean;
  /** How long a write waits for another process, milliseconds. Default: 30,000. */
  readonly busyTimeoutMs?: number;
  /** How long an interactive transaction may last, milliseconds. Default: 5,000. */
  readonly transactionDeadlineMs?: number;
}

/** Options with nothing left open. */
export interface ResolvedSqliteStoreOptions {
  readonly location: SqliteLocation;
  readonly profile: Profile;
  readonly readOnly: boolean;
  readonly busyTimeoutMs: number;
  readonly transactionDeadlineMs: number;
}

const KEYS = ["url", "profile", "readOnly", "busyTimeoutMs", "transactionDeadlineMs"];

/**
 * Fills the defaults.
 *
 * @throws `INVALID_ARGUMENT` for an unknown key, `INVALID_URL` for a URL of another database.
 */
export function resolveSqliteStoreOptions(options: SqliteStoreOptions): ResolvedSqliteStoreOptions {
  refuseUnknownKeys(options, KEYS, "openSqliteStore");
  const { url } = options;
  return {
    location: typeof url === "string" ? parseLocation(url) : url,
    profile: options.profile ?? "durable",
    readOnly: options.readOnly ?? false,
    busyTimeoutMs: options.busyTimeoutMs ?? 30_000,
    transactionDeadlineMs: options.transactionDeadlineMs ?? 5_000,
  };
}
