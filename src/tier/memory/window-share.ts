/**
 * How much of the cache the window takes: the one number that the adaptive policy learns.
 *
 * Two answers, of which the larger holds:
 *
 * - The margin. An entry more for the window is an entry less for the main part. A returning key
 *   that such a window would still have held speaks for growing it; a hit on an entry that main
 *   would have given up speaks against. Each moves the share by one entry. It comes to rest where
 *   the last entry is worth the same on both sides, which is where the split is best. A loop that
 *   is longer than the cache gives no such returns, so it does not pull.
 * - The floor. What lies beyond the next entries the margin does not see: reuse at half the cache's
 *   size, say, is out of its sight while the window is small. So LRU itself is asked. Each hit that
 *   LRU would have had and we had not raises the floor, each that we alone had lowers it. If LRU is
 *   better the window becomes the whole cache, which then is LRU; so we are never far behind it.
 */

/** Entries by which one returning key that the window gave up too early moves the margin. */
const GAIN_ENTRIES = 1;
/** Entries by which one hit on what main would give up next moves it back: somewhat less than the
 * gain, for some returning keys are lost from the memory of them. */
const LOSS_ENTRIES = 0.75;
/** Entries by which a hit of LRU alone, or of us alone, moves the floor. Twice the margin's, so
 * that being behind is ended sooner than being at the optimum is left. */
const DUEL_ENTRIES = 2;
/** The margin begins at the one percent that the authors of W-TinyLFU recommend. */
const SHARE_AT_START = 0.01;
/** Main always keeps a thirty-second: without any hits of its own nothing would ever speak for it,
 * and a loop that comes after LRU's best hours would find the window stuck. */
const SHARE_MAX = 31 / 32;

/** The share of the window in the cache, from 0 to almost 1. */
export class WindowShare {
  #margin = SHARE_AT_START;
  #floor = 0;
  #value = SHARE_AT_START;

  /** The share to apply. */
  get value(): number {
    return this.#value;
  }

  /** A window with one entry more (of `entries` in the cache) would have had this access. */
  windowGained(entries: number): void {
    this.#margin = Math.min(this.#margin + GAIN_ENTRIES / entries, SHARE_MAX);
    this.#settle();
  }

  /** `hits` is how many hits on main's next victims an entry less for main would have cost. */
  mainLost(hits: number, entries: number): void {
    this.#margin = Math.max(this.#margin - (LOSS_ENTRIES * hits) / entries, 0);
    this.#settle();
  }

  /** LRU alone would have had `hits` (negative: we alone had them). */
  duel(hits: number, entries: number): void {
    const floor = this.#floor + (DUEL_ENTRIES * hits) / entries;
    this.#floor = Math.min(Math.max(floor, 0), SHARE_MAX);
    this.#settle();
  }

  #settle(): void {
    this.#value = Math.max(this.#margin, this.#floor);
  }
}
