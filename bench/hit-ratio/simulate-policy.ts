/** One of our policies, the very code that the memory tier runs, over a trace. */

import { createPolicy } from "../../src/tier/memory/create-policy.ts";
import type { PolicyName, PolicyNode } from "../../src/tier/memory/policy.ts";
import type { Trace } from "./trace.ts";

/** Beginning of the numbers that the policy draws, so that a run can be repeated. */
const SEED = 0x5eed;

/** The hits with room for `size` keys. */
export function simulatePolicy(
  name: PolicyName,
  { keys, uniqueKeys }: Trace,
  size: number,
): number {
  const policy = createPolicy(name, { capacity: size, random: pseudoRandom(SEED) });
  const nodes = new Array<PolicyNode | undefined>(uniqueKeys);
  let hits = 0;
  let held = 0;
  for (const key of keys) {
    const known = nodes[key];
    if (known !== undefined && known.queue !== 0) {
      hits++;
      policy.touch(known);
      continue;
    }
    const node = known ?? nodeOf(key, 1 / size);
    nodes[key] = node;
    policy.add(node);
    held++;
    for (; held > size; held--) policy.evict();
  }
  return hits;
}

function nodeOf(key: number, weight: number): PolicyNode {
  return { hash: hashOf(key), weight, previous: undefined, next: undefined, queue: 0, mark: 0 };
}

/** The finishing mix of MurmurHash3 (Appleby): it stands for the seeded hash of a real key. */
function hashOf(key: number): number {
  let hash = key + SEED;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

/** A linear congruential generator (Numerical Recipes). */
function pseudoRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
