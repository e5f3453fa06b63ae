/** The leases of the breakable tier. */

import type { LeaseHost } from "../../src/tier/tier.ts";
import type { Breach } from "./breaches.ts";

interface Lease {
  readonly token: string;
  readonly untilMs: number;
  readonly durationMs: number;
}

/** Leases that keep the contract but for one breach. */
export function breakableLeases(
  is: (breach: Breach) => boolean,
  begin: () => void,
  nowMs: () => number,
): LeaseHost {
  const leases = new Map<string, Lease>();
  return {
    acquireLease: async (key, durationMs) => {
      if (!is("lease after close")) begin();
      if (is("lease races")) await new Promise((resolve) => setImmediate(resolve));
      const now = nowMs();
      const held = leases.get(key);
      const ahead = held !== undefined && held.untilMs > now + 2 * held.durationMs;
      const lasts = held !== undefined && (is("lease lasts") || held.untilMs > now);
      const busy = lasts && (!ahead || is("lease ignores the clock"));
      if (busy && !is("lease is shared")) return undefined;
      const lease = { token: String(Math.random()), untilMs: now + durationMs, durationMs };
      if (is("lease races")) setImmediate(() => leases.set(key, lease));
      else leases.set(key, lease);
      return lease.token;
    },
    renewLease: async (key, token, durationMs) => {
      if (!is("lease after close")) begin();
      const lease = leases.get(key);
      const mine = lease?.token === token || (lease !== undefined && is("lease is renewed by all"));
      if (!mine) return is("lease is renewed by all");
      if (!is("lease is not renewed")) {
        leases.set(key, {
          token: lease?.token ?? token,
          untilMs: nowMs() + durationMs,
          durationMs,
        });
      }
      return true;
    },
    releaseLease: async (key, token) => {
      if (!is("lease after close")) begin();
      const mine = leases.get(key)?.token === token || is("lease is anybody's");
      if (mine) leases.delete(key);
    },
  };
}
