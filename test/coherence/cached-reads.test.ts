import { describe, expect, it } from "vitest";
import { CachedReads, type PlannedRead } from "../../src/coherence/cached-reads.ts";
import type { Freshness } from "../../src/coherence/change-feed.ts";
import { Coherence } from "../../src/coherence/coherence.ts";
import { readingOf } from "../../src/store/reading.ts";
import { memoryTier } from "../../src/tier/memory/memory-tier.ts";
import { everyOrder, type Scenario } from "./interleavings.ts";
import { ModelDatabase, select } from "./model-database.ts";

type Operation = "read" | "read twice" | "write" | "write of others" | "write another row";

const KEY = 7;

/** How often a result was kept at the end, over all orders. */
interface Counts {
  kept: number;
}

/**
 * Operations on one row. Each read must give what stood at some moment of its call, and what is
 * kept in the end must be what stands.
 */
function scenario(
  operations: readonly Operation[],
  freshness: Freshness,
  counts: Counts,
): Scenario {
  return (gate) => {
    const database = new ModelDatabase(gate);
    const coherence = new Coherence(database);
    void coherence.prepare();
    const partition = memoryTier({ sweepEvery: 0 }).partition("rows:", undefined, "frozen");
    const reads = new CachedReads({ coherence, partition, freshness });
    const checkedRead = async (times: number): Promise<void> => {
      const before = database.valueOf(KEY);
      const planned = plan(database, times);
      const value = await (reads.find(planned.key) ?? reads.load(planned.key, planned));
      const after = database.valueOf(KEY);
      for (const each of value as number[]) {
        expect(each).toBeGreaterThanOrEqual(before);
        expect(each).toBeLessThanOrEqual(after);
      }
    };
    const run: Record<Operation, () => Promise<void>> = {
      read: () => checkedRead(1),
      "read twice": () => checkedRead(2),
      write: () => database.write(KEY),
      "write of others": () => database.writeByOthers(KEY),
      "write another row": () => database.writeByOthers(KEY + 1),
    };
    return {
      operations: operations.map((operation) => run[operation]),
      check: () => {
        for (const key of ["1", "2"]) {
          // After it has looked for what is not known yet.
          const entry = reads.find(key) === undefined ? undefined : partition.peek(key);
          if (entry === undefined) continue;
          counts.kept++;
          for (const each of entry.value as number[]) expect(each).toBe(database.valueOf(KEY));
        }
      },
    };
  };
}

/** A result of one statement, or of several that are each made at another moment. */
function plan(database: ModelDatabase, times: number): PlannedRead & { readonly key: string } {
  const statement = select(KEY);
  const run = async (): Promise<readonly number[]> => {
    const values: number[] = [];
    for (let time = 0; time < times; time++) values.push(await database.readNow(KEY));
    return Object.freeze(values);
  };
  return {
    key: String(times),
    statement,
    reading: (schema) => readingOf(statement)?.(schema),
    run,
  };
}

describe("in every order, a read by a ticket gives what stood during its call:", () => {
  const cases: readonly (readonly [Freshness, ...Operation[]])[] = [
    ["strict", "read", "read", "write"],
    ["strict", "read", "read", "write of others"],
    ["strict", "read", "write", "write of others"],
    ["exclusive", "read", "read", "write"],
    ["strict", "read twice", "write"],
    ["strict", "read twice", "write of others", "read"],
    ["strict", "read twice", "write another row", "read twice"],
  ];

  for (const [freshness, ...operations] of cases) {
    it(`${operations.join(", ")} (${freshness})`, { timeout: 60_000 }, async () => {
      const counts = { kept: 0 };

      const orders = await everyOrder(scenario(operations, freshness, counts));

      expect(orders).toBeGreaterThan(5);
      expect(counts.kept).toBeGreaterThan(0);
    });
  }
});
