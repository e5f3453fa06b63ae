/**
 * Prefixes of one partition that were dropped while their entries are not all gone yet. Until they
 * are, in slices, lookups ask here whether what they have found is dead. That takes a look for each
 * length that the prefixes have, however many they are.
 */

import type { MemoryEntry } from "./memory-entry.ts";

interface Dropped {
  /** Entries up to this number whose keys begin so are dead. */
  readonly lastSerial: number;
  /** Its number among all that were dropped. */
  readonly number: number;
}

/** Beyond so many their entries go at once. That many come only while millions are gone through. */
const PREFIXES_MAX = 10_000;

/** The dropped prefixes. */
export class DroppedPrefixes {
  readonly #dropped = new Map<string, Dropped>();
  /** The lengths that they have, and perhaps more. */
  readonly #lengths = new Set<number>();
  /** Those of the one that was dropped last. */
  #lastSerial = 0;
  #number = 0;

  get size(): number {
    return this.#dropped.size;
  }

  get isFull(): boolean {
    return this.size >= PREFIXES_MAX;
  }

  add(prefix: string, lastSerial: number): void {
    this.#lastSerial = lastSerial;
    this.#dropped.set(prefix, { lastSerial, number: ++this.#number });
    this.#lengths.add(prefix.length);
  }

  has({ serial, key }: MemoryEntry): boolean {
    for (const length of this.#lengths) {
      if (length > key.length) continue;
      const dropped = this.#dropped.get(key.slice(0, length));
      if (dropped !== undefined && serial <= dropped.lastSerial) return true;
    }
    return false;
  }

  /**
   * All of the entries that may be dead; after the last of them the prefixes need no more be known.
   *
   * @param all the entries in the order in which they came.
   */
  *entries(all: () => Iterable<MemoryEntry>): Generator<MemoryEntry, void, undefined> {
    while (this.size > 0) {
      const [last, number] = [this.#lastSerial, this.#number];
      for (const entry of all()) {
        if (entry.serial > last) break;
        yield entry;
      }
      // What was dropped meanwhile may have entries that were gone past before.
      for (const [prefix, dropped] of this.#dropped) {
        if (dropped.number <= number) this.#dropped.delete(prefix);
      }
      if (this.size === 0) this.#lengths.clear();
    }
  }
}
