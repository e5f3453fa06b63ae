/**
 * A set that may grow to millions without ever being copied in one go.
 *
 * A JavaScript set moves all it has when it outgrows its table or has become too small for it: with
 * a million, that holds the event loop for tens of milliseconds. A set that is large is therefore
 * many, by the hash of what is in it, and moves a part at a time.
 */

import { SET_SLOT_BYTES, TableSize } from "./table-size.ts";

/** What knows its hash, 32 bits of it. */
export interface Hashed {
  readonly hash: number;
}

/** A larger set is split; splitting it takes about 2 ms. */
const UNSPLIT_MAX = 16_384;
/** With a million, each has as many as one before the split. A power of two. */
const SHARDS = 64;

/** A list of sets. Measured. */
const SETS_BYTES = 96;
/** A set of its own, as long as it is small. Measured. */
const SET_BYTES = 208;

/** A set that knows how large its table is. */
class Shard<Item> extends TableSize {
  readonly items = new Set<Item>();
}

/** Items in no order. */
export class ShardedSet<Item extends Hashed> {
  #shards: readonly Shard<Item>[] = [new Shard()];
  #size = 0;
  #slots = 0;

  get size(): number {
    return this.#size;
  }

  /** What all of it takes of the heap, but the items. */
  get bytes(): number {
    return SETS_BYTES + this.#shards.length * SET_BYTES + this.#slots * SET_SLOT_BYTES;
  }

  add(item: Item): void {
    const shard = this.#shardOf(item);
    const before = shard.items.size;
    shard.items.add(item);
    if (shard.items.size === before) return;
    this.#size++;
    this.#slots += shard.added(shard.items.size);
    if (this.#size > UNSPLIT_MAX && this.#shards.length === 1) this.#split();
  }

  delete(item: Item): void {
    const shard = this.#shardOf(item);
    if (!shard.items.delete(item)) return;
    this.#size--;
    this.#slots += shard.removed(shard.items.size);
  }

  /** As many as there are now. The caller may pause, add and delete. */
  *[Symbol.iterator](): Generator<Item, void, undefined> {
    const shards = this.#shards.map(({ items }) => [items, items.size] as const);
    for (const [items, size] of shards) {
      let left = size;
      for (const item of items) {
        if (left-- === 0) break;
        yield item;
      }
    }
  }

  #shardOf(item: Item): Shard<Item> {
    return this.#shards[item.hash & (this.#shards.length - 1)] as Shard<Item>;
  }

  /** The one set stays as it is, for those who go through it. */
  #split(): void {
    const whole = this.#shards[0]?.items ?? [];
    this.#shards = Array.from({ length: SHARDS }, () => new Shard<Item>());
    this.#size = 0;
    this.#slots = 0;
    for (const item of whole) this.add(item);
  }
}
