/** Least recently used: the entry goes that has not been read or written for longest. */

import { NO_QUEUE, NodeList } from "./node-list.ts";
import type { EvictionPolicy, PolicyNode } from "./policy.ts";

/** One list in the order of use. */
export class Lru implements EvictionPolicy {
  readonly #list = new NodeList(1);

  add(node: PolicyNode): void {
    this.#list.push(node);
  }

  touch(node: PolicyNode): void {
    if (node.queue !== NO_QUEUE) this.#list.renew(node);
  }

  reweigh(node: PolicyNode, weight: number): void {
    this.#list.reweigh(node, weight);
  }

  remove(node: PolicyNode): void {
    this.#list.remove(node);
  }

  evict(): PolicyNode | undefined {
    const { oldest } = this.#list;
    if (oldest !== undefined) this.#list.remove(oldest);
    return oldest;
  }

  clear(): void {
    this.#list.clear();
  }
}
