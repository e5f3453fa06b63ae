/** What a command knows of the process it runs in, so that it can be tested without one. */

import type { Clock } from "../core/clock.ts";

/** Where a command reads from and writes to. */
export interface Terminal {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Writes a result. */
  out(text: string): void;
  /** Writes what is not a result: errors, questions, progress. */
  err(text: string): void;
  /** Whether results may be coloured. */
  readonly color: boolean;
  /** Width of the screen that progress is drawn on; undefined when nobody looks. */
  readonly progressColumns: number | undefined;
  /** Asks a question and waits for the line; undefined when there is nobody to answer. */
  readonly ask: ((question: string) => Promise<string>) | undefined;
  /** Fires on Ctrl-C. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
}
