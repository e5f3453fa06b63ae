/**
 * A bounded room for entries: a policy and the limits that make it choose.
 *
 * Hits are told to the policy in batches: a hit itself writes one slot of a fixed buffer. Before
 * anything else happens to the policy the buffer is emptied, so that it sees accesses in order.
 *
 * A policy needs hits to choose who goes, and nobody goes while nobody comes. So each entry that
 * comes in pays for some hits to be told, more than there are between two misses of any cache that
 * has something to choose; beyond that a trickle is told, which is enough to know what is wanted.
 * That is what makes a hit in a cache that holds everything as cheap as a look. (Caffeine's read
 * buffers drop hits under load for the same reason.)
 */

import type { ByteSize } from "../../core/bytes.ts";
import { createPolicy } from "./create-policy.ts";
import type { MemoryEntry } from "./memory-entry.ts";
import type { EvictionPolicy, PolicyName } from "./policy.ts";

/** Limits of a room; what is left open is unlimited. */
export interface RoomLimits {
  readonly maxEntries: number;
  readonly maxBytes: number;
  /** Larger entries are refused. */
  readonly maxEntryBytes: number;
}

/** Limits as people write them. */
export interface RoomOptions {
  readonly maxEntries?: number;
  readonly maxBytes?: ByteSize;
  readonly maxEntryBytes?: ByteSize;
  readonly policy?: PolicyName;
}

/** Hits that wait to be told; enough to make the telling cheap, too few to change a choice. */
const TOUCHES_MAX = 64;

/** Hits that are told for each entry that comes in … */
const TOUCHES_PER_ENTRY = 256;
/** … saved up to this many … */
const TOUCHES_SAVED_MAX = 1_000_000;
/** … and one hit of so many beyond. */
const TRICKLE = 64;

/**
 * The weight of the whole room. Whole numbers of this size are kept in place, where a fraction is
 * an object for each entry; and their sums are exact.
 */
const WHOLE_WEIGHT = 2 ** 30;

/**
 * When a table of a hundred thousand entries grows, thousands of them have to go for it. They go
 * bit by bit, when others come: it counts so many bytes of its growth for each that comes.
 */
const GROWTH_AT_ONCE = 4_096;

/** Entries that share limits. */
export class Room {
  readonly limits: RoomLimits;
  readonly #policy: EvictionPolicy;
  readonly #touched: (MemoryEntry | undefined)[] = new Array(TOUCHES_MAX).fill(undefined);
  #touches = 0;
  #allowance = 0;
  #untold = TRICKLE;
  #entries = 0;
  #bytes = 0;
  /** What tables have grown by that nobody had to go for yet. */
  #growth = 0;

  constructor(policy: PolicyName, limits: RoomLimits, random: () => number) {
    this.limits = limits;
    this.#policy = createPolicy(policy, { capacity: limits.maxEntries, random });
  }

  get entries(): number {
    return this.#entries;
  }

  get bytes(): number {
    return this.#bytes + this.#growth;
  }

  /** Whether an entry of this size may come in at all. */
  admits(bytes: number): boolean {
    return bytes <= this.limits.maxEntryBytes && bytes <= this.limits.maxBytes;
  }

  /** Whether others have to go when an entry of this size comes in. */
  isFull(bytes: number): boolean {
    const { maxEntries, maxBytes } = this.limits;
    return this.#entries >= maxEntries || this.#bytes + bytes > maxBytes;
  }

  /** Whether the policy is to be told of a hit; asked once for each. */
  hears(): boolean {
    if (this.#allowance > 0) this.#allowance--;
    else if (--this.#untold > 0) return false;
    else this.#untold = TRICKLE;
    return true;
  }

  /** Notes a hit that the policy is to be told of. */
  touch(entry: MemoryEntry): void {
    this.#touched[this.#touches++] = entry;
    if (this.#touches === TOUCHES_MAX) this.#tellTouches();
  }

  /** Takes an entry in, and has others go until the limits hold; it stays until the next comes. */
  add(entry: MemoryEntry): void {
    this.#tellTouches();
    this.#allowance = Math.min(TOUCHES_SAVED_MAX, this.#allowance + TOUCHES_PER_ENTRY);
    const share = Math.max(1 / this.limits.maxEntries, entry.bytes / this.limits.maxBytes);
    entry.weight = Math.ceil(share * WHOLE_WEIGHT);
    this.#entries++;
    const grown = Math.min(this.#growth, GROWTH_AT_ONCE);
    this.#growth -= grown;
    this.#bytes += entry.bytes + grown;
    this.#policy.add(entry);
    const { maxEntries, maxBytes } = this.limits;
    const bytesMax = maxBytes * (1 - (this.#policy.spareWeight ?? 0) / WHOLE_WEIGHT);
    while (this.#entries > maxEntries || this.#bytes > bytesMax) {
      const victim = this.#policy.evict() as MemoryEntry | undefined;
      if (victim === undefined) return;
      this.#count(victim);
      victim.owner.evicted(victim);
    }
  }

  /** An entry that is here takes more; who has to go for it goes when the next one comes. */
  charge(bytes: number): void {
    this.#bytes += bytes;
  }

  /** A table of what is here takes so many bytes more, or fewer. */
  resized(bytes: number): void {
    this.#growth += bytes;
    if (this.#growth > 0) return;
    this.#bytes += this.#growth;
    this.#growth = 0;
  }

  remove(entry: MemoryEntry): void {
    this.#tellTouches();
    this.#policy.remove(entry);
    this.#count(entry);
  }

  /** Counts no more what its owner has cleared. */
  release(entries: number, bytes: number): void {
    this.#entries -= entries;
    this.#bytes -= bytes;
  }

  #count(gone: MemoryEntry): void {
    if (!gone.owner.isCounted(gone)) return;
    this.#entries--;
    this.#bytes -= gone.bytes;
  }

  #tellTouches(): void {
    for (let index = 0; index < this.#touches; index++) {
      const entry = this.#touched[index];
      // It may have gone since; and the buffer is not to keep it from the garbage collector.
      if (entry !== undefined && entry.queue !== 0) this.#policy.touch(entry);
      this.#touched[index] = undefined;
    }
    this.#touches = 0;
  }
}
