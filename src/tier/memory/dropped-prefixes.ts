/** Prefixes that were dropped, for as long as entries under them are not all gone. */

import type { MemoryEntry } from "./memory-entry.ts";

/** Entries up to this number whose keys begin so are dead, and not all gone yet. */
interface DroppedPrefix {
  readonly prefix: string;
  readonly lastSerial: number;
}

/** The dropped prefixes of a partition. */
export class DroppedPrefixes {
  readonly #list: DroppedPrefix[] = [];

  get size(): number {
    return this.#list.length;
  }

  /** @param lastSerial the number of the last entry that there was. */
  add(prefix: string, lastSerial: number): void {
    this.#list.push({ prefix, lastSerial });
  }

  /** Whether an entry was under one of them when it was dropped. */
  cover({ key, serial }: MemoryEntry): boolean {
    return this.#list.some(
      ({ prefix, lastSerial }) => serial <= lastSerial && key.startsWith(prefix),
    );
  }

  /** All that may be dead because of a prefix; after it the prefixes need no more be known. */
  *among(all: () => Iterable<MemoryEntry>): Generator<MemoryEntry, void, undefined> {
    const list = this.#list;
    while (list.length > 0) {
      const { length } = list;
      const last = list.at(-1)?.lastSerial ?? 0;
      for (const entry of all()) {
        if (entry.serial > last) break;
        yield entry;
      }
      list.splice(0, length);
    }
  }
}
