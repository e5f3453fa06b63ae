import { describe, expect, it } from "vitest";
import { memoryTier } from "../../../src/tier/memory/memory-tier.ts";
import { TableSize } from "../../../src/tier/memory/table-size.ts";

describe("the size of a table", () => {
  it("doubles when it is full, and halves when less than a quarter is used", () => {
    const size = new TableSize();
    const grown = Array.from({ length: 9 }, (_, index) => size.added(index + 1));
    const shrunk = Array.from({ length: 9 }, (_, index) => size.removed(8 - index));

    expect(grown).toEqual([0, 0, 0, 0, 4, 0, 0, 0, 8]);
    expect(shrunk).toEqual([0, 0, 0, 0, 0, -8, 0, -4, 0]);
    expect(size.slots).toBe(0);
  });

  it("doubles where one goes for each that comes, unless half of it is gaps", () => {
    const slotsAfterChurn = (used: number): number => {
      const size = new TableSize();
      for (let index = 1; index <= used; index++) size.added(index);
      for (let index = 0; index < 1_000; index++) {
        size.removed(used - 1);
        size.added(used);
      }
      return size.slots + 4;
    };

    expect([32, 33, 34, 63].map(slotsAfterChurn)).toEqual([64, 64, 128, 128]);
  });
});

it("entries that have to go for a table that grows do not go all at once", () => {
  const tier = memoryTier({ maxEntries: Infinity, maxBytes: "20MB", sweepEvery: 0 });
  const part = tier.partition("p/", undefined, "frozen");
  const entry = { key: "", value: 1, category: "", createdMs: 0, freshUntilMs: Infinity };
  const kept = { keepUntilMs: Infinity, slidingMs: 0, tags: [], loadMs: 0, etag: undefined };
  let [most, before, tables] = [0, 0, new Set<number>()];
  for (let index = 0; index < 150_000; index++) {
    part.put(`k${index}`, { ...entry, ...kept });
    most = Math.max(most, part.counts.evictions - before);
    before = part.counts.evictions;
    if (before > 0) tables = tables.add(part.tableBytes);
  }

  // It grew while the room was full: by more than a thousand entries take.
  expect(Math.max(...tables) - Math.min(...tables)).toBeGreaterThan(400_000);
  expect(most).toBeLessThan(20);
  expect(tier.statistics().bytes).toBeLessThanOrEqual(20 * 2 ** 20);
});
