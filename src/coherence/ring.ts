/**
 * The last changes in memory, so that a value whose reading took a while can be compared with what
 * was changed meanwhile. Bounded: who began before the oldest one that is kept gets no answer, and
 * does not keep its value.
 */

import type { Change } from "../change/change.ts";

/** A change and the number of its row in the log. */
export interface LoggedChange {
  readonly sequence: number;
  readonly change: Change;
}

/** A value that takes longer than this many changes to read is not kept. */
const CHANGES_MAX = 10_000;

export class Ring {
  #changes: LoggedChange[] = [];
  /** All changes after this one are here. */
  #floor = 0;

  /** Of the places that `since` answers for, the first. */
  get floor(): number {
    return this.#floor;
  }

  /** Forgets everything; the history goes on after `sequence`. */
  reset(sequence: number): void {
    this.#changes = [];
    this.#floor = sequence;
  }

  add(changes: readonly LoggedChange[]): void {
    for (const change of changes) this.#changes.push(change);
    // At twice the bound, so that the moving of the rest costs little for each.
    if (this.#changes.length < 2 * CHANGES_MAX) return;
    const gone = this.#changes.splice(0, this.#changes.length - CHANGES_MAX);
    this.#floor = gone.at(-1)?.sequence ?? this.#floor;
  }

  /** The changes after the one of this number; undefined when some of them are not kept. */
  since(sequence: number): readonly LoggedChange[] | undefined {
    if (sequence < this.#floor) return undefined;
    let low = 0;
    let high = this.#changes.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#changes[middle] as LoggedChange).sequence > sequence) high = middle;
      else low = middle + 1;
    }
    return this.#changes.slice(low);
  }
}
