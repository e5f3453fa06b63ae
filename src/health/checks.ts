/** All checks, in the order of a report. */

import { checkConnection, checkDisk } from "./checks/connection.ts";
import { checkLog } from "./checks/log.ts";
import { checkEventLoop, checkLocks, checkReaders, checkWriter } from "./checks/queues.ts";
import { checkBackups, checkIntegrity } from "./checks/safety.ts";
import { checkCaches, checkCircuits, checkSlowQueries, checkTables } from "./checks/usage.ts";
import type { HealthFinding } from "./report.ts";
import type { Round } from "./round.ts";

/** One check. */
export interface CheckDefinition {
  readonly name: string;
  /** Without it no request can be served. It must not use `Round.memory`. */
  readonly isForReadiness?: true;
  /** Undefined when there is nothing to look at. */
  run(round: Round): HealthFinding | undefined | Promise<HealthFinding | undefined>;
}

export const CHECKS: readonly CheckDefinition[] = [
  { name: "connection", isForReadiness: true, run: checkConnection },
  { name: "disk", isForReadiness: true, run: checkDisk },
  { name: "writer", isForReadiness: true, run: checkWriter },
  { name: "readers", run: checkReaders },
  { name: "locks", run: checkLocks },
  { name: "write-ahead log", run: checkLog },
  { name: "backups", run: checkBackups },
  { name: "integrity", run: checkIntegrity },
  { name: "slow queries", run: checkSlowQueries },
  { name: "caches", run: checkCaches },
  { name: "circuits", run: checkCircuits },
  { name: "event loop", run: checkEventLoop },
  { name: "tables", run: checkTables },
];
