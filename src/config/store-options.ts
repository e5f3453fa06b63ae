/** The part of a configuration that says how to open a database, in the words of the store. */

import type { SqliteStoreOptions } from "../store/sqlite/options.ts";
import type { Config } from "./config.ts";

/** Options of `openSqliteStore`. */
export function storeOptions({ database }: Pick<Config, "database">): SqliteStoreOptions {
  const { pool } = database;
  return {
    url: database.url,
    readOnly: database.readOnly,
    profile: database.profile,
    busyTimeoutMs: database.busyTimeout,
    transactionDeadlineMs: database.transactionDeadline,
    snapshotMaxAgeMs: database.snapshotMaxAge,
    slowQueryThresholdMs: database.slowQueryThreshold,
    echo: database.echo,
    pool: {
      minSize: pool.minSize,
      maxSize: pool.maxSize,
      connectionTimeoutMs: pool.connectionTimeout,
      idleTimeoutMs: pool.idleTimeout,
      maxLifetimeMs: pool.maxLifetime,
      leakDetectionThresholdMs: pool.leakDetectionThreshold,
    },
  };
}
