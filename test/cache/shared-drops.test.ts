/** Two caches over one file, as two processes have them: neither knows what the other one does. */

import { describe, expect, it, onTestFinished } from "vitest";
import { type Cache, createCache } from "../../src/cache/cache.ts";
import { memoryTier } from "../../src/tier/memory/memory-tier.ts";
import { openTier, query, temporaryPath } from "../tier/sqlite/support.ts";

function openOn(path: string, hasMemory: boolean): Cache {
  const tier = openTier({ path });
  const cache = createCache({ tiers: hasMemory ? [memoryTier(), tier] : [tier] });
  onTestFinished(() => cache.close());
  return cache;
}

const DROPS: Readonly<Record<string, (cache: Cache) => Promise<unknown>>> = {
  drop: (cache) => cache.drop("weeks:7"),
  dropTag: (cache) => cache.dropTag("weeks"),
  dropPrefix: (cache) => cache.dropPrefix("weeks"),
  clear: (cache) => cache.clear(),
  expire: (cache) => cache.expire("weeks:7"),
};
const cases = Object.keys(DROPS).flatMap((name) =>
  [true, false].map((memory) => ({ name, memory })),
);

describe("a value that one process drops while another one loads it", () => {
  it.each(cases)("is not stored: $name, memory: $memory", async ({ name, memory }) => {
    const path = temporaryPath();
    const [here, there] = [openOn(path, memory), openOn(path, memory)];
    await here.getOrSet("weeks:7", () => "older", { tags: ["weeks"] });
    await here.drop("weeks:7");
    const { promise: read, resolve: goOn } = Promise.withResolvers<void>();
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    const loading = there.getOrSet(
      "weeks:7",
      async () => {
        begin();
        await read;
        return "old";
      },
      { tags: ["weeks"] },
    );
    await begun;

    await DROPS[name]?.(here);
    goOn();

    expect(await loading).toBe("old");
    expect(await here.get("weeks:7")).toBe(undefined);
    expect(await here.getOrSet("weeks:7", () => "new", { tags: ["weeks"] })).toBe("new");
    await here.close();
    expect(await openOn(path, false).get("weeks:7")).toBe("new");
  });

  it("is stored when it was loaded, or set, after the drop", async () => {
    const path = temporaryPath();
    const [here, there] = [openOn(path, false), openOn(path, false)];
    await here.drop("a");
    await here.drop("b");
    await new Promise((resolve) => setTimeout(resolve, 2));

    await there.getOrSet("a", async () => "loaded");
    await there.set("b", "set");

    expect(await here.get("a")).toBe("loaded");
    expect(await here.get("b")).toBe("set");
  });

  it("leaves notes that a sweep forgets when they are old or too many", async () => {
    const path = temporaryPath();
    const tier = openTier({ path });
    await tier.dropMany(["old", "young"]);
    query(path, "UPDATE cache_drops SET dropped_at = dropped_at - 700000 WHERE name = 'old'");
    query(
      path,
      `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100001)
       INSERT INTO cache_drops SELECT 'key', 'many ' || i, unixepoch('subsec') * 1000 - 60000 + i / 10.0, 'x' FROM n`,
    );

    await tier.sweep();

    const notes = query(
      path,
      "SELECT count(*) AS n, sum(kind = 'prefix') AS everything FROM cache_drops",
    );
    expect(notes).toEqual([{ n: 100_001, everything: 1 }]);
    expect(query(path, "SELECT name FROM cache_drops WHERE name = 'old'")).toEqual([]);
  });
});
