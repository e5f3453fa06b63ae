/** What the tests of health share: a database that is as they say, and looks at it. */

import { onTestFinished } from "vitest";
import { createHealth, type Health, type HealthEnvironment } from "../../src/health/health.ts";
import type { CreateHealthOptions } from "../../src/health/options.ts";
import type { HealthCheck, HealthReport } from "../../src/health/report.ts";
import type { HealthDatabase } from "../../src/health/sources.ts";
import type { DatabaseVitals } from "../../src/sqlite/describe.ts";
import type { SlowQuery } from "../../src/sqlite/slow-queries.ts";
import { openSqliteStore, type SqliteStore } from "../../src/store/sqlite/store.ts";
import { FakeClock } from "../../src/testing/fake-clock.ts";
import { sql, temporaryPath } from "../sqlite/support.ts";

export { FakeClock, sql, temporaryPath };

const GB = 1_024 ** 3;
/** A disk with room, on which everything is. */
export const roomyDisk = async () => ({ device: "1", freeBytes: 50 * GB, totalBytes: 100 * GB });

/** A part of the vitals, for a fault. */
export interface Fault {
  readonly vitals?: Partial<Omit<DatabaseVitals, "pool" | "writer">>;
  readonly pool?: Partial<DatabaseVitals["pool"]>;
  readonly writer?: Partial<DatabaseVitals["writer"]>;
  readonly slow?: readonly SlowQuery[];
}

const SOUND: DatabaseVitals = {
  path: "/data/app.db",
  readOnly: false,
  isInPlace: true,
  sizeBytes: 8_192,
  walBytes: 0,
  pageSizeBytes: 4_096,
  pages: 2,
  freePages: 0,
  log: { frames: 0, checkpointed: 0 },
  pool: {
    size: 2,
    idle: 2,
    inUse: 0,
    waiting: 0,
    oldestLoanMs: 0,
    acquired: 9,
    timeouts: 0,
    meanAcquisitionMs: 0,
    created: 2,
    retired: 0,
    died: 0,
    leaks: 0,
  },
  writer: {
    waiting: 0,
    waitingMs: 0,
    busyMs: 0,
    served: 4,
    waitedMs: 2_000,
    waits: [1, 0, 2, 0, 0, 0, 1, 0, 0],
    busyErrors: 0,
    lockWaits: 0,
    deaths: 0,
  },
};

/** A database whose reads give nothing and whose vitals are as they are told. */
export class SaidDatabase implements HealthDatabase {
  fault: Fault = {};

  vitals(): DatabaseVitals {
    const { vitals, pool, writer } = this.fault;
    return {
      ...SOUND,
      ...vitals,
      pool: { ...SOUND.pool, ...pool },
      writer: { ...SOUND.writer, ...writer },
    };
  }

  async read(): ReturnType<HealthDatabase["read"]> {
    return { columns: [], rows: [], changes: 0 };
  }

  async write(): ReturnType<HealthDatabase["write"]> {
    return [];
  }

  queryStatistics(): ReturnType<HealthDatabase["queryStatistics"]> {
    return { total: 12, totalMs: 340, queries: [] };
  }

  slowQueries(): readonly SlowQuery[] {
    return this.fault.slow ?? [];
  }
}

/** Looks after something until the test is over. */
export function lookAfter(
  options: CreateHealthOptions,
  environment: HealthEnvironment = {},
): Health {
  const health = createHealth(
    { eventLoop: false, ...options },
    { clock: new FakeClock(), diskSpaceOf: roomyDisk, random: () => 0.5, ...environment },
  );
  onTestFinished(() => health.close());
  return health;
}

/** A real database. */
export async function openStore(clock?: FakeClock): Promise<SqliteStore> {
  const url = `sqlite:${temporaryPath()}`;
  const store = await openSqliteStore({ url }, clock === undefined ? undefined : { clock });
  onTestFinished(() => store.close());
  await store.write([sql("CREATE TABLE t (id INTEGER PRIMARY KEY, text TEXT)")]);
  return store;
}

/** The finding of one check. */
export function findingOf({ checks }: HealthReport, name: string): HealthCheck {
  const check = checks.find((one) => one.name === name);
  if (check === undefined) throw new Error(`There is no check ${name}.`);
  return check;
}
