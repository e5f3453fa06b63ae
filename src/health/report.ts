/** What a look at the health of a database and its surroundings gives. */

/** From best to worst. "warning" needs somebody to look at it; "unhealthy" needs it now. */
export type HealthStatus = "healthy" | "warning" | "unhealthy";

/** What one check found. */
export interface HealthFinding {
  readonly status: HealthStatus;
  /** In words. May name files and statements, never parameters of statements. */
  readonly found: string;
  /** What to do; only when something is to be done. */
  readonly advice?: string | undefined;
  /** The figures behind it, by name with the unit last: `freeBytes`, `ageMs`. */
  readonly values?: Readonly<Record<string, number>>;
}

/** One check of a report. */
export interface HealthCheck extends HealthFinding {
  readonly name: string;
}

/** What was counted since the database was opened. */
export interface HealthCounters {
  readonly queries: number;
  /** In the window of `slowQueryWindow`. */
  readonly slowQueries: number;
  /** Looks that could not read from the database. */
  readonly connectionErrors: number;
}

/** All checks at one moment. */
export interface HealthReport {
  /** That of the worst check. */
  readonly status: HealthStatus;
  /** Whether requests can be served: no check that this depends on is unhealthy. */
  readonly ready: boolean;
  /** ISO 8601, UTC. */
  readonly timestamp: string;
  readonly checks: readonly HealthCheck[];
  readonly counters: HealthCounters;
}

const ORDER: readonly HealthStatus[] = ["healthy", "warning", "unhealthy"];

/** A number for metrics: 0 healthy, 1 warning, 2 unhealthy. */
export function severityOf(status: HealthStatus): number {
  return ORDER.indexOf(status);
}

/** The worst of them: a warning never hides what is worse. Healthy when there are none. */
export function worstOf(statuses: readonly HealthStatus[]): HealthStatus {
  return ORDER[Math.max(0, ...statuses.map(severityOf))] ?? "healthy";
}
