/**
 * Looking up rows by a unique text, on the main thread as long as that is quick.
 *
 * A few microseconds a row from memory are less than the way to a thread and back. A disk that has
 * to be asked may take milliseconds, which would hold the event loop; then a reader thread is asked
 * for a while, until the pages are likely to be in memory.
 */

import { isSpringhouseError } from "../../core/errors.ts";
import type { ResultSet } from "../../core/statement.ts";
import type { Database } from "../../sqlite/database.ts";
import { ask, askThread, type ListQuestion, until } from "./statements.ts";

/** Longer than this and the disk, or another program, took part. */
const SLOW_MS = 2;
/** Each slow lookup weighs as much as so many quick ones … */
const SLOW_WEIGHT = 16;
/** … and this much is too slow: three of them close together. */
const SLOW_MAX = 40;
/** How long a thread is asked then. */
const ON_THREAD_MS = 1_000;

/** Looks up rows of one file. */
export class Lookup {
  #slowness = 0;
  #onThreadUntilMs = 0;

  /** The rows for at most `KEYS_MAX` texts, in any order. */
  async rows(
    database: Database,
    question: ListQuestion,
    texts: readonly string[],
    signal: AbortSignal | undefined,
  ): Promise<ResultSet["rows"]> {
    const startMs = performance.now();
    if (startMs >= this.#onThreadUntilMs) {
      try {
        const { rows } = database.file.inline.connection.readAll(ask(question, texts));
        this.#judge(startMs, performance.now());
        return rows;
      } catch (error) {
        if (!isSpringhouseError(error, "BUSY")) throw error;
      }
    }
    return (await database.read(askThread(question, texts), until(signal))).rows;
  }

  #judge(startMs: number, endMs: number): void {
    if (endMs - startMs <= SLOW_MS) {
      if (this.#slowness > 0) this.#slowness--;
      return;
    }
    this.#slowness += SLOW_WEIGHT;
    if (this.#slowness <= SLOW_MAX) return;
    this.#slowness = 0;
    this.#onThreadUntilMs = endMs + ON_THREAD_MS;
  }
}
