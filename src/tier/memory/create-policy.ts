/** The eviction policies by name. */

import { Fifo } from "./fifo.ts";
import { Lfu } from "./lfu.ts";
import { Lru } from "./lru.ts";
import type { EvictionPolicy, PolicyName } from "./policy.ts";
import { WTinyLfu } from "./w-tinylfu.ts";

/** What a policy has to know of its cache. */
export interface PolicyOptions {
  /** The most entries that are expected; may be `Infinity`. What is kept of them grows as they
   * come, and not beyond this. */
  readonly capacity: number;
  /** From 0 up to 1, for decisions that nobody outside may foresee. Default: `Math.random`. */
  readonly random?: () => number;
}

/** A new policy without nodes. */
export function createPolicy(name: PolicyName, options: PolicyOptions): EvictionPolicy {
  switch (name) {
    case "w-tinylfu":
      return new WTinyLfu(options.capacity, options.random);
    case "lru":
      return new Lru();
    case "lfu":
      return new Lfu();
    case "fifo":
      return new Fifo();
  }
}
