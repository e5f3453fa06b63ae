/**
 * Who comes first: the caller who gives a write up, or the thread that begins it.
 *
 * The writer thread sleeps while another process holds the lock, and no message reaches it there.
 * So both sides look at memory that they share, one cell for each unit that was sent: whoever is
 * first decides. A unit that was withdrawn is never written, and one whose transaction has begun
 * cannot be withdrawn any more, so its result stands.
 */

/** Units in one message, and so cells: more would delay the first for the last without gain. */
export const GROUP_UNITS_MAX = 512;

const WAITING = 0;
const WITHDRAWN = 1;
const BEGUN = 2;

/** The cells of one writer; only what was sent last is in them. */
export class Claims {
  readonly memory: SharedArrayBuffer;
  readonly #cells: Int32Array;

  /** @param memory that of the other side. */
  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(GROUP_UNITS_MAX * 4)) {
    this.memory = memory;
    this.#cells = new Int32Array(memory);
  }

  /** The caller's side, before it sends: all units wait. */
  reset(): void {
    this.#cells.fill(WAITING);
  }

  /** The caller's side; false when the transaction has begun. */
  withdraw(unit: number): boolean {
    return Atomics.compareExchange(this.#cells, unit, WAITING, WITHDRAWN) !== BEGUN;
  }

  /** The thread's side, once it has the lock; false when the caller has given up. */
  begin(unit: number): boolean {
    return Atomics.compareExchange(this.#cells, unit, WAITING, BEGUN) !== WITHDRAWN;
  }

  /** Whether nobody waits any more for any of the units from `first` to before `end`. */
  areWithdrawn(first: number, end: number): boolean {
    for (let unit = first; unit < end; unit++) {
      if (Atomics.load(this.#cells, unit) !== WITHDRAWN) return false;
    }
    return true;
  }
}
