/** What stands around a policy in its tests: an owner of entries, and streams of keys. */

import type { EvictionPolicy, PolicyNode } from "../../../src/tier/memory/policy.ts";

/** A node that is in no policy yet. */
export function nodeOf(hash: number, weight: number): PolicyNode {
  return { hash, weight, previous: undefined, next: undefined, queue: 0, mark: 0 };
}

/** A good hash of small numbers: the finishing mix of MurmurHash3. */
export function hashOf(key: number): number {
  let hash = key + 1;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

/** Numbers from 0 up to 1, the same for the same seed. */
export function pseudoRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Keeps entries within a weight of 1, as the memory tier does. */
export class PolicyOwner {
  readonly nodes = new Map<number, PolicyNode>();
  /** The keys that went, in their order. */
  readonly gone: number[] = [];
  readonly #policy: EvictionPolicy;
  readonly #entriesMax: number;
  #keys = new Map<PolicyNode, number>();
  #weight = 0;

  constructor(policy: EvictionPolicy, entriesMax: number) {
    this.#policy = policy;
    this.#entriesMax = entriesMax;
  }

  /** Reads a key, or puts it in; whether it was there. */
  access(key: number, weight: number = 1 / this.#entriesMax, hash: number = hashOf(key)): boolean {
    const known = this.nodes.get(key);
    if (known !== undefined) {
      this.#policy.touch(known);
      return true;
    }
    const node = nodeOf(hash, weight);
    this.nodes.set(key, node);
    this.#keys.set(node, key);
    this.#weight += weight;
    this.#policy.add(node);
    this.shrink();
    return false;
  }

  /** The share of hits among accesses. */
  hitRatio(keys: Iterable<number>): number {
    let hits = 0;
    let accesses = 0;
    for (const key of keys) {
      accesses++;
      if (this.access(key)) hits++;
    }
    return hits / accesses;
  }

  remove(key: number): void {
    const node = this.nodes.get(key);
    if (node === undefined) return;
    this.#policy.remove(node);
    this.#forget(node);
  }

  reweigh(key: number, weight: number): void {
    const node = this.nodes.get(key);
    if (node === undefined) return;
    this.#weight += weight - node.weight;
    this.#policy.reweigh(node, weight);
    this.shrink();
  }

  /** Asks for one victim; false when there is none. */
  evict(): boolean {
    const node = this.#policy.evict();
    if (node === undefined) return false;
    const key = this.#keys.get(node);
    if (key === undefined) throw new Error("The policy gave a node that is not linked.");
    this.gone.push(key);
    this.#forget(node);
    return true;
  }

  clear(): void {
    this.#policy.clear();
    for (const node of [...this.nodes.values()]) this.#forget(node);
  }

  shrink(): void {
    const rounding = 1e-9;
    const weightMax = 1 - (this.#policy.spareWeight ?? 0) + rounding;
    while (this.nodes.size > this.#entriesMax || this.#weight > weightMax) {
      if (!this.evict()) throw new Error("Too much is held and the policy has no victim.");
    }
  }

  #forget(node: PolicyNode): void {
    this.nodes.delete(this.#keys.get(node) ?? Number.NaN);
    this.#keys.delete(node);
    this.#weight -= node.weight;
  }
}

/** `length` draws from `keys` keys, of which the n-th is drawn in proportion to 1 / n^exponent. */
export function* zipf(
  keys: number,
  exponent: number,
  length: number,
  random: () => number,
): Generator<number> {
  const sums = new Float64Array(keys);
  let sum = 0;
  for (let key = 0; key < keys; key++) {
    sum += (key + 1) ** -exponent;
    sums[key] = sum;
  }
  for (let drawn = 0; drawn < length; drawn++) {
    const at = random() * sum;
    let low = 0;
    for (let high = keys - 1; low < high; ) {
      const middle = (low + high) >> 1;
      if ((sums[middle] as number) < at) low = middle + 1;
      else high = middle;
    }
    yield low;
  }
}

/** The keys 0 to `keys` - 1, over and over. */
export function* loop(keys: number, length: number): Generator<number> {
  for (let index = 0; index < length; index++) yield index % keys;
}

/** Ever new keys, each of which comes once more after `distance` other keys, then never again. */
export function* pairs(distance: number, length: number, first: number): Generator<number> {
  const later = Math.floor(distance / 2);
  for (let index = 0; index < length; index++) {
    const pair = Math.floor(index / 2);
    yield first + (index % 2 === 0 ? pair : Math.max(0, pair - later));
  }
}

/** The one and the other in turn, the second as often as `share` says. */
export function* mixed(
  first: Iterator<number>,
  second: Iterator<number>,
  share: number,
  random: () => number,
): Generator<number> {
  for (;;) {
    const { done, value } = (random() < share ? second : first).next();
    if (done) return;
    yield value;
  }
}
