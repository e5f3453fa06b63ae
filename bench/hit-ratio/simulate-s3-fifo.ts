/**
 * S3-FIFO (Yang et al., "FIFO queues are all you need for cache eviction", SOSP 2023): a small
 * queue of a tenth for what is new, a main queue for what was used again in it, and a memory of
 * the keys that were not, as many as main has places.
 */

import type { Trace } from "./trace.ts";

/** The part of the cache for what is new. */
const SMALL_SHARE = 0.1;
/** The most uses that are counted. */
const USES_MAX = 3;
/** Uses in the small queue after which a key comes into main. */
const USES_FOR_MAIN = 2;

const OUT = 0;
const SMALL = 1;
const MAIN = 2;

/** The hits of S3-FIFO with room for `size` keys. */
export function simulateS3Fifo({ keys, uniqueKeys }: Trace, size: number): number {
  const smallMax = Math.max(1, Math.floor(size * SMALL_SHARE));
  const mainMax = Math.max(1, size - smallMax);
  const place = new Uint8Array(uniqueKeys);
  const uses = new Uint8Array(uniqueKeys);
  const small = new Queue(size + 1);
  const main = new Queue(size + 1);
  const ghosts = new Ghosts(uniqueKeys, mainMax);

  const evictFromMain = (): void => {
    for (;;) {
      const key = main.shift();
      if (uses[key] === 0) {
        place[key] = OUT;
        return;
      }
      (uses[key] as number)--;
      main.push(key);
    }
  };
  const evict = (): void => {
    while (small.length > smallMax || main.length === 0) {
      const key = small.shift();
      if ((uses[key] as number) < USES_FOR_MAIN) {
        place[key] = OUT;
        ghosts.add(key);
        return;
      }
      uses[key] = 0;
      place[key] = MAIN;
      main.push(key);
    }
    evictFromMain();
  };

  let hits = 0;
  for (const key of keys) {
    if (place[key] !== OUT) {
      hits++;
      uses[key] = Math.min(USES_MAX, (uses[key] as number) + 1);
      continue;
    }
    if (small.length + main.length >= size) evict();
    uses[key] = 0;
    const known = ghosts.take(key);
    place[key] = known ? MAIN : SMALL;
    (known ? main : small).push(key);
  }
  return hits;
}

/** A first-in-first-out queue of keys in a ring. */
class Queue {
  readonly #keys: Int32Array;
  #first = 0;
  length = 0;

  constructor(lengthMax: number) {
    this.#keys = new Int32Array(lengthMax);
  }

  push(key: number): void {
    this.#keys[(this.#first + this.length++) % this.#keys.length] = key;
  }

  shift(): number {
    const key = this.#keys[this.#first] as number;
    this.#first = (this.#first + 1) % this.#keys.length;
    this.length--;
    return key;
  }
}

/** The keys that went last, told by the number of their going. */
class Ghosts {
  readonly #wentAt: Float64Array;
  readonly #lengthMax: number;
  #gone = 0;

  constructor(uniqueKeys: number, lengthMax: number) {
    this.#wentAt = new Float64Array(uniqueKeys).fill(Number.NEGATIVE_INFINITY);
    this.#lengthMax = lengthMax;
  }

  add(key: number): void {
    this.#wentAt[key] = ++this.#gone;
  }

  take(key: number): boolean {
    const known = this.#gone - (this.#wentAt[key] as number) < this.#lengthMax;
    this.#wentAt[key] = Number.NEGATIVE_INFINITY;
    return known;
  }
}
