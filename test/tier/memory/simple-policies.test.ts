import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createPolicy } from "../../../src/tier/memory/create-policy.ts";
import type { PolicyName } from "../../../src/tier/memory/policy.ts";
import { PolicyOwner } from "./policy-owner.ts";

const POLICIES: readonly PolicyName[] = ["w-tinylfu", "lru", "lfu", "fifo"];
const ENTRIES_MAX = 6;

/** What a naive policy knows of an entry: the turn of its coming, of its last use, and its uses. */
interface Known {
  readonly key: number;
  readonly came: number;
  used: number;
  uses: number;
}

/** The policies as one would explain them: the one that comes first in this order goes. */
const ORDERS: Readonly<Record<string, (a: Known, b: Known) => number>> = {
  lru: (a, b) => a.used - b.used,
  fifo: (a, b) => a.came - b.came,
  lfu: (a, b) => a.uses - b.uses || a.used - b.used,
};

type Step = readonly ["access" | "remove" | "evict" | "clear", number];

const steps = fc.array(
  fc.oneof(
    { weight: 20, arbitrary: fc.tuple(fc.constant("access" as const), fc.nat(15)) },
    { weight: 3, arbitrary: fc.tuple(fc.constant("remove" as const), fc.nat(15)) },
    { weight: 2, arbitrary: fc.tuple(fc.constant("evict" as const), fc.constant(0)) },
    { weight: 1, arbitrary: fc.tuple(fc.constant("clear" as const), fc.constant(0)) },
  ),
  { maxLength: 200 },
);

describe.each(Object.entries(ORDERS))("%s", (name, order) => {
  it("evicts what a naive model evicts, in the same order", () => {
    fc.assert(
      fc.property(steps, (plan) => {
        const policy = createPolicy(name as PolicyName, { capacity: ENTRIES_MAX });
        const owner = new PolicyOwner(policy, ENTRIES_MAX);

        for (const [verb, key] of plan) {
          if (verb === "access") owner.access(key);
          else if (verb === "remove") owner.remove(key);
          else if (verb === "evict") owner.evict();
          else owner.clear();
        }

        expect(owner.gone).toEqual(goneFromModel(plan, name, order));
      }),
    );
  });
});

describe.each(POLICIES)("%s", (name) => {
  it.each([
    ["of one weight", () => 1 / 100],
    ["of many weights", (key: number) => ((key % 7) + 1) / 400],
  ])(
    "keeps a new entry until the next one comes, however wanted the others are: %s",
    (_, weigh) => {
      const owner = new PolicyOwner(createPolicy(name, { capacity: 100 }), 100);
      for (let key = 0; key < 2_000; key++) owner.access(key % 100, weigh(key % 100));

      for (let key = 1_000; key < 1_300; key++) {
        owner.access(key, weigh(key));
        expect(owner.nodes.has(key)).toBe(true);
      }
    },
  );

  it("gives every node once, and then none", () => {
    const owner = new PolicyOwner(createPolicy(name, { capacity: 100 }), 100);
    for (let key = 0; key < 150; key++) owner.access(key % 120);
    const held = [...owner.nodes.keys()];

    owner.gone.length = 0;
    while (owner.evict());

    expect(owner.gone.toSorted((a, b) => a - b)).toEqual(held.toSorted((a, b) => a - b));
    expect(owner.evict()).toBe(false);
  });

  it("can be used again after everything was forgotten", () => {
    const owner = new PolicyOwner(createPolicy(name, { capacity: 10 }), 10);
    for (let key = 0; key < 30; key++) owner.access(key);

    owner.clear();
    for (let key = 0; key < 30; key++) owner.access(key);

    expect(owner.nodes.size).toBe(10);
  });

  it("forgets a use that is told after its node has gone", () => {
    const policy = createPolicy(name, { capacity: 2 });
    const owner = new PolicyOwner(policy, 2);
    for (let key = 0; key < 2; key++) owner.access(key);
    const late = owner.nodes.get(0);
    owner.remove(0);

    if (late !== undefined) policy.touch(late);

    expect(owner.evict()).toBe(true);
    expect(owner.evict()).toBe(false);
  });

  it("takes entries of all weights, and shrinks to the bound", () => {
    const owner = new PolicyOwner(createPolicy(name, { capacity: Infinity }), Infinity);
    for (let key = 0; key < 2_000; key++) owner.access(key % 300, ((key % 7) + 1) / 200);

    for (const key of [...owner.nodes.keys()]) owner.reweigh(key, 0.2);

    expect(owner.nodes.size).toBe(5);
  });
});

function goneFromModel(
  plan: readonly Step[],
  name: string,
  order: (a: Known, b: Known) => number,
): number[] {
  let held: Known[] = [];
  let newest: Known | undefined;
  const gone: number[] = [];
  const evict = (): void => {
    // Under LFU what came last stays as long as there are others.
    const last = name === "lfu" ? newest : undefined;
    const [victim] = held.toSorted(
      (a, b) => Number(a === last) - Number(b === last) || order(a, b),
    );
    if (victim === undefined) return;
    held = held.filter((known) => known !== victim);
    gone.push(victim.key);
  };
  for (const [turn, [verb, key]] of plan.entries()) {
    const known = held.find((entry) => entry.key === key);
    if (verb === "clear") held = [];
    else if (verb === "evict") evict();
    else if (verb === "remove") held = held.filter((entry) => entry !== known);
    else if (known === undefined) {
      newest = { key, came: turn, used: turn, uses: 1 };
      held.push(newest);
    } else Object.assign(known, { used: turn, uses: known.uses + 1 });
    while (held.length > ENTRIES_MAX) evict();
  }
  return gone;
}
