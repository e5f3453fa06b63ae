/**
 * What plain LRU would do in our place, found out on a sample: the referee of the adaptive policy.
 *
 * It plays LRU with the hashes of a sample of the keys, no values. Keys are drawn by their hash, so
 * that all accesses of a drawn key count (Waldspurger et al., "Efficient MRC Construction with
 * SHARDS", 2015), and the rate is halved whenever the sample outgrows its bound.
 *
 * It may hold just as many drawn keys as the real cache holds at the time. With a size of its own,
 * capacity × rate, the luck of the draw would make it fit a loop that does not fit the cache, and
 * the comparison would be about luck; as it is, the same luck is on both sides.
 *
 * Bounded: 256 hashes and about 3 KB, whatever the size of the cache.
 */

/** Drawn keys; enough that chance moves the comparison by few percent, and still small. */
const SAMPLE_MAX = 256;
/** Room for one more than the bound, and place 0, which means "none". */
const PLACES = SAMPLE_MAX + 2;
/** Chains of the hash table; a power of two. */
const CHAINS = SAMPLE_MAX;
/** Levels of a 32-bit hash: the number of leading zeros after mixing, 0 to 32. */
const LEVELS = 33;
/** An odd multiplier (xxHash; Collet), unlike the sketch's, so that the sample is independent. */
const SPREAD = 0xc2b2ae3d;

/** LRU over a sample of hashes. A key's level is drawn ≥ l with probability 2^-l. */
export class ShadowLru {
  /** Of the real cache: how many of its entries have this level. */
  readonly #residentsByLevel = new Int32Array(LEVELS);
  readonly #hashes = new Int32Array(PLACES);
  readonly #older = new Uint16Array(PLACES);
  readonly #newer = new Uint16Array(PLACES);
  readonly #chained = new Uint16Array(PLACES);
  readonly #chains = new Uint16Array(CHAINS);
  /** Keys below this level are not in the sample. */
  #level = 0;
  /** Entries of the real cache that are in the sample: the size that is allowed. */
  #residents = 0;
  #size = 0;
  #free = 0;

  constructor() {
    this.clear();
  }

  /** The memory taken. */
  get sizeBytes(): number {
    return LEVELS * 4 + PLACES * 10 + CHAINS * 2;
  }

  /** How many accesses one of the sample stands for. */
  get scale(): number {
    return 2 ** this.#level;
  }

  /** Notes that the real cache missed `hash` and now holds it; true when LRU would have hit. */
  miss(hash: number): boolean {
    const level = levelOf(hash);
    (this.#residentsByLevel[level] as number)++;
    if (level < this.#level) return false;
    this.#residents++;
    const hit = this.#access(hash);
    this.#resample();
    return hit;
  }

  /** Notes that the real cache hit `hash`; false when LRU would have missed. */
  hit(hash: number): boolean {
    return levelOf(hash) < this.#level || this.#access(hash);
  }

  /** Notes that the real cache has evicted `hash`. */
  leave(hash: number): void {
    const level = levelOf(hash);
    (this.#residentsByLevel[level] as number)--;
    if (level < this.#level) return;
    this.#residents--;
    this.#trim();
    this.#resample();
  }

  /** Notes that the owner has removed `hash` from the real cache: LRU loses it as well. */
  forget(hash: number): void {
    const place = this.#find(hash);
    if (place !== 0) this.#drop(place);
    this.leave(hash);
  }

  /** Forgets everything. */
  clear(): void {
    this.#residentsByLevel.fill(0);
    this.#chains.fill(0);
    this.#older.fill(0);
    this.#newer.fill(0);
    this.#level = 0;
    this.#residents = 0;
    this.#size = 0;
    this.#free = 1;
    for (let place = 1; place < PLACES; place++) this.#chained[place] = (place + 1) % PLACES;
  }

  #access(hash: number): boolean {
    let place = this.#find(hash);
    const hit = place !== 0;
    if (hit) {
      this.#unlink(place);
    } else {
      if (this.#free === 0) this.#drop(this.#newer[0] as number);
      place = this.#take(hash);
    }
    this.#link(place);
    this.#trim();
    return hit;
  }

  /** Keeps the sample between a half and the whole of its bound, and LRU no larger than we are. */
  #resample(): void {
    while (this.#residents > SAMPLE_MAX) {
      this.#residents -= this.#residentsByLevel[this.#level++] as number;
      this.#dropUndrawn();
    }
    while (this.#level > 0) {
      const more = this.#residents + (this.#residentsByLevel[this.#level - 1] as number);
      if (more > SAMPLE_MAX / 2) break;
      this.#residents = more;
      this.#level--;
    }
    this.#trim();
  }

  #dropUndrawn(): void {
    for (let place = this.#newer[0] as number; place !== 0; ) {
      const newer = this.#newer[place] as number;
      if (levelOf(this.#hashes[place] as number) < this.#level) this.#drop(place);
      place = newer;
    }
  }

  #trim(): void {
    while (this.#size > this.#residents) this.#drop(this.#newer[0] as number);
  }

  #find(hash: number): number {
    let place = this.#chains[chainOf(hash)] as number;
    while (place !== 0 && this.#hashes[place] !== (hash | 0))
      place = this.#chained[place] as number;
    return place;
  }

  /** Puts a hash into a free place and its chain. */
  #take(hash: number): number {
    const place = this.#free;
    const chain = chainOf(hash);
    this.#free = this.#chained[place] as number;
    this.#hashes[place] = hash;
    this.#chained[place] = this.#chains[chain] as number;
    this.#chains[chain] = place;
    this.#size++;
    return place;
  }

  #drop(place: number): void {
    const chain = chainOf(this.#hashes[place] as number);
    const after = this.#chained[place] as number;
    if (this.#chains[chain] === place) {
      this.#chains[chain] = after;
    } else {
      let before = this.#chains[chain] as number;
      while (this.#chained[before] !== place) before = this.#chained[before] as number;
      this.#chained[before] = after;
    }
    this.#unlink(place);
    this.#chained[place] = this.#free;
    this.#free = place;
    this.#size--;
  }

  /** Place 0 closes the ring: the newest is older than it, the oldest newer. */
  #link(place: number): void {
    const newest = this.#older[0] as number;
    this.#older[place] = newest;
    this.#newer[place] = 0;
    this.#newer[newest] = place;
    this.#older[0] = place;
  }

  #unlink(place: number): void {
    const older = this.#older[place] as number;
    const newer = this.#newer[place] as number;
    this.#newer[older] = newer;
    this.#older[newer] = older;
  }
}

function levelOf(hash: number): number {
  return Math.clz32(Math.imul(hash ^ (hash >>> 16), SPREAD));
}

function chainOf(hash: number): number {
  return hash & (CHAINS - 1);
}
