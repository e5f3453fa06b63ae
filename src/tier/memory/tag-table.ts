/**
 * Tags of the entries in memory. Dropping a tag is one step however many entries have it: the tag
 * object is marked and forgotten, and every entry that still refers to it is dead. Their room is
 * given back in slices.
 *
 * A tag takes heap of its own, more than a small entry when each has a tag that no other has. One
 * of its entries bears that, the first at first; when it goes, another one of them does. The map
 * of all tags is counted by itself.
 */

import { ownText, textBytes } from "./own-text.ts";
import { type Hashed, ShardedSet } from "./sharded-set.ts";
import { MAP_SLOT_BYTES, TableSize } from "./table-size.ts";

/** The list of an entry's tags. */
const LIST_BYTES = 48;
/** What a tag adds to it. */
const PLACE_BYTES = 8;
/** A tag beside its name. */
const TAG_BYTES = 64;

/** A name that entries share. */
export class Tag<Entry extends Hashed = Hashed> {
  readonly name: string;
  dropped = false;
  /** The one that bears the bytes of the tag itself; undefined while no entry has it. */
  bearer: Entry | undefined = undefined;
  /** All entries that have it; undefined until a second one comes. */
  members: ShardedSet<Entry> | undefined = undefined;
  /** Once it is dropped: how many entries still have it. */
  left = 0;

  constructor(name: string) {
    this.name = name;
  }

  /** Heap bytes of the tag itself. */
  get bytes(): number {
    return tagBytes(this.name) + (this.members?.bytes ?? 0);
  }

  get size(): number {
    return this.members?.size ?? (this.bearer === undefined ? 0 : 1);
  }

  /** As many entries as there are now. The caller may pause, add and delete. */
  *[Symbol.iterator](): Generator<Entry, void, undefined> {
    if (this.members !== undefined) yield* this.members;
    else if (this.bearer !== undefined) yield this.bearer;
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
  readonly #size = new TableSize();
  readonly #charge: (entry: Entry, bytes: number) => void;
  readonly #resized: (bytes: number) => void;
  /** Dropped tags that entries still have. While there are none, nobody need look at an entry's. */
  dropped = 0;

  /**
   * @param charge told that an entry in the table takes so many bytes more.
   * @param resized told that the table itself takes so many bytes more, or fewer.
   */
  constructor(
    charge: (entry: Entry, bytes: number) => void,
    resized: (bytes: number) => void = () => undefined,
  ) {
    this.#charge = charge;
    this.#resized = resized;
  }

  get size(): number {
    return this.#tags.size;
  }

  /** Heap bytes of the map of tags, beyond those of an empty one. */
  get tableBytes(): number {
    return this.#size.slots * MAP_SLOT_BYTES;
  }

  /** Heap bytes that an entry with these tags takes for them when it comes now. */
  bytesFor(names: readonly string[]): number {
    if (names.length === 0) return 0;
    let bytes = LIST_BYTES;
    for (const name of names) {
      bytes += PLACE_BYTES + (this.#tags.has(name) ? 0 : tagBytes(name));
    }
    return bytes;
  }

  /** The tags of these names; made where there are none. */
  tagsOf(names: readonly string[]): readonly Tag<Entry>[] {
    return [...new Set(names)].map((name) => {
      let tag = this.#tags.get(name);
      if (tag === undefined) {
        tag = new Tag<Entry>(ownText(name).text);
        this.#tags.set(tag.name, tag);
        this.#grew(this.#size.added(this.#tags.size));
      }
      return tag;
    });
  }

  /** The entries of a tag, as many as there are now. The caller may pause and change others. */
  *entriesOf(name: string): Generator<Entry, void, undefined> {
    const tag = this.#tags.get(name);
    if (tag !== undefined) yield* tag;
  }

  link(entry: Entry, tags: readonly Tag<Entry>[]): void {
    for (const tag of tags) {
      if (tag.bearer === undefined) {
        tag.bearer = entry;
        continue;
      }
      const before = tag.members?.bytes ?? 0;
      if (tag.members === undefined) {
        tag.members = new ShardedSet<Entry>();
        tag.members.add(tag.bearer);
      }
      tag.members.add(entry);
      const grown = tag.members.bytes - before;
      if (grown !== 0) this.#charge(tag.bearer, grown);
    }
  }

  unlink(entry: Entry, tags: readonly Tag<Entry>[]): void {
    for (const tag of tags) {
      if (tag.dropped) {
        // Its set goes with it, in one piece; what is left in it is only counted.
        tag.left--;
        if (tag.left === 0) this.dropped--;
        continue;
      }
      const { members, bearer } = tag;
      const before = members?.bytes ?? 0;
      members?.delete(entry);
      if (bearer !== entry) {
        const grown = (members?.bytes ?? 0) - before;
        if (grown !== 0 && bearer !== undefined) this.#charge(bearer, grown);
        continue;
      }
      const [heir] = members ?? [];
      tag.bearer = heir;
      if (heir === undefined) this.#delete(tag);
      else this.#charge(heir, tag.bytes);
    }
  }

  /** Ends the tag. @returns it, with the entries whose room is to be given back. */
  drop(name: string): Tag<Entry> | undefined {
    const tag = this.#tags.get(name);
    if (tag === undefined) return undefined;
    tag.dropped = true;
    tag.left = tag.size;
    if (tag.left > 0) this.dropped++;
    this.#delete(tag);
    return tag;
  }

  #delete({ name }: Tag<Entry>): void {
    this.#tags.delete(name);
    this.#grew(this.#size.removed(this.#tags.size));
  }

  #grew(slots: number): void {
    if (slots !== 0) this.#resized(slots * MAP_SLOT_BYTES);
  }
}

function tagBytes(name: string): number {
  return TAG_BYTES + textBytes(name);
}
