import { describe, expect, it } from "vitest";
import { tooLong } from "../../src/testing/tier/responsiveness.ts";
import { type TierSubject, tierContract } from "../../src/testing/tier-contract.ts";
import { memoryTier } from "../../src/tier/memory/memory-tier.ts";
import { BREACHES, type Breach } from "./breaches.ts";
import { BreakableTier } from "./breakable-tier.ts";

/** Cases of thousands of keys take their time: only breaches that need them run them. */
const LARGE = /thousand|event loop|left early|goes on/;
const ABOUT_LARGE = /thousand|many|chunk|position|left early|blocks$/;

describe("the tier contract", () => {
  for (const { name, run } of tierContract(subject())) it(`holds: ${name}`, run);

  it("leaves out what needs an ability that the subject lacks", () => {
    const { name, open } = subject();
    const names = tierContract({ name, open }).map((each) => each.name);

    expect(names.length).toBeGreaterThan(50);
    expect(names.filter((each) => /^(damage|a lease)/.test(each))).toEqual([]);
  });

  it.each<[string, unknown, RegExp]>([
    ["nothing", undefined, /subject must be a name with open, not undefined/],
    ["an empty object", {}, /no method open/],
    ["a name alone", { name: "mine" }, /no method open/],
    ["a number to open", { name: "mine", open: 5 }, /no method open/],
    ["no name", { open: () => undefined }, /name must be a text/],
    ["a flag to reopen", { ...subject(), reopen: true }, /reopen must be a function/],
    ["a flag to damage", { ...subject(), damage: true }, /damage must be a function/],
  ])("refuses %s as its subject", (_, given, message) => {
    const refused = { code: "INVALID_ARGUMENT", message: expect.stringMatching(message) };

    expect(() => tierContract(given as TierSubject)).toThrow(expect.objectContaining(refused));
  });
});

describe("the message of a call that holds the event loop", () => {
  it.each([
    [{ workMs: 12.34, wallMs: 80 }, "by 12.3 ms of work, of 10 ms at most"],
    [{ workMs: 3, wallMs: 51 }, /^for 51.0 ms of wall time, of 50 ms at most.*machine is busy$/],
  ])("names the limit that broke: %j", (gap, message) => {
    expect(tooLong(gap)).toMatch(message);
  });
});

describe("the room that the tier contract says it needs", () => {
  const ROOM = { maxEntries: 5_000, maxBytes: "20MB", maxEntryBytes: "1.1MB", sweepEvery: 0 };
  const open: TierSubject["open"] = async (options) => memoryTier({ ...ROOM, ...options });
  const LARGEST = /thousand|every kind/;
  for (const { name, run } of tierContract({ name: "memory", open })) {
    if (LARGEST.test(name)) it(`is enough: ${name}`, run);
  }
});

describe("a breach of the tier contract", () => {
  const found = new Set<string>();
  for (const breach of BREACHES) {
    it(`is found: it ${breach}`, async () => {
      const failed: string[] = [];
      for (const { name, run } of tierContract(subject(breach))) {
        if (LARGE.test(name) && !ABOUT_LARGE.test(breach)) continue;
        await run().catch(() => failed.push(name));
      }

      expect(failed).not.toEqual([]);
      for (const name of failed) found.add(name);
    });
  }

  it("can be found by every case", () => {
    const names = tierContract(subject()).map(({ name }) => name);

    expect(names.filter((name) => !found.has(name))).toEqual([]);
  });
});

function subject(breach?: Breach): TierSubject {
  return {
    name: "breakable",
    open: async (options) => new BreakableTier(options, breach),
    reopen: async (tier, options) => (tier as BreakableTier).reopen(options),
    damage: async (tier, key) => (tier as BreakableTier).damage(key),
    leases: true,
  };
}
