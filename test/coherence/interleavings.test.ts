import { describe, expect, it } from "vitest";
import { type CachedParts, CachedResults } from "../../src/coherence/cached.ts";
import type { Freshness } from "../../src/coherence/change-feed.ts";
import { Coherence } from "../../src/coherence/coherence.ts";
import { TrackedSession } from "../../src/coherence/tracked-session.ts";
import type { Session } from "../../src/store/store.ts";
import { memoryTier } from "../../src/tier/memory/memory-tier.ts";
import { everyOrder, type Scenario } from "./interleavings.ts";
import { type Gate, ModelDatabase, select } from "./model-database.ts";

type Operation = "read" | "read nested" | "write" | "write of others";

const KEY = 7;

/** Operations on one row. Each read must give a value that stood at some moment of its call. */
function scenario(operations: readonly Operation[], freshness: Freshness): Scenario {
  return (gate) => {
    const database = new ModelDatabase(gate);
    const results = cachedRow(database, freshness, gate);
    const run: Record<Operation, () => Promise<void>> = {
      read: () => checkedRead(() => results.row.read([KEY])),
      "read nested": () => checkedRead(() => results.twice.read([KEY])),
      write: () => database.write(KEY),
      "write of others": () => database.writeByOthers(KEY),
    };
    const checkedRead = async (read: () => Promise<unknown>): Promise<void> => {
      const before = database.valueOf(KEY);
      const value = await read();
      const after = database.valueOf(KEY);
      expect(value).toBeGreaterThanOrEqual(before);
      expect(value).toBeLessThanOrEqual(after);
    };
    return {
      operations: operations.map((operation) => run[operation]),
      check: () => {
        // What is left in memory is the present value.
        const left = results.row.peek([KEY]);
        if (left !== undefined) expect(left).toBe(database.valueOf(KEY));
      },
    };
  };
}

interface Cached {
  readonly row: CachedResults;
  /** Calls the one above twice and demands the same. */
  readonly twice: CachedResults;
}

function cachedRow(database: ModelDatabase, freshness: Freshness, gate: Gate): Cached {
  const coherence = new Coherence(database);
  const memory = memoryTier({ sweepEvery: 0 });
  // Reads belong to a run here, so nothing reaches the session beneath.
  const beneath = { dialect: "sqlite", isWrite: () => false } as unknown as Session;
  const session = new TrackedSession(beneath);
  const make = (name: string, compute: CachedParts["compute"]): CachedResults =>
    new CachedResults({
      coherence,
      partition: memory.partition(`${name}:`, undefined, "frozen"),
      name,
      freshness,
      compute,
    });
  const row = make("row", async ([key]) => {
    const { rows } = await session.read(select(Number(key)));
    return rows[0]?.[0];
  });
  const twice = make("twice", async ([key]) => {
    const first = await row.read([key]);
    await gate("between");
    const second = await row.read([key]);
    expect(second).toBe(first);
    return second;
  });
  return { row, twice };
}

describe("in every order of three operations, a read gives what stood during its call:", () => {
  const cases: readonly (readonly [Freshness, ...Operation[]])[] = [
    ["strict", "read", "read", "write"],
    ["strict", "read", "read", "write of others"],
    ["strict", "read", "write", "write of others"],
    ["exclusive", "read", "read", "write"],
    ["strict", "read", "read nested", "write of others"],
  ];

  for (const [freshness, ...operations] of cases) {
    it(`${operations.join(", ")} (${freshness})`, { timeout: 60_000 }, async () => {
      const orders = await everyOrder(scenario(operations, freshness));

      expect(orders).toBeGreaterThan(100);
    });
  }
});
