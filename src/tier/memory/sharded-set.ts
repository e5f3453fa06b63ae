/**
 * A set that may grow to millions without ever being copied in one go.
 *
 * A JavaScript set moves all it has when it outgrows its table or has become too small for it: with
 * a million, that holds the event loop for tens of milliseconds. A set that is large is therefore
 * many, by the hash of what is in it, and moves a part at a time.
 */

/** What knows its hash, 32 bits of it. */
export interface Hashed {
  readonly hash: number;
}

/** A larger set is split; splitting it takes about 2 ms. */
const UNSPLIT_MAX = 16_384;
/** With a million, each has as many as one before the split. A power of two. */
const SHARDS = 64;

/** Items in no order. */
export class ShardedSet<Item extends Hashed> {
  #shards: readonly Set<Item>[] = [new Set()];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(item: Item): void {
    const shard = this.#shardOf(item);
    const before = shard.size;
    shard.add(item);
    this.#size += shard.size - before;
    if (this.#size > UNSPLIT_MAX && this.#shards.length === 1) this.#split();
  }

  delete(item: Item): void {
    if (this.#shardOf(item).delete(item)) this.#size--;
  }

  /** As many as there are now. The caller may pause, add and delete. */
  *[Symbol.iterator](): Generator<Item, void, undefined> {
    const shards = this.#shards.map((shard) => [shard, shard.size] as const);
    for (const [shard, size] of shards) {
      let left = size;
      for (const item of shard) {
        if (left-- === 0) break;
        yield item;
      }
    }
  }

  #shardOf(item: Item): Set<Item> {
    return this.#shards[item.hash & (this.#shards.length - 1)] as Set<Item>;
  }

  /** The one set stays as it is, for those who go through it. */
  #split(): void {
    const [whole = new Set<Item>()] = this.#shards;
    this.#shards = Array.from({ length: SHARDS }, () => new Set<Item>());
    for (const item of whole) this.#shardOf(item).add(item);
  }
}
