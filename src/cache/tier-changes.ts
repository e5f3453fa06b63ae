/**
 * Changes of an outbox as calls of a tier.
 *
 * A codec may refuse a value that the cache let pass (a text of more than 512 MB), or lack a
 * package, and so may a tier of somebody else. Such an entry fails for ever and would hold up all
 * that waits behind it: a drop that never arrives is an old value that is served again. So it is
 * found, by halves, and is a refusal like that of an entry which is too large: it is kept out, and
 * its key has nothing.
 */

import type { ErrorCode } from "../core/errors.ts";
import type { Tier, TierEntry } from "../tier/tier.ts";
import type { WideChange } from "./outbox.ts";

export async function sendWide(tier: Tier, change: WideChange): Promise<void> {
  if (change.kind === "prefix") await tier.dropPrefix(change.prefix);
  else await tier.dropTags(change.tags);
}

/** What trying again cannot mend. Every other error is an outage of the tier. */
const FINAL: readonly unknown[] = ["INVALID_ARGUMENT", "MISSING_DEPENDENCY"] satisfies ErrorCode[];

/** What a tier said of an entry that it can never take. */
export type Refusal = Error & { readonly code: ErrorCode };

/** An entry that a tier can never take. */
export interface RefusedEntry {
  readonly key: string;
  readonly error: Refusal;
}

/** Sets entries, and gives what the tier refused in place of throwing it. */
export async function setOrRefusal(
  tier: Tier,
  entries: readonly TierEntry[],
): Promise<Refusal | undefined> {
  try {
    await tier.setMany(entries);
    return undefined;
  } catch (error) {
    if (isRefusal(error)) return error;
    throw error;
  }
}

/** Sets all entries but those that are refused. @throws what a tier that fails throws. */
export async function setAcceptable(
  entries: readonly TierEntry[],
  set: (entries: readonly TierEntry[]) => Promise<Refusal | undefined>,
): Promise<readonly RefusedEntry[]> {
  const error = await set(entries);
  const [first] = entries;
  if (error === undefined || first === undefined) return [];
  if (entries.length === 1) return [{ key: first.key, error }];
  const half = Math.ceil(entries.length / 2);
  const before = await setAcceptable(entries.slice(0, half), set);
  return [...before, ...(await setAcceptable(entries.slice(half), set))];
}

/** By its code alone: a tier of somebody else may throw errors of its own. */
function isRefusal(error: unknown): error is Refusal {
  return error instanceof Error && FINAL.includes((error as Partial<Refusal>).code);
}
