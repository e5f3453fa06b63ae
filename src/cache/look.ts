/** Looks that are no reads: what a tier has not is not counted as a miss there, nor read. */

import type { TierEntry } from "../tier/tier.ts";
import type { GuardedTier } from "./guarded-tier.ts";

/** The entry of a key; undefined where the tier has none, or fails. */
export async function lookInto(guarded: GuardedTier, key: string): Promise<TierEntry | undefined> {
  if (!guarded.isPending(key)) {
    const [isThere] = await guarded.read((tier) => tier.hasMany([key]), [false]);
    // What came meanwhile waits to be set, or was set by another process: that is the next look's.
    if (isThere !== true && !guarded.isPending(key)) return undefined;
  }
  const [entry] = await guarded.getMany([key]);
  return entry;
}
