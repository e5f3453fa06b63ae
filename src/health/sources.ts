/** What health looks at. Each source is optional: what is not given is not checked. */

import type { CacheStatistics } from "../cache/statistics.ts";
import type { CachedStatistics } from "../coherence/statistics.ts";
import type { GuardStatistics } from "../resilience/statistics.ts";
import type { DatabaseVitals } from "../sqlite/describe.ts";
import type { QueryStatistics } from "../sqlite/query-log.ts";
import type { SlowQuery } from "../sqlite/slow-queries.ts";
import type { CallOptions, ResultSet, Statement } from "../store/store.ts";
import type { HealthFinding } from "./report.ts";

/** A database; `SqliteStore` is one. */
export interface HealthDatabase {
  vitals(): DatabaseVitals;
  read(statement: Statement, options?: CallOptions): Promise<ResultSet>;
  write(unit: readonly Statement[]): Promise<readonly ResultSet[]>;
  queryStatistics(): QueryStatistics;
  slowQueries(windowMs: number): readonly SlowQuery[];
}

/** A cache; what `createCache` gives is one. */
export interface HealthCache {
  cacheStatistics(): CacheStatistics;
}

/** A guard; what `guard` gives is one. */
export interface HealthGuard {
  readonly name: string;
  statistics(): GuardStatistics;
}

/** What must be known of a backup. */
export interface HealthBackup {
  readonly name: string;
  /** The state of the database that it holds. */
  readonly createdMs: number | undefined;
  /** Whether it has been restored and compared; undefined when nobody has tried. */
  readonly verified: boolean | undefined;
}

/** Where the backups are. */
export interface HealthBackups {
  /** The newest first. */
  list(): Promise<readonly HealthBackup[]>;
  /** Bytes that they take, with everything that belongs to them. */
  sizeBytes(): Promise<number>;
  /** The folder, when they are on a disk of this machine. */
  readonly directory?: string;
}

/** A check of the application's own. It may throw; the signal fires when it takes too long. */
export type HealthProbe = (signal: AbortSignal) => HealthFinding | Promise<HealthFinding>;

/** All of them. */
export interface HealthSources {
  readonly database?: HealthDatabase | undefined;
  /** What has become of the results of cached functions; undefined when there are none. */
  readonly results?: (() => CachedStatistics | undefined) | undefined;
  readonly caches?: Readonly<Record<string, HealthCache>> | undefined;
  readonly guards?: readonly HealthGuard[] | undefined;
  readonly backups?: HealthBackups | undefined;
  readonly probes?: Readonly<Record<string, HealthProbe>> | undefined;
}
