/**
 * Prefixes of one partition that were dropped while their entries are not all gone yet. Until they
 * are, in slices, lookups ask here whether what they have found is dead.
 */

import type { MemoryEntry } from "./memory-entry.ts";

/** Entries up to this number whose keys begin so are dead. */
interface DroppedPrefix {
  readonly prefix: string;
  readonly lastSerial: number;
}

/** Lookups bear with so many until their entries are gone. */
const PREFIXES_MAX = 64;

/** The dropped prefixes. */
export class DroppedPrefixes {
  readonly #dropped: DroppedPrefix[] = [];

  get size(): number {
    return this.#dropped.length;
  }

  get isFull(): boolean {
    return this.size >= PREFIXES_MAX;
  }

  add(prefix: string, lastSerial: number): void {
    this.#dropped.push({ prefix, lastSerial });
  }

  has({ serial, key }: MemoryEntry): boolean {
    if (this.#dropped.length === 0) return false;
    return this.#dropped.some(
      ({ prefix, lastSerial }) => serial <= lastSerial && key.startsWith(prefix),
    );
  }

  /**
   * All of the entries that may be dead; after the last of them the prefixes need no more be known.
   *
   * @param all the entries in the order in which they came.
   */
  *entries(all: () => Iterable<MemoryEntry>): Generator<MemoryEntry, void, undefined> {
    const dropped = this.#dropped;
    while (dropped.length > 0) {
      const { length } = dropped;
      const last = dropped.at(-1)?.lastSerial ?? 0;
      for (const entry of all()) {
        if (entry.serial > last) break;
        yield entry;
      }
      dropped.splice(0, length);
    }
  }
}
