/** What the advisor says: plain data, ready for `--json`. */

/** A statement of the workload, before and after. */
export interface Proof {
  readonly sql: string;
  /** How often the workload runs it. */
  readonly count: number;
  readonly planBefore: readonly string[];
  readonly planAfter: readonly string[];
  readonly beforeMs: number;
  /** The statement was stopped: it takes longer than `beforeMs`. */
  readonly beforeIsAtLeast: boolean;
  readonly afterMs: number;
}

/** An index to make or to drop, and what was measured. */
export interface Advice {
  readonly action: "create" | "drop";
  readonly reason: "missing" | "duplicate" | "prefix" | "unused";
  readonly index: string;
  readonly table: string;
  readonly columns: readonly string[];
  /** One sentence for people. */
  readonly message: string;
  /** Time of the statements before ÷ after, as often as the workload runs them. */
  readonly speedup: number;
  readonly proofs: readonly Proof[];
  /** Size of the index in the database; of a sample it is scaled up. */
  readonly bytes: number;
  /** What the index adds to each row that is deleted and inserted again, in microseconds. */
  readonly writeUsPerRow: number;
  /** How long it takes to make or drop the index. */
  readonly buildMs: number;
  readonly up: string;
  readonly down: string;
}

/** A statement that is slow on average, and why. */
export interface SlowStatement {
  readonly sql: string;
  readonly count: number;
  readonly meanMs: number;
  readonly plan: readonly string[];
}

/** What was looked at and what came of it. */
export interface AdviceReport {
  readonly path: string;
  readonly statements: number;
  readonly advice: readonly Advice[];
  readonly slow: readonly SlowStatement[];
  /** Statements that could not be used, and why; they are among `rejected` too. */
  readonly unusable: readonly { readonly what: string; readonly reason: string }[];
  /** What was not measured, or did not pay, and why. */
  readonly rejected: readonly { readonly what: string; readonly reason: string }[];
  /** Undefined when nothing had to be measured. */
  readonly measuredOn: "sample" | "copy" | undefined;
  readonly ms: number;
}
