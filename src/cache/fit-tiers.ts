/** Which tiers a cache can stand on. */

import { assertList, assertMethods, assertText } from "../core/arguments.ts";
import { SpringhouseError } from "../core/errors.ts";
import { MemoryTier } from "../tier/memory/memory-tier.ts";
import type { LeaseHost, Tier } from "../tier/tier.ts";
import type { ResolvedCategory } from "./options.ts";

const TIER_METHODS: readonly (string & keyof Tier)[] = [
  "getMany",
  "lookMany",
  "setMany",
  "expireMany",
  "dropMany",
  "dropTags",
  "dropPrefix",
  "keys",
  "clear",
  "sweep",
  "statistics",
  "resetStatistics",
  "close",
];

const LEASE_METHODS: readonly (keyof LeaseHost)[] = ["acquireLease", "renewLease", "releaseLease"];

/** Throws for what is no list of tiers, and for tiers that cannot stand together. */
export function refuseUnfitTiers(tiers: readonly Tier[], warmStart: boolean): void {
  assertList("createCache: tiers", tiers);
  for (const [index, tier] of tiers.entries()) {
    assertMethods(`createCache: tiers.${index}`, "a tier", tier, TIER_METHODS);
    assertText(`createCache: tiers.${index}.name`, tier.name);
    if (tier.leases !== undefined) {
      const name = `createCache: tiers.${index}.leases`;
      assertMethods(name, "a host of leases", tier.leases, LEASE_METHODS);
    }
  }
  const names = tiers.map(({ name }) => name);
  const why = misfit(tiers, names, warmStart);
  if (why === undefined) return;
  throw new SpringhouseError("INVALID_ARGUMENT", `tiers: ${why}.`, { fields: { names } });
}

function misfit(
  tiers: readonly Tier[],
  names: readonly string[],
  warmStart: boolean,
): string | undefined {
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) {
    return `two tiers have the name "${twice}": give one of them another name`;
  }
  if (tiers.slice(1).some((tier) => tier instanceof MemoryTier)) {
    return "the memory tier is the fastest and comes first";
  }
  if (tiers.length === 0) return "a cache has at least one tier";
  if (warmStart && !(tiers.length > 1 && tiers[0] instanceof MemoryTier)) {
    return "warmStart fills memory from a tier below it, and needs both";
  }
  return undefined;
}

/** Throws for a limit of a category above that of all, which it could never reach. */
export function refuseIdleLimit({ name, room }: ResolvedCategory, tier: MemoryTier): void {
  const { maxEntries } = tier.limits;
  const own = room?.maxEntries;
  if (own === undefined || own === Number.POSITIVE_INFINITY || own <= maxEntries) return;
  throw new SpringhouseError(
    "INVALID_ARGUMENT",
    `Category "${name}": maxEntries: ${own} is more than the ${maxEntries} of the tier ` +
      `"${tier.name}", which hold for all categories together. Give the tier more: ` +
      "memoryTier({ maxEntries }).",
    { fields: { category: name, maxEntries: own, tier: tier.name } },
  );
}
