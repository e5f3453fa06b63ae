/**
 * A progress line on standard error, drawn over itself, and only where somebody looks at it: a log
 * file gets nothing.
 */

import type { Clock } from "../core/clock.ts";
import { formatDuration } from "../core/duration.ts";
import type { Terminal } from "./terminal.ts";

/** How far something has come. */
export interface ProgressState {
  readonly label: string;
  readonly done: number;
  /** Undefined: not known, only the count is shown. */
  readonly total: number | undefined;
  readonly unit: string;
  readonly perSecond?: number | undefined;
  readonly etaMs?: number | undefined;
}

/** The eye needs no more than ten a second, and drawing costs the work its time. */
const REDRAW_MS = 100;
const BAR_CELLS = 24;
const CLEAR_LINE = "\r\x1b[K";

/** The line of one piece of work. */
export class ProgressLine implements Disposable {
  readonly #terminal: Terminal;
  readonly #clock: Clock;
  #drawnMs = Number.NEGATIVE_INFINITY;
  #drawn = false;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
    this.#clock = terminal.clock;
  }

  /** Draws the state, unless the last one was drawn a moment ago. */
  show(state: ProgressState): void {
    const columns = this.#terminal.progressColumns;
    if (columns === undefined) return;
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#drawnMs < REDRAW_MS && state.done !== state.total) return;
    this.#drawnMs = nowMs;
    this.#drawn = true;
    this.#terminal.err(CLEAR_LINE + formatProgress(state).slice(0, columns - 1));
  }

  /** Removes the line, so that a message can stand there. */
  clear(): void {
    if (this.#drawn) this.#terminal.err(CLEAR_LINE);
    this.#drawn = false;
  }

  [Symbol.dispose](): void {
    this.clear();
  }
}

/** One line: label, bar, percentage, count, speed, time to go. */
export function formatProgress(state: ProgressState): string {
  const { label, done, total, unit, perSecond, etaMs } = state;
  const parts = [label];
  if (total !== undefined) {
    const share = total === 0 ? 1 : Math.min(1, done / total);
    const filled = Math.round(share * BAR_CELLS);
    parts.push(`${"█".repeat(filled)}${"░".repeat(BAR_CELLS - filled)}`);
    parts.push(`${Math.floor(share * 100)} %`);
  }
  const count = done.toLocaleString("en");
  parts.push(`${count}${total === undefined ? "" : `/${total.toLocaleString("en")}`} ${unit}`);
  if (perSecond !== undefined) {
    parts.push(`${Math.round(perSecond).toLocaleString("en")} ${unit}/s`);
  }
  if (etaMs !== undefined) parts.push(`${formatDuration(etaMs)} to go`);
  return parts.join("  ");
}
