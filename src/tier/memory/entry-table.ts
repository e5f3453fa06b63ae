/**
 * Entries by their keys. Each has a slot, a number that the map gives for its key; what a hit reads
 * lies by slots in dense lists, so that it need not follow the entry itself. An entry is a few
 * cache lines of its own, and with tens of thousands of them a hit would wait for memory, not for
 * work; the lists take an eighth of that.
 *
 * Invariant: the slots are 0 up to `size`, without gaps: the last entry moves into the slot of one
 * that goes. An entry is in the table exactly when its slot holds it, whatever its `slot` says.
 */

import type { MemoryEntry } from "./memory-entry.ts";
import { MAP_SLOT_BYTES, TableSize } from "./table-size.ts";

/** Slots to begin with; from there on they double and halve. */
const SLOTS_MIN = 64;
/** The ticks shrink when one in so many is used; not at a half, or they would go to and fro. */
const SPARSE = 4;

/** The entries of one partition. Its owner reads the lists; the table alone gives out slots. */
export class EntryTable {
  readonly #slots = new Map<string, number>();
  readonly #slotsSize = new TableSize();
  readonly #resized: (bytes: number) => void;
  readonly entries: MemoryEntry[] = [];
  /** What a hit hands out; `undefined` where each reader has a copy of its own. */
  readonly values: unknown[] = [];
  /** The same as a promise, for callers that wait; made by the first of them. */
  readonly settled: (Promise<unknown> | undefined)[] = [];
  /** The tick of the coarse clock from which a hit is more than a look. */
  ticks: Int32Array = new Int32Array(SLOTS_MIN);

  /** @param resized told that the map of keys takes so many bytes more, or fewer. */
  constructor(resized: (bytes: number) => void) {
    this.#resized = resized;
  }

  /** Heap bytes of the map of keys, beyond those of an empty one. */
  get bytes(): number {
    return this.#slotsSize.slots * MAP_SLOT_BYTES;
  }

  get size(): number {
    return this.entries.length;
  }

  slotOf(key: string): number | undefined {
    return this.#slots.get(key);
  }

  get(key: string): MemoryEntry | undefined {
    const slot = this.#slots.get(key);
    return slot === undefined ? undefined : this.entries[slot];
  }

  /** Takes in an entry whose key has none. */
  add(entry: MemoryEntry): void {
    const slot = this.size;
    if (slot === this.ticks.length) this.#resize(2 * slot);
    entry.slot = slot;
    this.#slots.set(entry.key, slot);
    this.#grew(this.#slotsSize.added(this.#slots.size));
    this.entries.push(entry);
    this.values.push(entry.changeable ? undefined : entry.value);
    this.settled.push(undefined);
    this.ticks[slot] = 0;
  }

  /** Takes out an entry; does nothing when it is not in. */
  remove(entry: MemoryEntry): void {
    const { slot } = entry;
    if (this.entries[slot] !== entry) return;
    this.#slots.delete(entry.key);
    this.#grew(this.#slotsSize.removed(this.#slots.size));
    const last = this.entries.pop() as MemoryEntry;
    const value = this.values.pop();
    const settled = this.settled.pop();
    if (last !== entry) {
      last.slot = slot;
      this.#slots.set(last.key, slot);
      this.entries[slot] = last;
      this.values[slot] = value;
      this.settled[slot] = settled;
      this.ticks[slot] = this.ticks[this.size] as number;
    }
    const { length } = this.ticks;
    if (length > SLOTS_MIN && this.size * SPARSE < length) this.#resize(length / 2);
  }

  /** Sets the tick of an entry; does nothing when it is not in. */
  attendAt(entry: MemoryEntry, tick: number): void {
    if (this.entries[entry.slot] === entry) this.ticks[entry.slot] = tick;
  }

  /** In the order in which they came. The caller may pause and change others. */
  *all(): Generator<MemoryEntry, void, undefined> {
    for (const slot of this.#slots.values()) yield this.entries[slot] as MemoryEntry;
  }

  #grew(slots: number): void {
    if (slots !== 0) this.#resized(slots * MAP_SLOT_BYTES);
  }

  #resize(length: number): void {
    const ticks = new Int32Array(length);
    ticks.set(this.ticks.subarray(0, Math.min(length, this.ticks.length)));
    this.ticks = ticks;
  }
}
