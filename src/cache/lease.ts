/**
 * Leases of keys, so that of several processes that miss a key one loads it and the others wait
 * for what it stores. A tier that they share keeps the leases.
 *
 * A lease is a courtesy and no lock: when its tier fails, everybody loads for himself, and when its
 * holder is gone, the next one does as soon as the lease is over. Who loads renews it meanwhile.
 */

import type { Clock } from "../core/clock.ts";
import type { EntryLook, LeaseHost, Tier, TierEntry } from "../tier/tier.ts";
import type { GuardedTier } from "./guarded-tier.ts";
import type { LoadTimers } from "./load-timers.ts";

/** A holder that was killed holds others up for as long. */
const LEASE_MS = 10_000;
/** Often enough that one renewal may fail, and the next be late. */
const RENEW_EVERY_MS = LEASE_MS / 4;
/** A load that lasts longer may run twice: somebody has to doubt that it will ever end. */
const HELD_MS_MAX = 300_000;
/** Between two looks at whether the holder has stored its value: an eighth of what was waited. */
const POLL_MS_MIN = 20;
const POLL_MS_MAX = 250;
const POLL_SHARE = 1 / 8;

/** What came of asking for a lease. */
export type LeaseAnswer =
  /**
   * The key is to be loaded; `release` when the value is stored. Until then the lease is renewed,
   * or until `letEnd` when nobody wants the value any more.
   */
  | { readonly kind: "load"; release(): Promise<void>; letEnd(): void }
  /** Another process has stored it meanwhile. */
  | { readonly kind: "found"; readonly entry: TierEntry }
  /** Another process loads it. */
  | { readonly kind: "held" };

/** Nobody is to be waited for, and nothing is to be given back. */
export const FREE: LeaseAnswer = {
  kind: "load",
  release: async () => undefined,
  letEnd: () => undefined,
};

/** The first tier that keeps leases. */
export function leaseTierOf(tiers: readonly GuardedTier[]): GuardedTier | undefined {
  return tiers.find(({ tier }) => tier.leases !== undefined);
}

/** Asks once. @param isGood whether an entry does instead of a load. */
export async function askLease(
  guarded: GuardedTier,
  key: string,
  clock: Clock,
  isGood: (entry: EntryLook) => boolean,
): Promise<LeaseAnswer> {
  const host = (tier: Tier): LeaseHost => tier.leases as LeaseHost;
  // A tier that fails says neither yes nor no: then nobody is to wait for it.
  const token = await guarded.read((tier) => host(tier).acquireLease(key, LEASE_MS), "");
  if (token === "") return FREE;
  const renew = (): Promise<boolean> =>
    guarded.read((tier) => host(tier).renewLease(key, token ?? "", LEASE_MS), true);
  const renewing = token === undefined ? undefined : keepRenewing(renew, clock);
  const letEnd = (): void => renewing?.[Symbol.dispose]();
  const release = async (): Promise<void> => {
    letEnd();
    if (token === undefined) return;
    await guarded.read((tier) => host(tier).releaseLease(key, token), undefined);
  };
  const look = await guarded.look(key);
  const [entry] = look !== undefined && isGood(look) ? await guarded.getMany([key]) : [];
  if (entry !== undefined && isGood(entry) && guarded.own(entry) !== undefined) {
    await release();
    return { kind: "found", entry };
  }
  return token === undefined ? { kind: "held" } : { kind: "load", release, letEnd };
}

/** Renews a lease until it is disposed of, is another's, or has been held for too long. */
function keepRenewing(renew: () => Promise<boolean>, clock: Clock): Disposable {
  const endMs = clock.monotonicMs() + HELD_MS_MAX;
  let timer: Disposable | undefined;
  let isOver = false;
  const renewLater = (): void => {
    if (isOver || clock.monotonicMs() >= endMs) return;
    timer = clock.schedule(() => {
      // A tier that fails says nothing of who has the lease.
      void renew()
        .catch(() => true)
        .then((isMine) => (isMine ? renewLater() : undefined));
    }, RENEW_EVERY_MS);
  };
  renewLater();
  return {
    [Symbol.dispose]: () => {
      isOver = true;
      timer?.[Symbol.dispose]();
    },
  };
}

/** Asks again and again while somebody waits; "held" when nobody does any more. */
export async function awaitLease(
  clock: Clock,
  timers: LoadTimers,
  ask: () => Promise<LeaseAnswer>,
  isOver: () => boolean,
): Promise<LeaseAnswer> {
  const startMs = clock.monotonicMs();
  for (;;) {
    if (isOver()) return { kind: "held" };
    const waitedMs = clock.monotonicMs() - startMs;
    // A lease that never ends is none: a courtesy is no reason to go without.
    if (waitedMs >= HELD_MS_MAX) return FREE;
    const pauseMs = Math.min(POLL_MS_MAX, Math.max(POLL_MS_MIN, waitedMs * POLL_SHARE));
    await new Promise<void>((resolve) => timers.start(resolve, pauseMs));
    const answer = await ask();
    if (answer.kind !== "held") return answer;
  }
}
