/** What a proof has counted. */

export interface CoherenceCounts {
  /** Schemas that were tried. */
  cases: number;
  commits: number;
  /** Results in the cache that were compared with the database after a commit. */
  checks: number;
  /** Of these, results that were there before the commit: hits. */
  hits: number;
  /** Results of calls that were compared with the states during the call. */
  reads: number;
  /** Results that a commit has dropped. */
  invalidations: number;
  /** Of these, results that the commit did change. */
  changed: number;
  /** Queries that the cache would not keep. */
  notKept: number;
  /** Queries that SQLite refused. */
  failing: number;
}

/** All zero. */
export function noCounts(): CoherenceCounts {
  return {
    cases: 0,
    commits: 0,
    checks: 0,
    hits: 0,
    reads: 0,
    invalidations: 0,
    changed: 0,
    notKept: 0,
    failing: 0,
  };
}

/** The share of drops that were for nothing. */
export function falseInvalidationRatio({ invalidations, changed }: CoherenceCounts): number {
  return invalidations === 0 ? 0 : (invalidations - changed) / invalidations;
}
