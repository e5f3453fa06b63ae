import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hash32 } from "../../../src/core/hash.ts";
import { ShardedSet } from "../../../src/tier/memory/sharded-set.ts";

interface Item {
  readonly hash: number;
}

function items(count: number): Item[] {
  return Array.from({ length: count }, (_, index) => ({ hash: hash32(`key ${index}`, 1) }));
}

/** What this thread computes at most for a thousand calls, milliseconds. */
function longestMs(all: readonly Item[], call: (item: Item) => void): number {
  let longest = 0;
  for (let start = 0; start < all.length; start += 1_000) {
    const before = process.threadCpuUsage();
    for (const item of all.slice(start, start + 1_000)) call(item);
    const { user, system } = process.threadCpuUsage(before);
    longest = Math.max(longest, (user + system) / 1_000);
  }
  return longest;
}

describe("a sharded set", () => {
  it("has what a set has, before and after it is split", () => {
    const all = items(20_000);
    const change = fc.record({ from: fc.nat(19_999), count: fc.nat(20_000), add: fc.boolean() });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 8 }), (changes) => {
        const set = new ShardedSet<Item>();
        const model = new Set<Item>();
        for (const { from, count, add } of changes) {
          for (const item of all.slice(from, from + count)) {
            if (add) set.add(item);
            else set.delete(item);
            if (add) model.add(item);
            else model.delete(item);
          }
          expect(set.size).toBe(model.size);
        }
        const listed = [...set];
        expect(listed).toHaveLength(model.size);
        expect(listed.every((item) => model.has(item))).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  it("can be gone through while it grows, is split and shrinks", () => {
    const all = items(20_000);
    const set = new ShardedSet<Item>();
    for (const item of all.slice(0, 16_000)) set.add(item);

    const seen = new Set<Item>();
    for (const item of set) {
      seen.add(item);
      if (seen.size === 8_000) for (const other of all.slice(16_000)) set.add(other);
      set.delete(item);
    }

    expect(all.slice(0, 16_000).every((item) => seen.has(item))).toBe(true);
    expect(set.size).toBe(4_000);
  });

  it("never moves a million in one go", () => {
    const all = items(1_000_000);
    let addMs = Number.POSITIVE_INFINITY;
    let deleteMs = Number.POSITIVE_INFINITY;

    // Other programs and the collector take turns, too: the best of so many counts.
    for (let attempt = 0; attempt < 8 && Math.max(addMs, deleteMs) > 10; attempt++) {
      const set = new ShardedSet<Item>();
      addMs = Math.min(
        addMs,
        longestMs(all, (item) => set.add(item)),
      );
      deleteMs = Math.min(
        deleteMs,
        longestMs(all, (item) => set.delete(item)),
      );
    }

    expect(addMs).toBeLessThanOrEqual(10);
    expect(deleteMs).toBeLessThanOrEqual(10);
  });
});
