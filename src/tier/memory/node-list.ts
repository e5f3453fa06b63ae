/**
 * A doubly linked list whose links lie in the nodes, so that moving one costs a few writes and
 * allocates nothing. It runs from the oldest to the newest.
 *
 * Invariant: a node whose `queue` is the list's own number is in the list, exactly once, and
 * `weight` is the sum of the weights of its nodes, up to the rounding of floating-point sums. It is
 * never below 0, and exactly 0 when the list is empty, so that the rounding cannot add up for ever.
 */

import type { PolicyNode } from "./policy.ts";

/** The `queue` of a node that is in no list. */
export const NO_QUEUE = 0;

/** An intrusive list of nodes. */
export class NodeList {
  readonly queue: number;
  oldest: PolicyNode | undefined;
  newest: PolicyNode | undefined;
  size = 0;
  weight = 0;

  /** `queue` is what `PolicyNode.queue` is while a node is in this list; not 0. */
  constructor(queue: number) {
    this.queue = queue;
  }

  /** Links a node that is in no list, as the newest. */
  push(node: PolicyNode): void {
    const { newest } = this;
    node.queue = this.queue;
    node.previous = newest;
    node.next = undefined;
    if (newest === undefined) this.oldest = node;
    else newest.next = node;
    this.newest = node;
    this.size++;
    this.weight += node.weight;
  }

  /** Unlinks a node of this list. */
  remove(node: PolicyNode): void {
    this.#detach(node);
    node.queue = NO_QUEUE;
    node.previous = undefined;
    node.next = undefined;
    this.size--;
    this.weight = this.size === 0 ? 0 : Math.max(0, this.weight - node.weight);
  }

  /** Makes a node of this list its newest. */
  renew(node: PolicyNode): void {
    const { newest } = this;
    if (newest === node || newest === undefined) return;
    this.#detach(node);
    node.previous = newest;
    node.next = undefined;
    newest.next = node;
    this.newest = node;
  }

  /** Notes a new weight of a node of this list. */
  reweigh(node: PolicyNode, weight: number): void {
    this.weight = Math.max(0, this.weight + weight - node.weight);
    node.weight = weight;
  }

  /** Unlinks all nodes. */
  clear(): void {
    for (let node = this.oldest; node !== undefined; node = this.oldest) this.remove(node);
  }

  #detach({ previous, next }: PolicyNode): void {
    if (previous === undefined) this.oldest = next;
    else previous.next = next;
    if (next === undefined) this.newest = previous;
    else next.previous = previous;
  }
}
