/**
 * Leases of keys, so that of several processes that miss a key one loads it and the others wait
 * for what it stores. A tier that they share keeps the leases.
 *
 * A lease is a courtesy and no lock: when its tier fails, or its holder is gone for longer than the
 * lease lasts, everybody loads for himself.
 */

import type { Clock } from "../core/clock.ts";
import type { LeaseHost, Tier, TierEntry } from "../tier/tier.ts";
import type { GuardedTier } from "./guarded-tier.ts";

/** A holder that was killed holds others up for as long; a load that lasts longer may run twice. */
const LEASE_MS = 10_000;
/** Between two looks at whether the holder has stored its value. */
const POLL_MS = 20;

/** What came of asking for a lease. */
export type LeaseAnswer =
  /** The key is to be loaded; `release` when the value is stored. */
  | { readonly kind: "load"; release(): Promise<void> }
  /** Another process has stored it meanwhile. */
  | { readonly kind: "found"; readonly entry: TierEntry }
  /** Another process loads it. */
  | { readonly kind: "held" };

/** Nobody is to be waited for, and nothing is to be given back. */
export const FREE: LeaseAnswer = { kind: "load", release: async () => undefined };

/** The first tier that keeps leases. */
export function leaseTierOf(tiers: readonly GuardedTier[]): GuardedTier | undefined {
  return tiers.find(({ tier }) => tier.leases !== undefined);
}

/** Asks once. @param isGood whether an entry does instead of a load. */
export async function askLease(
  guarded: GuardedTier,
  key: string,
  isGood: (entry: TierEntry) => boolean,
): Promise<LeaseAnswer> {
  const host = (tier: Tier): LeaseHost => tier.leases as LeaseHost;
  // A tier that fails says neither yes nor no: then nobody is to wait for it.
  const token = await guarded.read((tier) => host(tier).acquireLease(key, LEASE_MS), "");
  if (token === "") return FREE;
  const release = async (): Promise<void> => {
    if (token === undefined) return;
    await guarded.read((tier) => host(tier).releaseLease(key, token), undefined);
  };
  const [entry] = await guarded.getMany([key]);
  if (entry !== undefined && isGood(entry)) {
    await release();
    return { kind: "found", entry };
  }
  return token === undefined ? { kind: "held" } : { kind: "load", release };
}

/**
 * Asks again and again while somebody waits; "held" when nobody does any more. Who has waited for
 * as long as a lease lasts need not wait longer.
 */
export async function awaitLease(
  clock: Clock,
  ask: () => Promise<LeaseAnswer>,
  isOver: () => boolean,
): Promise<LeaseAnswer> {
  const endMs = clock.monotonicMs() + LEASE_MS;
  for (;;) {
    if (isOver()) return { kind: "held" };
    // Whoever has it so long is slow, dead, or renews it: a courtesy is no reason to go without.
    if (clock.monotonicMs() >= endMs) return FREE;
    await new Promise<void>((resolve) => clock.schedule(resolve, POLL_MS, true));
    const answer = await ask();
    if (answer.kind !== "held") return answer;
  }
}
