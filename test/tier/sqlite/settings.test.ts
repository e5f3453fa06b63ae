/** The settings of a cache file, its indexes, and how values stand in it. */

import { resolve } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { createCache } from "../../../src/cache/cache.ts";
import { systemClock } from "../../../src/core/clock.ts";
import { noise } from "../../../src/testing/tier/context.ts";
import { memoryTier } from "../../../src/tier/memory/memory-tier.ts";
import { CacheFile } from "../../../src/tier/sqlite/cache-file.ts";
import { resolveSqliteTierOptions } from "../../../src/tier/sqlite/options.ts";
import { pageCaches } from "./page-caches.ts";
import { entry, openTier, query, temporaryPath, valuesOf } from "./support.ts";

const GB = 1_024 ** 3;

describe("the file of a cache", () => {
  it("has the settings of the fast profile, on connections that stay open", async () => {
    const path = temporaryPath();
    const cacheSizeBytes = GB / 64;
    const onLost = () => undefined;
    const file = new CacheFile({ path, cacheSizeBytes, clock: systemClock, onLost });
    onTestFinished(() => file.close());

    const first = await file.write(async (database) => database);
    const { settings } = await first.describe();
    const { connection } = first.file.inline;
    const reading = ["temp_store", "cache_size", "mmap_size"].map((name) =>
      connection.ask(`PRAGMA ${name}`),
    );

    expect(settings).toMatchObject({ journal_mode: "wal", synchronous: 1, mmap_size: 0 });
    expect(reading).toEqual([[2], [-16_384], [0]]);
    expect(await file.read(async (database) => database)).toBe(first);
    expect(first.file.inline.connection).toBe(connection);
  });

  it.each([
    [{}, -16_384],
    [{ cacheSize: "8MB" }, -8_192],
    [{ cacheSize: 0 }, -1],
    [{ cacheSize: "unlimited" }, -2_147_483_647],
  ])("with %j has a page cache of that size on every connection", async (options, kib) => {
    const tier = openTier(options);
    await tier.ready();

    expect(await pageCaches(tier.path)).toEqual([kib, kib, kib]);
  });

  it("has indexes for what ends, for categories and for what was used last", async () => {
    const tier = openTier();
    await tier.setMany([entry("a")]);

    const columnsOf = (index: string): unknown[] =>
      (query(tier.path, `PRAGMA index_info(${index})`) as { name: string }[]).map(
        ({ name }) => name,
      );

    expect(columnsOf("idx_expires")).toEqual(["keep_until"]);
    expect(columnsOf("idx_category")).toEqual(["category", "accessed_at"]);
    expect(columnsOf("idx_access")).toEqual(["accessed_at"]);
  });

  it("keeps large values in a table of their own, by row number", async () => {
    const tier = openTier({ compression: "none" });
    await tier.setMany([entry("small"), entry("large", { value: noise(100_000, 1) })]);

    const rows = query(
      tier.path,
      "SELECT key, value IS NULL AS apart, parts IS NULL AS inRow FROM cache_entries ORDER BY key",
    );
    const [table] = query(tier.path, "SELECT wr FROM pragma_table_list WHERE name = 'cache_parts'");

    expect(rows).toEqual([
      { key: "large", apart: 1, inRow: 0 },
      { key: "small", apart: 0, inRow: 1 },
    ]);
    expect(table).toEqual({ wr: 0 });
    expect(await valuesOf(tier, ["large"])).toEqual([noise(100_000, 1)]);
  });

  it("says of each value how it is compressed, as its category wants it or else the tier", async () => {
    const tier = openTier({ compression: "zstd" });
    const cache = createCache({
      tiers: [memoryTier(), tier],
      categories: { usual: {}, plain: { compression: "none" } },
      strict: true,
    });
    onTestFinished(() => cache.close());
    const value = "the same again, ".repeat(500);

    await cache.category("usual").set("long", value);
    await cache.category("usual").set("short", "x");
    await cache.category("plain").set("long", value);

    expect(
      query(
        tier.path,
        "SELECT category, codec, size_bytes < 2000 AS small FROM cache_entries ORDER BY key",
      ),
    ).toEqual([
      { category: "plain", codec: "json", small: 0 },
      { category: "usual", codec: "json+zstd", small: 1 },
      { category: "usual", codec: "json", small: 1 },
    ]);
  });
});

describe("the options of sqliteTier", () => {
  it("have defaults", () => {
    expect(resolveSqliteTierOptions({})).toMatchObject({
      name: "sqlite",
      path: resolve("cache/cache.db"),
      bounds: { bytesMax: GB, entryBytesMax: GB / 16, entriesMax: Number.POSITIVE_INFINITY },
      payload: { compression: "zstd", compressFromBytes: 1_024, encryptionKey: undefined },
      sweepEveryMs: 60_000,
      cacheSizeBytes: GB / 64,
    });
  });

  it("are refused when they are no sizes, and when they contradict another tier", async () => {
    const tier = openTier({ cacheSize: "8MB" });
    await tier.ready();
    const other = openTier({ path: tier.path, cacheSize: "9MB" });

    expect(() => openTier({ cacheSize: "8 pages" })).toThrow("sqliteTier: cacheSize");
    expect(() => openTier({ cacheSize: -8_192 })).toThrow("sqliteTier: cacheSize");
    await expect(other.ready()).rejects.toThrow("open in this process with another cacheSize.");
  });
});
