/**
 * Tags of the entries in memory. Dropping a tag is one step however many entries have it: the tag
 * object is marked and forgotten, and every entry that still refers to it is dead. Their room is
 * given back in slices.
 */

import { type Hashed, ShardedSet } from "./sharded-set.ts";

/** A name that entries share. */
export class Tag<Entry extends Hashed = Hashed> {
  readonly name: string;
  dropped = false;
  readonly entries: ShardedSet<Entry> = new ShardedSet<Entry>();
  /** Once it is dropped: how many entries still have it. */
  left = 0;

  constructor(name: string) {
    this.name = name;
  }
}

/** Whether one of the tags has been dropped since the entry was made. */
export function isDropped(tags: readonly Tag[]): boolean {
  for (let index = 0; index < tags.length; index++) if (tags[index]?.dropped) return true;
  return false;
}

/** The living tags by their names. Holds exactly the tags that living entries have. */
export class TagTable<Entry extends Hashed> {
  readonly #tags = new Map<string, Tag<Entry>>();
  /** Dropped tags that entries still have. While there are none, nobody need look at an entry's. */
  dropped = 0;

  get size(): number {
    return this.#tags.size;
  }

  /** The tags of these names; made where there are none. */
  tagsOf(names: readonly string[]): readonly Tag<Entry>[] {
    return [...new Set(names)].map((name) => {
      let tag = this.#tags.get(name);
      if (tag === undefined) {
        tag = new Tag<Entry>(name);
        this.#tags.set(name, tag);
      }
      return tag;
    });
  }

  /** The entries of a tag, as many as there are now. The caller may pause and change others. */
  *entriesOf(name: string): Generator<Entry, void, undefined> {
    const entries = this.#tags.get(name)?.entries;
    if (entries !== undefined) yield* entries;
  }

  link(entry: Entry, tags: readonly Tag<Entry>[]): void {
    for (const tag of tags) tag.entries.add(entry);
  }

  unlink(entry: Entry, tags: readonly Tag<Entry>[]): void {
    for (const tag of tags) {
      if (tag.dropped) {
        // Its set goes with it, in one piece; what is left in it is only counted.
        tag.left--;
        if (tag.left === 0) this.dropped--;
        continue;
      }
      tag.entries.delete(entry);
      if (tag.entries.size === 0) this.#tags.delete(tag.name);
    }
  }

  /** Ends the tag. @returns it, with the entries whose room is to be given back. */
  drop(name: string): Tag<Entry> | undefined {
    const tag = this.#tags.get(name);
    if (tag === undefined) return undefined;
    tag.dropped = true;
    tag.left = tag.entries.size;
    if (tag.left > 0) this.dropped++;
    this.#tags.delete(name);
    return tag;
  }
}
