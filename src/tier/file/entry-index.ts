/**
 * What this process knows of the files: enough to list keys, to keep the bounds and to choose what
 * goes. The files are the truth; an entry here may be missing or outdated, and whoever acts on it
 * looks at the file first. It takes about half a kilobyte for each entry, and the room that a file
 * takes at least bounds their number.
 *
 * Whoever goes is the one that was not used for longest among a few chosen at random (as Redis
 * does): close to LRU, and nothing has to be kept in order. The dead among them go first.
 */

import type { EntryHead, EntryMeta } from "./entry-file.ts";
import { LEVEL_ONE } from "./layout.ts";

/** One file. */
export interface IndexEntry {
  readonly hash: string;
  readonly meta: EntryMeta;
  /** The room it takes. */
  readonly bytes: number;
  accessedMs: number;
  /** When the last use was written into the file. */
  accessFlushedMs: number;
  /** Uses that the file does not know of yet. */
  unwrittenAccesses: number;
  /** Tells uses within one millisecond apart. */
  use: number;
  /** The last walk over the folders that has met its file. */
  walk: number;
  /** Where it is in its pools. */
  place: number;
  placeInCategory: number;
}

/** Files are given room in blocks of so many bytes by nearly every file system. */
const BLOCK_BYTES = 4_096;
/** How many are compared for one that goes. */
const SAMPLE = 16;

/** The room that a file takes on the disk. */
export function roomOf(fileBytes: number): number {
  return Math.ceil(fileBytes / BLOCK_BYTES) * BLOCK_BYTES;
}

/** Entries of which one can be chosen at random. */
class Pool {
  readonly list: IndexEntry[] = [];
  readonly #place: "place" | "placeInCategory";
  bytes = 0;

  constructor(place: "place" | "placeInCategory") {
    this.#place = place;
  }

  add(entry: IndexEntry): void {
    entry[this.#place] = this.list.length;
    this.list.push(entry);
    this.bytes += entry.bytes;
  }

  remove(entry: IndexEntry): void {
    const last = this.list.pop() as IndexEntry;
    if (last !== entry) {
      last[this.#place] = entry[this.#place];
      this.list[entry[this.#place]] = last;
    }
    this.bytes -= entry.bytes;
  }
}

/** The files that are known. */
export class EntryIndex {
  /** By the first digit of the hash: one map of a million is copied in one go when it grows. */
  readonly #shards = new Map(LEVEL_ONE.map((digit) => [digit, new Map<string, IndexEntry>()]));
  #all = new Pool("place");
  readonly #categories = new Map<string, Pool>();
  #uses = 0;
  /** The number of the present walk over the folders. */
  walk = 0;
  /** Grows whenever something is taken out: what was read before then may be gone. */
  removals = 0;

  get size(): number {
    return this.#all.list.length;
  }

  get bytes(): number {
    return this.#all.bytes;
  }

  bytesOf(category: string): number {
    return this.#categories.get(category)?.bytes ?? 0;
  }

  get(hash: string): IndexEntry | undefined {
    return this.#shard(hash).get(hash);
  }

  /** All entries; they may come and go meanwhile. */
  *entries(): Generator<IndexEntry> {
    for (const shard of this.#shards.values()) yield* shard.values();
  }

  /** Takes in a file that was written or found. */
  put(hash: string, { meta, accessedMs, bytes }: Omit<EntryHead, "accesses">): IndexEntry {
    this.#detach(hash);
    const entry: IndexEntry = {
      hash,
      meta,
      bytes: roomOf(bytes),
      accessedMs,
      accessFlushedMs: accessedMs,
      unwrittenAccesses: 0,
      use: ++this.#uses,
      walk: this.walk,
      place: 0,
      placeInCategory: 0,
    };
    this.#shard(hash).set(hash, entry);
    this.#all.add(entry);
    let category = this.#categories.get(meta.category);
    if (category === undefined) {
      category = new Pool("placeInCategory");
      this.#categories.set(meta.category, category);
    }
    category.add(entry);
    return entry;
  }

  touch(entry: IndexEntry, nowMs: number): void {
    entry.accessedMs = nowMs;
    entry.unwrittenAccesses++;
    entry.use = ++this.#uses;
  }

  remove(hash: string): void {
    this.removals++;
    this.#detach(hash);
  }

  clear(): void {
    this.removals++;
    for (const digit of LEVEL_ONE) this.#shards.set(digit, new Map());
    this.#all = new Pool("place");
    this.#categories.clear();
  }

  /** Who should go, of a category or of all. */
  victim(category: string | undefined, isDead: (entry: IndexEntry) => boolean): IndexEntry {
    const pool = category === undefined ? this.#all : this.#categories.get(category);
    const list = pool?.list ?? [];
    const isSmall = list.length <= SAMPLE;
    const count = isSmall ? list.length : SAMPLE;
    let best: IndexEntry | undefined;
    for (let index = 0; index < count; index++) {
      const at = isSmall ? index : Math.floor(Math.random() * list.length);
      const entry = list[at] as IndexEntry;
      if (isDead(entry)) return entry;
      if (best === undefined || isOlder(entry, best)) best = entry;
    }
    return best as IndexEntry;
  }

  #shard(hash: string): Map<string, IndexEntry> {
    return this.#shards.get(hash.charAt(0)) as Map<string, IndexEntry>;
  }

  #detach(hash: string): void {
    const entry = this.get(hash);
    if (entry === undefined) return;
    this.#shard(hash).delete(hash);
    this.#all.remove(entry);
    const { category } = entry.meta;
    const pool = this.#categories.get(category);
    pool?.remove(entry);
    if (pool?.list.length === 0) this.#categories.delete(category);
  }
}

function isOlder(a: IndexEntry, b: IndexEntry): boolean {
  return a.accessedMs === b.accessedMs ? a.use < b.use : a.accessedMs < b.accessedMs;
}
