/**
 * How often keys were used of late, in about 8 bytes for an entry of the cache: a count-min sketch
 * of 4-bit counters that age (Cormode, Muthukrishnan 2005; Einziger, Friedman, Manes, "TinyLFU",
 * 2017).
 *
 * A key has four counters, one in each quarter of a 64-byte block that its hash chooses, so that a
 * use costs one line of the processor's cache. The estimate is the least of the four: other keys
 * can only raise it. Fifteen is the most that it tells, and enough: which of two keys is the more
 * popular is decided long before.
 *
 * Aging keeps the sketch young. After ten uses for each entry that the sketch is made for, every
 * counter is halved: what was popular and is no longer is forgotten at an exponential rate, at a
 * cost that is spread over those uses.
 *
 * The sketch doubles while the cache grows. A block's number is the low bits of the hash, so the
 * new half begins as a copy of the old one and no estimate is lost.
 */

/** Each entry has 16 counters of 4 bits, 4 for each of the 4 rows: 8 bytes. */
const WORDS_PER_ENTRY = 2;
/** A block is 16 words of 32 bits: one line of the processor's cache. */
const BLOCK_WORDS_LOG2 = 4;
/** Rows of the sketch, each in its own quarter of a block, in which it has 32 counters. */
const ROWS = 4;
/** The most that four bits count. */
export const FREQUENCY_MAX = 15;
/** Uses for each entry between two agings; the papers found 8 to 16 alike, and so do our traces. */
const USES_PER_ENTRY = 10;
/** Below this a sketch is so small that keys collide in all rows at once. It takes 4 KB. */
const ENTRIES_MIN = 512;
/** Above this the estimates grow coarser instead of the memory. It takes 32 MB. */
const ENTRIES_MAX = 4 * 1024 * 1024;
/** An odd multiplier that spreads a hash over all bits (from the golden ratio; Knuth). */
const SPREAD = 0x9e3779b1;
/** Another, so that the counters are chosen independently of the block (MurmurHash3; Appleby). */
const RESPREAD = 0x85ebca6b;

/** Counts uses of 32-bit hashes. */
export class FrequencySketch {
  #words = new Int32Array(ENTRIES_MIN * WORDS_PER_ENTRY);
  #entries = ENTRIES_MIN;
  #uses = 0;

  /** The number of entries that the sketch is made for; a power of two. */
  get entries(): number {
    return this.#entries;
  }

  /** The memory taken. */
  get sizeBytes(): number {
    return this.#words.byteLength;
  }

  /** Makes room for `entries`, up to a bound. */
  reserve(entries: number): void {
    while (this.#entries < entries && this.#entries < ENTRIES_MAX) {
      const words = new Int32Array(this.#words.length * 2);
      words.set(this.#words);
      words.set(this.#words, this.#words.length);
      this.#words = words;
      this.#entries *= 2;
    }
  }

  /** Counts a use. */
  increment(hash: number): void {
    const words = this.#words;
    const spread = spreadOf(hash);
    const block = (spread << BLOCK_WORDS_LOG2) & (words.length - 1);
    let counters = countersOf(spread);
    let counted = false;
    for (let row = 0; row < ROWS; row++) {
      const word = block + (row << 2) + (counters & 3);
      const shift = counters & 28;
      counters >>>= 5;
      const value = words[word] as number;
      if (((value >>> shift) & FREQUENCY_MAX) < FREQUENCY_MAX) {
        words[word] = value + (1 << shift);
        counted = true;
      }
    }
    if (counted && ++this.#uses >= this.#entries * USES_PER_ENTRY) this.#age();
  }

  /** The uses of late, 0 to 15: never too few, save for aging. */
  frequency(hash: number): number {
    const words = this.#words;
    const spread = spreadOf(hash);
    const block = (spread << BLOCK_WORDS_LOG2) & (words.length - 1);
    let counters = countersOf(spread);
    let least = FREQUENCY_MAX;
    for (let row = 0; row < ROWS; row++) {
      const value = words[block + (row << 2) + (counters & 3)] as number;
      least = Math.min(least, (value >>> (counters & 28)) & FREQUENCY_MAX);
      counters >>>= 5;
    }
    return least;
  }

  #age(): void {
    const words = this.#words;
    for (let word = 0; word < words.length; word++) {
      words[word] = ((words[word] as number) >>> 1) & 0x77777777;
    }
    this.#uses >>>= 1;
  }
}

/** A mixed hash; its low bits choose the block. */
function spreadOf(hash: number): number {
  const spread = Math.imul(hash ^ (hash >>> 15), SPREAD);
  return spread ^ (spread >>> 16);
}

/** Five bits for each row: two choose one of its four words, three one of the word's counters. */
function countersOf(spread: number): number {
  return Math.imul(spread ^ (spread >>> 15), RESPREAD) >>> 12;
}
