/** What an import says when it is done. */

import type { ProblemReport } from "./problems.ts";

/** One input of an import: every row of it was imported or refused. */
export interface SourceReport {
  readonly name: string;
  /** The label of the week that it became; absent when it holds many. */
  readonly week?: string;
  readonly rowsRead: number;
  readonly rowsImported: number;
  readonly refused: ProblemReport;
  /** Rows that were imported although something about them is odd. */
  readonly warnings: ProblemReport;
}

/** A whole import. */
export interface ImportReport {
  readonly sources: readonly SourceReport[];
  /** Rows that were written. */
  readonly written: { readonly weeks: number; readonly tasks: number; readonly events: number };
}

/** For imports. */
export interface ImportOptions {
  /** Gives up, with nothing written. Default: none. */
  readonly signal?: AbortSignal;
  /** Told how many rows are read, of how many (0 when unknown). Default: none. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** A list without problems. */
export const NO_PROBLEMS: ProblemReport = { rows: 0, totals: [], first: [] };
