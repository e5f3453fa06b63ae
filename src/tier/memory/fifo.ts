/** First in, first out: the entry goes that has been in the cache for longest, used or not. */

import { NodeList } from "./node-list.ts";
import type { EvictionPolicy, PolicyNode } from "./policy.ts";

/** One list in the order of arrival. */
export class Fifo implements EvictionPolicy {
  readonly #list = new NodeList(1);

  add(node: PolicyNode): void {
    this.#list.push(node);
  }

  /** Does nothing: use does not count. */
  touch(): void {}

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
