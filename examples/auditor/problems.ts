/**
 * What is wrong with rows of an input: exact totals for each reason, and the first few rows as
 * examples, so that a file of broken rows does not fill the memory.
 */

/** Enough to mend a file by hand; whoever has more broken rows needs the totals. */
const PROBLEMS_KEPT_MAX = 1_000;

/** One value that cannot be used. */
export interface Problem {
  /** Line of the file, the first being 1; the row's id when the input is a database. */
  readonly line: number;
  readonly column: string;
  readonly value: string;
  /** Completes the sentence that begins with the value. */
  readonly reason: string;
}

/** The rows that share a reason. */
export interface ProblemTotal {
  readonly column: string;
  readonly reason: string;
  readonly rows: number;
}

/** A finished list. */
export interface ProblemReport {
  /** Rows with at least one problem. */
  readonly rows: number;
  /** By reason, the most frequent first; a row with two problems counts for both. */
  readonly totals: readonly ProblemTotal[];
  /** The first problems, in the order of the input; at most 1,000. */
  readonly first: readonly Problem[];
}

/** Collects problems row by row. */
export class Problems {
  readonly #first: Problem[] = [];
  readonly #totals = new Map<string, { column: string; reason: string; rows: number }>();
  #rows = 0;

  /** Adds the problems of one row; none at all adds nothing. */
  addRow(problems: readonly Problem[]): void {
    if (problems.length > 0) this.#rows++;
    for (const problem of problems) {
      if (this.#first.length < PROBLEMS_KEPT_MAX) this.#first.push(problem);
      const { column, reason } = problem;
      const key = `${column}\0${reason}`;
      const total = this.#totals.get(key);
      if (total === undefined) this.#totals.set(key, { column, reason, rows: 1 });
      else total.rows++;
    }
  }

  report(): ProblemReport {
    const totals = [...this.#totals.values()].sort((a, b) => b.rows - a.rows);
    return { rows: this.#rows, totals, first: this.#first };
  }
}
