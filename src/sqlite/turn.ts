/**
 * Keeps a chain of synchronous answers from holding the event loop: `await` alone never leaves the
 * current turn when the awaited value is there already.
 */

/** Work of one turn before it has to let others run. */
const TURN_MS_MAX = 4;

/** Measures the turns of the event loop. */
export class Turn {
  #startMs: number | undefined;

  /** Whether the current turn has lasted long enough. Call at the start of each piece of work. */
  isOver(nowMs: number): boolean {
    if (this.#startMs === undefined) {
      this.#startMs = nowMs;
      setImmediate(() => {
        this.#startMs = undefined;
      });
    }
    return nowMs - this.#startMs >= TURN_MS_MAX;
  }

  /** Resolves in the next turn. */
  next(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve));
  }
}
