/**
 * The keys that were lately refused a place in the main part, and how long ago: what a somewhat
 * larger window would still hold.
 *
 * Time is counted in departures from the window, because that is how far an entry moves along it:
 * a key that comes back d departures after it left would have been hit by a window that is d
 * entries longer.
 *
 * A table that each hash indexes directly, newer over older: 8 bytes for a place, one place for
 * every two entries of the cache, which is four for every key that is still of interest
 * (`reach` below an eighth of the entries), so that few are overwritten before their time.
 */

/** One place for each so many entries of the cache. */
const ENTRIES_PER_PLACE = 2;
/** A place holds a hash and the departure at which it was refused. */
const PLACE_WORDS = 2;

/** A bounded memory of refused hashes. */
export class Rejections {
  #places = new Int32Array(0);
  #departures = 0;

  /** The memory taken. */
  get sizeBytes(): number {
    return this.#places.byteLength;
  }

  /** Makes room for a cache of `entries`, a power of two; what was known is forgotten. */
  reserve(entries: number): void {
    const words = (entries / ENTRIES_PER_PLACE) * PLACE_WORDS;
    if (this.#places.length < words) this.#places = new Int32Array(words);
  }

  /** Notes that an entry leaves the window. */
  depart(): void {
    this.#departures = (this.#departures + 1) | 0;
  }

  /** Notes that the entry that has just left is refused. */
  remember(hash: number): void {
    const place = this.#placeOf(hash);
    this.#places[place] = hash;
    this.#places[place + 1] = this.#departures;
  }

  /** Whether the key was refused within the last `reach` departures. */
  has(hash: number, reach: number): boolean {
    const place = this.#placeOf(hash);
    if (this.#places[place] !== (hash | 0)) return false;
    const distance = (this.#departures - (this.#places[place + 1] as number)) | 0;
    return distance >= 0 && distance <= reach;
  }

  #placeOf(hash: number): number {
    return (hash * PLACE_WORDS) & (this.#places.length - 1) & ~1;
  }
}
