/** Of the tier contract: leases, for tiers that have them. */

import { strict as assert } from "node:assert";
import type { LeaseHost } from "../../tier/tier.ts";
import { type CaseContext, HOUR_MS, rejectsWith, type TierCases } from "./context.ts";

const LEASE_MS = 1_000;

function leasesOf({ tier }: CaseContext): LeaseHost {
  assert.ok(tier.leases, "the tier has no leases");
  return tier.leases;
}

export const leases: TierCases = {
  needs: "leases",
  cases: {
    "is one holder's until it is given back": async (context) => {
      const host = leasesOf(context);
      const token = await host.acquireLease("a", LEASE_MS);
      assert.ok(token);
      assert.equal(await host.acquireLease("a", LEASE_MS), undefined);
      assert.ok(await host.acquireLease("b", LEASE_MS));

      await host.releaseLease("a", token);

      const next = await host.acquireLease("a", LEASE_MS);
      assert.ok(next);
      assert.notEqual(next, token);
    },

    "is one holder's of many who ask at once": async (context) => {
      const host = leasesOf(context);
      const tokens = await Promise.all(
        Array.from({ length: 50 }, () => host.acquireLease("a", LEASE_MS)),
      );

      assert.equal(tokens.filter((token) => token !== undefined).length, 1);
    },

    "is free when its time is over, and then its first holder's no more": async (context) => {
      const host = leasesOf(context);
      const first = await host.acquireLease("a", LEASE_MS);
      context.clock.advance(LEASE_MS - 1);
      assert.equal(await host.acquireLease("a", LEASE_MS), undefined);
      context.clock.advance(1);
      const second = await host.acquireLease("a", LEASE_MS);
      assert.ok(first !== undefined && second !== undefined && first !== second);

      await host.releaseLease("a", first);

      assert.equal(await host.acquireLease("a", LEASE_MS), undefined);
    },

    "is given back only with its token": async (context) => {
      const host = leasesOf(context);
      await host.acquireLease("a", LEASE_MS);
      await host.releaseLease("a", "not the token");
      await host.releaseLease("never taken", "not the token");

      assert.equal(await host.acquireLease("a", LEASE_MS), undefined);
    },

    "lasts longer when its holder renews it": async (context) => {
      const host = leasesOf(context);
      const token = (await host.acquireLease("a", LEASE_MS)) ?? "";
      context.clock.advance(LEASE_MS - 1);
      assert.equal(await host.renewLease("a", token, LEASE_MS), true);
      context.clock.advance(LEASE_MS - 1);
      assert.equal(await host.acquireLease("a", LEASE_MS), undefined);

      context.clock.advance(1);

      assert.ok(await host.acquireLease("a", LEASE_MS));
    },

    "is renewed by nobody else, and not when another has taken it": async (context) => {
      const host = leasesOf(context);
      const first = (await host.acquireLease("a", LEASE_MS)) ?? "";
      assert.equal(await host.renewLease("a", "not the token", HOUR_MS), false);
      assert.equal(await host.renewLease("never taken", first, HOUR_MS), false);
      context.clock.advance(LEASE_MS);
      assert.ok(await host.acquireLease("a", LEASE_MS));

      assert.equal(await host.renewLease("a", first, HOUR_MS), false);

      context.clock.advance(LEASE_MS);
      assert.ok(await host.acquireLease("a", LEASE_MS));
    },

    "does not last when the clock is set back": async (context) => {
      const host = leasesOf(context);
      context.clock.advance(2 * HOUR_MS);
      await host.acquireLease("a", LEASE_MS);
      context.clock.setBack(HOUR_MS);

      assert.ok(await host.acquireLease("a", LEASE_MS));
    },

    "is refused after the end": async (context) => {
      const host = leasesOf(context);
      await context.tier.close();

      await rejectsWith("CLOSED", () => host.acquireLease("a", LEASE_MS));
      await rejectsWith("CLOSED", () => host.renewLease("a", "token", LEASE_MS));
      await rejectsWith("CLOSED", () => host.releaseLease("a", "token"));
    },
  },
};
