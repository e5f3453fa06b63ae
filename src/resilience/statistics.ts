/** What a guard counts. */

/**
 * "closed": calls go through. "open": they fail at once. "half-open": one is let through, and what
 * becomes of it decides.
 */
export type CircuitState = "closed" | "open" | "half-open";

/** Counters since the start or since `resetStatistics`. */
export interface GuardCounts {
  calls: number;
  successes: number;
  /** Calls that failed for whoever made them, those that were let go included. */
  failures: number;
  /** Calls that were given up by their signal. */
  aborted: number;
  /** Attempts after the first. */
  retries: number;
  /** Attempts that took too long. */
  timeouts: number;
  /** Calls that an open circuit let go. */
  rejectedByCircuit: number;
  /** Calls for which there was neither room nor a place to wait. */
  rejectedByBulkhead: number;
}

/** The counters, and how the guard is now. */
export interface GuardStatistics extends Readonly<GuardCounts> {
  /** "closed" without a circuit breaker. */
  readonly state: CircuitState;
  /** Calls under way. */
  readonly running: number;
  /** Calls that wait for a place. */
  readonly queued: number;
}

export function noGuardCounts(): GuardCounts {
  return {
    calls: 0,
    successes: 0,
    failures: 0,
    aborted: 0,
    retries: 0,
    timeouts: 0,
    rejectedByCircuit: 0,
    rejectedByBulkhead: 0,
  };
}
