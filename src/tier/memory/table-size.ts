/**
 * What a map or a set of JavaScript takes of the heap. Nothing tells it, so it is followed.
 *
 * V8 keeps what is in them in the order in which it came, and what goes leaves a gap. A table that
 * is full, gaps and all, is made anew: as large as it was when half of it is gaps, otherwise twice
 * as large. One of which less than a quarter is in use is halved. So from half to all of a table
 * that only grows is in use, but only from a quarter to a half where one comes for each that goes;
 * with small entries that is a fifth of all they take.
 *
 * Should another V8 do otherwise, the tests that compare bytes with the heap fail.
 */

/** Key, value, chain, and half a bucket. */
export const MAP_SLOT_BYTES = 28;
/** The same without a value. */
export const SET_SLOT_BYTES = 20;
/** The capacity of an empty table, which is not counted. */
const CAPACITY_MIN = 4;

/** Follows the capacity of one table. */
export class TableSize {
  #capacity = CAPACITY_MIN;
  #gaps = 0;

  /** Its slots beyond those of an empty table. */
  get slots(): number {
    return this.#capacity - CAPACITY_MIN;
  }

  /** Notes that something came, which makes `used` of them. @returns by how many slots it grew. */
  added(used: number): number {
    const capacity = this.#capacity;
    if (used + this.#gaps <= capacity) return 0;
    return this.#remake(2 * this.#gaps < capacity ? 2 * capacity : capacity);
  }

  /** Notes that something went, which leaves `used`. @returns by how many slots it grew. */
  removed(used: number): number {
    this.#gaps++;
    if (4 * used >= this.#capacity) return 0;
    return this.#remake(Math.max(CAPACITY_MIN, this.#capacity / 2));
  }

  #remake(capacity: number): number {
    const before = this.#capacity;
    this.#capacity = capacity;
    this.#gaps = 0;
    return capacity - before;
  }
}
