import { describe, it } from "vitest";
import { tierContract } from "../../../src/testing/tier-contract.ts";
import { memoryTier } from "../../../src/tier/memory/memory-tier.ts";

describe("the memory tier", () => {
  const subject = {
    name: "memory",
    open: async (options: Parameters<typeof memoryTier>[0]) =>
      memoryTier({ maxEntries: 100_000, ...options, sweepEvery: 0 }),
  };
  for (const { name, run } of tierContract(subject)) it(`holds: ${name}`, run);
});
