/**
 * Least frequently used, in constant time: the entry goes that has been used least often since it
 * came; of several, the one whose last use is longest ago. The newest entry stays until the next
 * one comes: whoever sets a value and reads it at once finds it.
 *
 * A class holds the nodes of one count in the order of their last use, and the classes form a list
 * by rising count (Shah, Mitra, Matani, "An O(1) algorithm for implementing the LFU cache eviction
 * scheme", 2010). A use moves a node to the class above. Classes that fall empty are kept for the
 * next count that needs one, so that there are never more than there were counts at one time.
 *
 * Limit: counts never fade. What was popular once stays; take it only where popularity is fixed.
 */

import { NO_QUEUE, NodeList } from "./node-list.ts";
import type { EvictionPolicy, PolicyNode } from "./policy.ts";

/** The nodes that have been used `count` times. */
interface CountClass {
  readonly nodes: NodeList;
  count: number;
  below: CountClass | undefined;
  above: CountClass | undefined;
}

/** Lists by count; `PolicyNode.queue` is the number of the class, counted from 1. */
export class Lfu implements EvictionPolicy {
  readonly #classes: CountClass[] = [];
  readonly #unused: CountClass[] = [];
  #lowest: CountClass | undefined;
  #newest: PolicyNode | undefined;

  add(node: PolicyNode): void {
    const lowest = this.#lowest;
    const first = lowest?.count === 1 ? lowest : this.#insert(1, undefined, lowest);
    first.nodes.push(node);
    this.#newest = node;
  }

  touch(node: PolicyNode): void {
    if (node.queue === NO_QUEUE) return;
    const own = this.#classOf(node);
    const { above, count } = own;
    if (above?.count !== count + 1 && own.nodes.size === 1) {
      own.count++;
      return;
    }
    const next = above?.count === count + 1 ? above : this.#insert(count + 1, own, above);
    this.#unlink(node);
    next.nodes.push(node);
  }

  reweigh(node: PolicyNode, weight: number): void {
    this.#classOf(node).nodes.reweigh(node, weight);
  }

  remove(node: PolicyNode): void {
    if (node === this.#newest) this.#newest = undefined;
    this.#unlink(node);
  }

  evict(): PolicyNode | undefined {
    const lowest = this.#lowest;
    const oldest = lowest?.nodes.oldest;
    const isNewest = oldest === this.#newest;
    const node = isNewest ? (oldest?.next ?? lowest?.above?.nodes.oldest ?? oldest) : oldest;
    if (node !== undefined) this.remove(node);
    return node;
  }

  clear(): void {
    while (this.evict() !== undefined);
  }

  #unlink(node: PolicyNode): void {
    const own = this.#classOf(node);
    own.nodes.remove(node);
    if (own.nodes.size === 0) this.#shelve(own);
  }

  #classOf(node: PolicyNode): CountClass {
    return this.#classes[node.queue - 1] as CountClass;
  }

  #insert(count: number, below: CountClass | undefined, above: CountClass | undefined): CountClass {
    const fresh = this.#unused.pop() ?? this.#create();
    fresh.count = count;
    fresh.below = below;
    fresh.above = above;
    if (below === undefined) this.#lowest = fresh;
    else below.above = fresh;
    if (above !== undefined) above.below = fresh;
    return fresh;
  }

  #create(): CountClass {
    const nodes = new NodeList(this.#classes.length + 1);
    const created: CountClass = { nodes, count: 0, below: undefined, above: undefined };
    this.#classes.push(created);
    return created;
  }

  #shelve(empty: CountClass): void {
    const { below, above } = empty;
    if (below === undefined) this.#lowest = above;
    else below.above = above;
    if (above !== undefined) above.below = below;
    empty.below = undefined;
    empty.above = undefined;
    this.#unused.push(empty);
  }
}
