import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createPolicy } from "../../../src/tier/memory/create-policy.ts";
import type { PolicyName, PolicyNode } from "../../../src/tier/memory/policy.ts";
import { WTinyLfu } from "../../../src/tier/memory/w-tinylfu.ts";
import { hashOf, loop, mixed, PolicyOwner, pairs, pseudoRandom, zipf } from "./policy-owner.ts";

const ENTRIES = 500;

describe("the structure of W-TinyLFU", () => {
  it("holds every node in one segment, whose links, size and weight are right", () => {
    fc.assert(
      fc.property(operations, (plan) => {
        const policy = new WTinyLfu(20, pseudoRandom(1));
        const owner = new PolicyOwner(policy, 20);

        for (const [verb, key, weight] of plan) {
          if (verb === "access") owner.access(key, weight);
          else if (verb === "remove") owner.remove(key);
          else if (verb === "reweigh") owner.reweigh(key, weight);
          else if (verb === "evict") owner.evict();
          else owner.clear();
          check(policy, owner);
        }

        while (owner.evict()) check(policy, owner);
        expect(owner.nodes.size).toBe(0);
      }),
      { numRuns: 200 },
    );
  });

  it("takes a dozen bytes for an entry, up to the next power of two, and a few thousand", () => {
    const policy = new WTinyLfu(8_192, pseudoRandom(1));
    const owner = new PolicyOwner(policy, 8_192);
    const before = policy.sizeBytes;

    owner.hitRatio(loop(20_000, 40_000));

    expect(before).toBeLessThan(10 * 1_024);
    expect(policy.sizeBytes).toBeLessThan(8_192 * 12 + 4 * 1_024);
  });

  it("does the same again when it is given the same random numbers", () => {
    const run = (): number[] => {
      const owner = new PolicyOwner(new WTinyLfu(100, pseudoRandom(7)), 100);
      owner.hitRatio(zipf(1_000, 0.8, 20_000, pseudoRandom(8)));
      return owner.gone;
    };

    expect(run()).toEqual(run());
  });
});

describe("the hits of W-TinyLFU", () => {
  it("are nearly the optimum in a loop, where LRU has none", () => {
    const keys = (): Generator<number> => loop(ENTRIES * 1.5, ENTRIES * 100);

    expect(hitRatio("lru", keys())).toBe(0);
    expect(hitRatio("w-tinylfu", keys())).toBeGreaterThan(0.95 / 1.5);
  });

  it("are far more than LRU's where popularity is fixed", () => {
    const keys = (): Generator<number> => zipf(ENTRIES * 20, 0.9, 100_000, pseudoRandom(3));

    expect(hitRatio("w-tinylfu", keys())).toBeGreaterThan(hitRatio("lru", keys()) + 0.07);
  });

  it.each([0.05, 0.15, 0.25, 0.5])(
    "are not below LRU's when keys come back at %s of the size",
    (reuse) => {
      const keys = (): Generator<number> => {
        const random = pseudoRandom(4);
        const popular = zipf(ENTRIES, 1, Infinity, random);
        return mixed(pairs(ENTRIES * reuse, ENTRIES * 100, 1e6), popular, 0.3, random);
      };

      expect(hitRatio("w-tinylfu", keys())).toBeGreaterThan(hitRatio("lru", keys()) - 0.02);
    },
  );

  it("are not far below LRU's where only what is new counts", () => {
    function* newest(): Generator<number> {
      const random = pseudoRandom(5);
      let last = 1e6;
      for (const age of zipf(ENTRIES * 3, 0.8, ENTRIES * 100, random)) {
        if (random() < 0.1) last++;
        yield last - age;
      }
    }

    expect(hitRatio("w-tinylfu", newest())).toBeGreaterThan(hitRatio("lru", newest()) - 0.02);
  });

  it("come back within twenty times the size of the cache when all popularity shifts", () => {
    const owner = new PolicyOwner(new WTinyLfu(ENTRIES, pseudoRandom(6)), ENTRIES);
    const random = pseudoRandom(6);
    const popular = (first: number, length: number): number[] =>
      [...zipf(ENTRIES * 10, 1, length, random)].map((key) => first + key);
    owner.hitRatio(popular(0, ENTRIES * 50));
    const settled = owner.hitRatio(popular(0, 20_000));

    owner.hitRatio(popular(1e6, ENTRIES * 20));
    const shifted = owner.hitRatio(popular(1e6, 20_000));

    expect(shifted).toBeGreaterThan(settled - 0.02);
  });

  it("follow the work from reuse to a loop and back", () => {
    const policy = new WTinyLfu(ENTRIES, pseudoRandom(7));
    const owner = new PolicyOwner(policy, ENTRIES);

    const reused = owner.hitRatio(pairs(ENTRIES * 0.6, ENTRIES * 20, 1e6));
    const wide = policy.windowShare;
    owner.hitRatio(loop(ENTRIES * 2, ENTRIES * 20));
    const looped = owner.hitRatio(loop(ENTRIES * 2, ENTRIES * 20));
    const narrow = policy.windowShare;
    owner.hitRatio(pairs(ENTRIES * 0.6, ENTRIES * 10, 2e6));
    const again = owner.hitRatio(pairs(ENTRIES * 0.6, ENTRIES * 10, 3e6));

    expect(reused).toBeGreaterThan(0.4);
    expect(wide).toBeGreaterThan(0.5);
    expect(looped).toBeGreaterThan(0.45);
    expect(narrow).toBeLessThan(0.05);
    expect(again).toBeGreaterThan(0.4);
  });
});

