import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Config, ConfigInput } from "../../src/config/config.ts";
import { loadConfig } from "../../src/config/load.ts";
import { cachePlaces } from "../../src/open/cache-places.ts";
import { createConfiguredCache } from "../../src/open/configured-cache.ts";
import { FakeClock } from "../../src/testing/fake-clock.ts";
import { pageCaches } from "../tier/sqlite/page-caches.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "springhouse-configured-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function configOf(cache: ConfigInput["cache"]): Promise<Config> {
  return loadConfig({ cwd: folder, env: {}, overrides: { cache } });
}

const memoryOnly = { sqlite: { enabled: false }, files: { enabled: false } } as const;

describe("a configured cache", () => {
  it("has the configured limits and lives", async () => {
    const clock = new FakeClock();
    const config = await configOf({
      ...memoryOnly,
      defaultTtl: "10s",
      memory: { maxEntries: 2, policy: "fifo" },
    });
    await using cache = await createConfiguredCache(config, { clock });
    for (const key of ["a", "b", "c"]) await cache.set(key, key);

    const kept = await cache.getMany(["a", "b", "c"]);
    clock.advance(10_001);

    expect(kept).toEqual([undefined, "b", "c"]);
    expect(await cache.get("c")).toBeUndefined();
  });

  it("has the categories of the program, which say more than the configuration", async () => {
    const clock = new FakeClock();
    await using cache = await createConfiguredCache(await configOf(memoryOnly), {
      clock,
      defaults: { ttl: "1m" },
      categories: { week_data: { ttl: "2h", aliases: ["weeks"] } },
    });
    await cache.set("a", 1);
    await cache.category("weeks").set("a", 2);

    clock.advance(60_001);

    expect(cache.categories).toEqual(["default", "week_data"]);
    expect(await cache.get("a")).toBeUndefined();
    expect(await cache.category("week_data").get("a")).toBe(2);
  });

  it("keeps nothing when it is switched off, but a program's own objects", async () => {
    class Window {}
    await using cache = await createConfiguredCache(await configOf({ enabled: false }), {
      categories: {
        weeks: { tiers: ["memory", "sqlite"] },
        windows: { values: "shared", tiers: ["memory"] },
      },
    });
    const window = new Window();
    let loads = 0;
    const load = async () => ++loads;

    await cache.set("a", 1);
    await cache.category("windows").set("main", window);
    const weeks = cache.category<number>("weeks");
    const loaded = [await weeks.getOrSet("a", load)];
    await weeks.flush();
    loaded.push(await weeks.getOrSet("a", load));

    expect(loaded).toEqual([1, 2]);
    expect(await cache.get("a")).toBeUndefined();
    expect(await cache.category("windows").get("main")).toBe(window);
  });

  it("is refused with a provider that is not there, and with tiers", async () => {
    const tiers = { tiers: [] } as never;

    await expect(createConfiguredCache(await configOf({ provider: "redis" }))).rejects.toThrow(
      'cache.provider: "redis" is not there in this version',
    );
    await expect(createConfiguredCache(await configOf({}), tiers)).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
    });
    await expect(
      createConfiguredCache(await configOf({}), { nmespace: "a" } as never),
    ).rejects.toThrow('Did you mean "namespace"?');
  });
});

describe("a configured cache with places", () => {
  it("finds in SQLite what it has kept there, and puts into files what a category wants", async () => {
    const config = await configOf({});
    const categories = { exports: { tiers: ["memory", "file"] } };
    {
      await using first = await createConfiguredCache(config, { categories });
      await first.set("a", { n: 1 });
      await first.category("exports").set("b", { n: 2 });
    }

    await using second = await createConfiguredCache(config, { categories });
    const found = [await second.lookup("a"), await second.category("exports").lookup("b")];

    expect(found.map(({ value, source }) => [value, source])).toEqual([
      [{ n: 1 }, "sqlite"],
      [{ n: 2 }, "file"],
    ]);
    expect(cachePlaces(config).map(({ path }) => path)).toEqual([
      join(folder, "cache/cache.db"),
      join(folder, "cache/files"),
    ]);
  });

  it("gives SQLite the memory for pages that is configured", async () => {
    const folders = ["usual", "sized"].map((name) => join(folder, name));
    const [usual, sized] = folders.map((each) => join(each, "cache.db"));
    const configs = [
      await configOf({ sqlite: { path: usual } }),
      await configOf({ sqlite: { path: sized, cacheSize: "4MB" } }),
    ];
    const kib: unknown[] = [];
    for (const config of configs) {
      await using cache = await createConfiguredCache(config, { strict: true });
      await cache.set("a", 1);
      kib.push(await pageCaches(config.cache.sqlite.path));
    }

    expect(kib).toEqual([-16_384, -4_096].map((each) => [each, each, each]));
  });

  it("compresses files unless it is told otherwise", async () => {
    const directory = join(folder, "compressed");
    const config = await configOf({ sqlite: { enabled: false }, files: { directory } });
    await using cache = await createConfiguredCache(config, { strict: true });

    await cache.set("text", "hello ".repeat(10_000));

    const { tiers } = cache.cacheStatistics();
    expect(tiers.find(({ name }) => name === "file")?.bytes).toBeLessThan(20_000);
    expect(await cache.get("text")).toBe("hello ".repeat(10_000));
  });

  it("uses files for everything when there is no SQLite tier", async () => {
    const config = await configOf({
      sqlite: { enabled: false },
      files: { directory: join(folder, "alone"), compression: "none", maxFileSize: "2KB" },
    });
    await using cache = await createConfiguredCache(config, { strict: true });
    await cache.set("small", "x");
    await cache.set("large", "x".repeat(4_000));

    const { tiers } = await cache.explain("small");
    const large = await cache.explain("large");

    expect(tiers.map(({ tier, state }) => [tier, state])).toEqual([
      ["memory", "fresh"],
      ["file", "fresh"],
    ]);
    expect(large.tiers.map(({ state }) => state)).toEqual(["fresh", "none"]);
  });
});
