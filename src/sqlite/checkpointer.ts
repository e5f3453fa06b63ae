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
import { messageOf } from "../core/errors.ts";
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

/** What keeps the log from being cleared. */
export type LogTrouble =
  | ({ readonly kind: "pinned" } & LogState)
  | { readonly kind: "failed"; readonly message: string }
  /** At close: the log stays beside the file, with commits that are only in it. */
  | { readonly kind: "left"; readonly message: string };

/** Keeps the log of one file short. Never throws: the commits before it have succeeded. */
export class Checkpointer {
  readonly #connection: Pick<Connection, "ask" | "inTransaction">;
  readonly #clock: Clock;
  readonly #onTrouble: (trouble: LogTrouble) => void;
  #commits = 0;
  #dirtySinceMs: number | undefined;
  #lastCommitMs = 0;
  #timer: Disposable | undefined;
  #retryAtFrames = 0;
  #reported = false;

  constructor(
    connection: Pick<Connection, "ask" | "inTransaction">,
    clock: Clock,
    onTrouble: (trouble: LogTrouble) => void,
  ) {
    this.#connection = connection;
    this.#clock = clock;
    this.#onTrouble = onTrouble;
  }

  /** Notes a commit; now and then has a look. Call outside of a transaction. */
  afterCommit(): void {
    const nowMs = this.#clock.monotonicMs();
    this.#lastCommitMs = nowMs;
    this.#dirtySinceMs ??= nowMs;
    this.#timer ??= this.#clock.schedule(() => this.#tick(), IDLE_AFTER_MS);
    if (++this.#commits % COMMITS_PER_LOOK !== 0) return;
    this.#guard(() => {
      if (this.#left() >= Math.max(BUSY_FRAMES, this.#retryAtFrames)) this.#checkpoint();
    });
  }

  close(): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
  }

  /** The last one. TRUNCATE leaves one file to copy, unless another process uses the log. */
  finish(): void {
    this.close();
    try {
      this.#connection.ask("PRAGMA wal_checkpoint(TRUNCATE)");
    } catch (error) {
      this.#onTrouble({ kind: "left", message: reasonOf(error) });
    }
  }

  /** Runs while commits are still to be moved. */
  #tick(): void {
    this.#timer = undefined;
    if (this.#dirtySinceMs === undefined) return;
    const nowMs = this.#clock.monotonicMs();
    const idle = nowMs - this.#lastCommitMs >= IDLE_AFTER_MS;
    const old = nowMs - this.#dirtySinceMs >= AGE_MS_MAX;
    if (idle && !this.#connection.inTransaction) {
      this.#guard(() => {
        if (old || this.#left() >= IDLE_FRAMES) this.#checkpoint();
      });
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
    else this.#report({ kind: "pinned", ...state });
  }

  /** A full disk, or a file that was taken away: tried again at the next tick. */
  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#dirtySinceMs = this.#clock.monotonicMs();
      this.#report({ kind: "failed", message: reasonOf(error) });
    }
  }

  /** Once until it has gone well again. */
  #report(trouble: LogTrouble): void {
    if (this.#reported) return;
    this.#reported = true;
    this.#onTrouble(trouble);
  }

  #left(): number {
    const { frames, checkpointed } = this.#look("NOOP");
    return frames - checkpointed;
  }

  #look(mode: "NOOP" | "PASSIVE"): LogState {
    const [, frames, checkpointed] = this.#connection.ask(`PRAGMA wal_checkpoint(${mode})`);
    return { frames: Number(frames), checkpointed: Number(checkpointed) };
  }
}

/** What SQLite said, without advice that is meant for the caller of a write. */
function reasonOf(error: unknown): string {
  return messageOf(error instanceof Error ? (error.cause ?? error) : error);
}