describe("a hostile stream", () => {
  it("that has made its keys popular does not hold the cache when it ends", () => {
    const owner = new PolicyOwner(new WTinyLfu(ENTRIES, pseudoRandom(8)), ENTRIES);
    owner.hitRatio(loop(ENTRIES, ENTRIES * 100));

    owner.hitRatio(keysFrom(1e6, loop(ENTRIES, ENTRIES * 20)));
    const ratio = owner.hitRatio(keysFrom(1e6, loop(ENTRIES, ENTRIES * 5)));

    expect(ratio).toBeGreaterThan(0.95);
  });

  it("of keys that collide with main's victim does not keep the others out", () => {
    expect(hitRatioAmongCollisions(ENTRIES / 4, pseudoRandom(9))).toBeGreaterThan(0.95);
  });

  it("of colliding keys that leave LRU no hit either is broken by chance", () => {
    expect(hitRatioAmongCollisions(ENTRIES / 2, () => 1)).toBeLessThan(0.1);
    expect(hitRatioAmongCollisions(ENTRIES / 2, pseudoRandom(9))).toBeGreaterThan(0.5);
  });

  it("of keys that are used once, ten for each of ours, costs few hits", () => {
    const owner = new PolicyOwner(new WTinyLfu(ENTRIES, pseudoRandom(10)), ENTRIES);
    owner.hitRatio(loop(ENTRIES / 2, ENTRIES * 10));
    let hits = 0;

    for (let index = 0; index < 10_000; index++) {
      for (let junk = 0; junk < 10; junk++) owner.access(1e6 + index * 10 + junk);
      if (owner.access(index % (ENTRIES / 4))) hits++;
    }

    expect(hits / 10_000).toBeGreaterThan(0.9);
  });
});

