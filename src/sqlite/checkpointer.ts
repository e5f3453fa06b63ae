/**
 * Moves committed pages from the write-ahead log into the database file, in the writer thread.
 *
 * SQLite's own checkpoint runs inside of whichever commit crosses a limit. Ours runs when the
 * writer is idle, and under load only when the log has grown. It is always PASSIVE, which waits
 * for nobody: RESTART and TRUNCATE stop writers until the slowest reader is gone. A PASSIVE
 * checkpoint reports success even when a reader kept it from going on, so the frames in the log
 * are compared with the frames that were moved.
 */

import type { Clock } from "../core/clock.ts";
import type { Connection } from "./connection.ts";

/** An idle writer clears a log of this many pages (4 MB) at once … */
const IDLE_FRAMES = 1_000;
/** … and any log when its oldest page is this old, so that backups and readers find it short. */
const AGE_MS_MAX = 1_000;
/** A busy writer interrupts itself for this many pages (8 MB); the pause stays near 10 ms. */
const BUSY_FRAMES = 2_000;
/** No commit for this long means idle. */
const IDLE_AFTER_MS = 20;
/** Looking at the log costs a few microseconds; this many commits share one look. */
const COMMITS_PER_LOOK = 16;
/** Pages that a reader may hold back before somebody is told (64 MB). */
const PINNED_FRAMES = 16_000;

/** The state of the log, in pages. */
export interface LogState {
  readonly frames: number;
  readonly checkpointed: number;
}

/** Keeps the log of one file short. */
export class Checkpointer {
  readonly #connection: Connection;
  readonly #clock: Clock;
  readonly #onPinned: (state: LogState) => void;
  #commits = 0;
  #dirtySinceMs: number | undefined;
  #lastCommitMs = 0;
  #timer: Disposable | undefined;
  #retryAtFrames = 0;
  #reported = false;

  constructor(connection: Connection, clock: Clock, onPinned: (state: LogState) => void) {
    this.#connection = connection;
    this.#clock = clock;
    this.#onPinned = onPinned;
  }

  /** Notes a commit; now and then has a look. Call outside of a transaction. */
  afterCommit(): void {
    const nowMs = this.#clock.monotonicMs();
    this.#lastCommitMs = nowMs;
    this.#dirtySinceMs ??= nowMs;
    this.#timer ??= this.#clock.schedule(() => this.#tick(), IDLE_AFTER_MS);
    if (++this.#commits % COMMITS_PER_LOOK !== 0) return;
    const { frames, checkpointed } = this.#look("NOOP");
    if (frames - checkpointed >= Math.max(BUSY_FRAMES, this.#retryAtFrames)) this.#checkpoint();
  }

  close(): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
  }

  /** Runs while commits are still to be moved. */
  #tick(): void {
    this.#timer = undefined;
    if (this.#dirtySinceMs === undefined) return;
    const nowMs = this.#clock.monotonicMs();
    const idle = nowMs - this.#lastCommitMs >= IDLE_AFTER_MS;
    if (idle && !this.#connection.inTransaction) {
      const { frames, checkpointed } = this.#look("NOOP");
      const old = nowMs - this.#dirtySinceMs >= AGE_MS_MAX;
      if (old || frames - checkpointed >= IDLE_FRAMES) this.#checkpoint();
    }
    if (this.#dirtySinceMs === undefined) return;
    const dueMs = idle ? this.#dirtySinceMs + AGE_MS_MAX - nowMs : IDLE_AFTER_MS;
    this.#timer = this.#clock.schedule(() => this.#tick(), Math.max(IDLE_AFTER_MS, dueMs));
  }

  #checkpoint(): void {
    const state = this.#look("PASSIVE");
    const left = state.frames - state.checkpointed;
    // A reader that holds the log back will not be gone at once: try again after some growth.
    this.#retryAtFrames = left === 0 ? 0 : left + IDLE_FRAMES;
    this.#dirtySinceMs = left === 0 ? undefined : this.#clock.monotonicMs();
    if (left < PINNED_FRAMES) this.#reported = false;
    else if (!this.#reported) {
      this.#reported = true;
      this.#onPinned(state);
    }
  }

  #look(mode: "NOOP" | "PASSIVE"): LogState {
    const [, frames, checkpointed] = this.#connection.ask(`PRAGMA wal_checkpoint(${mode})`);
    return { frames: Number(frames), checkpointed: Number(checkpointed) };
  }
}
