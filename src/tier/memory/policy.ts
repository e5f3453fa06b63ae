/**
 * The contract of an eviction policy: which entry goes when there are too many.
 *
 * A policy orders nodes and knows nothing of keys, values or time. Its owner keeps the entries,
 * tells of every access (in batches, in the order in which they came) and asks for a victim while
 * a bound is exceeded. A node is linked from `add` until `remove` or until `evict` returns it. No
 * method allocates per access.
 */

/** What a policy keeps of an entry. Only the policy writes the fields below `weight`. */
export interface PolicyNode {
  /** A seeded 32-bit hash of the key, so that nobody outside can choose keys that collide. */
  readonly hash: number;
  /**
   * The share of the cache that the entry takes: the larger of 1 / maxEntries and
   * bytes / maxBytes, in any unit, since weights are compared with sums of weights alone. The
   * owner changes it only through `reweigh`.
   */
  weight: number;
  previous: PolicyNode | undefined;
  next: PolicyNode | undefined;
  /** Which of its lists holds the node; the numbers are the policy's own, 0 is none. */
  queue: number;
  /** The policy's own count, mark or stamp. */
  mark: number;
}

/** An eviction policy. */
export interface EvictionPolicy {
  /** The weight that is to be left free beside the nodes. Default: 0. */
  readonly spareWeight?: number;
  /** Links a new node. Victims asked for afterwards are others, as long as there are any. */
  add(node: PolicyNode): void;
  /** Notes that a linked node was read or written again. */
  touch(node: PolicyNode): void;
  /** Notes a new weight of a linked node. */
  reweigh(node: PolicyNode, weight: number): void;
  /** Unlinks a node that its owner drops. */
  remove(node: PolicyNode): void;
  /** Unlinks and returns the node that should go; `undefined` when there is none. */
  evict(): PolicyNode | undefined;
  /** Forgets all nodes; what was learnt of frequencies may stay. */
  clear(): void;
}

/** The policies to choose from. */
export type PolicyName = "w-tinylfu" | "lru" | "lfu" | "fifo";