describe("weights", () => {
  it("do not break the resistance to a loop, however unlike they are", () => {
    const owner = new PolicyOwner(new WTinyLfu(Infinity, pseudoRandom(12)), Infinity);
    const hits = [...loop(1_011, 1_011 * 40)].filter((key) =>
      owner.access(key, 2 ** (Math.abs(hashOf(key + 7)) % 5) / 1_550),
    );

    // A quarter of the weight fits.
    expect(hits.length / (1_011 * 40)).toBeGreaterThan(0.25);
  });

  it("do not let a large newcomer push out what is popular", () => {
    const owner = new PolicyOwner(new WTinyLfu(ENTRIES, pseudoRandom(11)), ENTRIES);
    const random = pseudoRandom(11);
    owner.hitRatio(zipf(ENTRIES, 1, ENTRIES * 20, random));
    let hits = 0;

    for (const [index, key] of [...zipf(ENTRIES, 1, 20_000, random)].entries()) {
      if (index % 20 === 0) owner.access(1e6 + index, 0.3);
      if (owner.access(key)) hits++;
    }

    expect(hits / 20_000).toBeGreaterThan(0.8);
  });
});

type Operation = readonly ["access" | "remove" | "reweigh" | "evict" | "clear", number, number];

const operations = fc.array(
  fc.tuple(
    fc.oneof(
      { weight: 40, arbitrary: fc.constant("access" as const) },
      { weight: 4, arbitrary: fc.constant("remove" as const) },
      { weight: 4, arbitrary: fc.constant("reweigh" as const) },
      { weight: 3, arbitrary: fc.constant("evict" as const) },
      { weight: 1, arbitrary: fc.constant("clear" as const) },
    ),
    fc.nat(60),
    fc.constantFrom(0, 1e-12, 0.01, 0.05, 0.05, 0.05, 0.3, 0.9),
  ) satisfies fc.Arbitrary<Operation>,
  { maxLength: 300 },
);

function check(policy: WTinyLfu, owner: PolicyOwner): void {
  const linked = new Set<PolicyNode>();
  for (const list of policy.segments) {
    let size = 0;
    let weight = 0;
    let previous: PolicyNode | undefined;
    for (let node = list.oldest; node !== undefined; node = node.next) {
      if (node.queue !== list.queue) throw new Error("A node is not where it says.");
      if (node.previous !== previous) throw new Error("A link back is wrong.");
      if (linked.has(node)) throw new Error("A node is linked twice.");
      linked.add(node);
      size++;
      weight += node.weight;
      previous = node;
    }
    if (list.weight < 0) throw new Error("A list weighs less than nothing.");
    if (list.newest !== previous) throw new Error("A list does not end with its newest.");
    if (list.size !== size) throw new Error(`A list of ${size} says that it has ${list.size}.`);
    if (Math.abs(list.weight - weight) > 1e-9) throw new Error("A list's weight is wrong.");
  }
  if (!(policy.windowShare >= 0 && policy.windowShare < 1)) throw new Error("The share is none.");
  const held = [...owner.nodes.values()];
  if (held.length !== linked.size || held.some((node) => !linked.has(node))) {
    throw new Error("The policy does not hold what its owner holds.");
  }
}

function hitRatio(name: PolicyName, keys: Iterable<number>): number {
  const policy = createPolicy(name, { capacity: ENTRIES, random: pseudoRandom(2) });
  return new PolicyOwner(policy, ENTRIES).hitRatio(keys);
}

/**
 * Every other access is a new key with the hash of one that is held: it feeds the counters of that
 * entry, which is never used itself. The others, whose hits count, go round a few keys.
 */
function hitRatioAmongCollisions(keys: number, random: () => number): number {
  const owner = new PolicyOwner(new WTinyLfu(ENTRIES, random), ENTRIES);
  owner.hitRatio(loop(ENTRIES, ENTRIES * 10));
  const warmUp = ENTRIES * 60;
  let hits = 0;
  for (let index = 0; index < warmUp * 2; index++) {
    owner.access(1e9 + index, 1 / ENTRIES, hashOf(0));
    if (owner.access(1e6 + (index % keys)) && index >= warmUp) hits++;
  }
  return hits / warmUp;
}

function* keysFrom(first: number, keys: Iterable<number>): Generator<number> {
  for (const key of keys) yield first + key;
}
