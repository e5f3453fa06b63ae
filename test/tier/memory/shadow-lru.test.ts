import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ShadowLru } from "../../../src/tier/memory/shadow-lru.ts";
import { hashOf } from "./policy-owner.ts";

type Step = readonly ["access" | "leave" | "forget", number];

const steps = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.tuple(fc.constant("access" as const), fc.nat(40)) },
    { weight: 2, arbitrary: fc.tuple(fc.constant("leave" as const), fc.nat(40)) },
    { weight: 1, arbitrary: fc.tuple(fc.constant("forget" as const), fc.nat(40)) },
  ),
  { maxLength: 300 },
);

describe("a shadow of LRU", () => {
  it("tells what a list would, as long as the cache held as many", () => {
    fc.assert(
      fc.property(steps, (plan) => {
        expect(told(plan)).toEqual(toldByList(plan));
      }),
    );
  });

  it("halves its sample rather than grow, and doubles it when the cache shrinks", () => {
    const shadow = new ShadowLru();
    for (let key = 0; key < 100_000; key++) shadow.miss(hashOf(key));
    const scaleOfMany = shadow.scale;

    for (let key = 1_000; key < 100_000; key++) shadow.leave(hashOf(key));

    expect(scaleOfMany).toBe(512);
    expect(shadow.scale).toBeLessThanOrEqual(8);
    expect(shadow.sizeBytes).toBeLessThan(4 * 1024);
  });

  it("loses nothing of what it still draws when its sample is halved", () => {
    const shadow = new ShadowLru();
    for (let key = 0; key < 10_000; key++) shadow.miss(hashOf(key));

    const hits = Array.from({ length: 10_000 }, (_, key) => shadow.hit(hashOf(key)));

    expect(hits.every(Boolean)).toBe(true);
  });
});

/** What the shadow says of each access, true for a hit. */
function told(plan: readonly Step[]): boolean[] {
  const shadow = new ShadowLru();
  const held = new Set<number>();
  return plan.flatMap(([verb, key]) => {
    if (verb === "access") {
      const hit = held.has(key) ? shadow.hit(hashOf(key)) : shadow.miss(hashOf(key));
      held.add(key);
      return [hit];
    }
    if (held.delete(key)) {
      if (verb === "leave") shadow.leave(hashOf(key));
      else shadow.forget(hashOf(key));
    }
    return [];
  });
}

function toldByList(plan: readonly Step[]): boolean[] {
  const held = new Set<number>();
  let list: number[] = [];
  return plan.flatMap(([verb, key]) => {
    if (verb === "access") {
      held.add(key);
      const hit = list.includes(key);
      list = [...list.filter((other) => other !== key), key].slice(-held.size);
      return [hit];
    }
    if (held.delete(key)) {
      if (verb === "forget") list = list.filter((other) => other !== key);
      list = held.size === 0 ? [] : list.slice(-held.size);
    }
    return [];
  });
}
