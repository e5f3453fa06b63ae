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
import type { BoundedRoom, RoomLimits, Rooms } from "./rooms.ts";

/** Limits of a room as people write them; what is left open is shared with the tier. */
export interface RoomOptions {
  readonly maxEntries?: number;
  readonly maxBytes?: ByteSize;
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
 * The most that is left free for heavy arrivals: a tenth of the room. An entry may be as large as
 * the whole room of its category, and those after it are not to find hardly any room for a while.
 */
const SPARE_WEIGHT_MAX = WHOLE_WEIGHT / 10;

/**
 * When a table of a hundred thousand entries grows, thousands of them have to go for it. They go
 * bit by bit, when others come: it counts so many bytes of its growth for each that comes.
 */
const GROWTH_AT_ONCE = 4_096;

/** Entries that share limits. */
export class Room implements BoundedRoom {
  readonly limits: RoomLimits;
  readonly #rooms: Rooms;
  readonly #policy: EvictionPolicy;
  readonly #touched: (MemoryEntry | undefined)[] = new Array(TOUCHES_MAX).fill(undefined);
  #touches = 0;
  #allowance = 0;
  #untold = TRICKLE;
  #entries = 0;
  #bytes = 0;
  /** What tables have grown by that nobody had to go for yet. */
  #growth = 0;

  /** @param limits none of them above that of all `rooms`. */
  constructor(policy: PolicyName, limits: RoomLimits, rooms: Rooms, random: () => number) {
    this.limits = limits;
    this.#rooms = rooms;
    this.#policy = createPolicy(policy, { capacity: limits.maxEntries, random });
    rooms.join(this);
  }

  get entries(): number {
    return this.#entries;
  }

  get bytes(): number {
    return this.#bytes + this.#growth;
  }

  get boundBytes(): number {
    return this.#bytes;
  }

  /** Whether an entry of this size may come in at all. */
  admits(bytes: number): boolean {
    return bytes <= this.limits.maxEntryBytes;
  }

  /** Whether others have to go when an entry of this size comes in. */
  isFull(bytes: number): boolean {
    const { maxEntries, maxBytes } = this.limits;
    const isFull = this.#entries >= maxEntries || this.#bytes + bytes > maxBytes;
    return isFull || this.#rooms.isFull(bytes);
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

  /**
   * Takes an entry in, and has others go until the limits hold; it stays until the next comes, also
   * when others have left bytes of its tags to it and it is alone and beyond a limit by these.
   */
  add(entry: MemoryEntry): void {
    this.#tellTouches();
    this.#hearMore();
    const { maxEntries, maxBytes } = this.limits;
    const share = Math.max(1 / maxEntries, entry.bytes / maxBytes);
    entry.weight = Math.ceil(share * WHOLE_WEIGHT);
    const grown = Math.min(this.#growth, GROWTH_AT_ONCE);
    this.#growth -= grown;
    this.#count(1, entry.bytes + grown);
    this.#policy.add(entry);
    const spare = Math.min(this.#policy.spareWeight ?? 0, SPARE_WEIGHT_MAX);
    const bytesMax = maxBytes * (1 - spare / WHOLE_WEIGHT);
    while (this.#entries > 1 && (this.#entries > maxEntries || this.#bytes > bytesMax)) {
      this.#evict();
    }
    this.#rooms.shrink(this);
  }

  /** It is heard for that as for one that comes, or its policy would choose without its hits. */
  giveWay(): void {
    this.#tellTouches();
    this.#hearMore();
    this.#evict();
  }

  /** An entry that is here takes more; who has to go for it goes when the next one comes. */
  charge(bytes: number): void {
    this.#count(0, bytes);
  }

  /** A table of what is here takes so many bytes more, or fewer. */
  resized(bytes: number): void {
    this.#growth += bytes;
    if (this.#growth >= 0) return;
    this.#count(0, this.#growth);
    this.#growth = 0;
  }

  remove(entry: MemoryEntry): void {
    this.#tellTouches();
    this.#policy.remove(entry);
    this.#uncount(entry);
  }

  /** Counts no more what its owner has cleared. */
  release(entries: number, bytes: number): void {
    this.#count(-entries, -bytes);
  }

  #evict(): void {
    const victim = this.#policy.evict() as MemoryEntry;
    this.#uncount(victim);
    victim.owner.evicted(victim);
  }

  #uncount(gone: MemoryEntry): void {
    if (gone.owner.isCounted(gone)) this.#count(-1, -gone.bytes);
  }

  #count(entries: number, bytes: number): void {
    this.#entries += entries;
    this.#bytes += bytes;
    this.#rooms.count(entries, bytes);
  }

  #hearMore(): void {
    this.#allowance = Math.min(TOUCHES_SAVED_MAX, this.#allowance + TOUCHES_PER_ENTRY);
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
