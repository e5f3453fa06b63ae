/**
 * The cache that a configuration describes: memory, then the places that outlast the process.
 *
 * Entries go to memory and to the first of these, which is SQLite. Files are for what is large: a
 * category goes there when it names them.
 */

import { dirname, join } from "node:path";
import type { Cache } from "../cache/cache.ts";
import type { CacheOptions, CategoryOptions } from "../cache/options.ts";
import type { Config } from "../config/config.ts";
import { systemClock } from "../core/clock.ts";
import { SpringhouseError } from "../core/errors.ts";
import type { Tier } from "../tier/tier.ts";
import { cachePlaces } from "./cache-places.ts";

/** What a program says of its cache; where it is kept is the configuration's. */
export type ConfiguredCacheOptions = Omit<CacheOptions, "tiers">;

type Categories = Readonly<Record<string, CategoryOptions>>;

/**
 * Makes the cache that `loadConfig` describes. With `cache.enabled: false` it keeps nothing, but
 * for categories with `values: "shared"`: these are a program's own objects, not copies of data.
 *
 * @throws `CONFIG` for a provider that is not there; `INVALID_ARGUMENT` for options.
 * @example
 * const cache = await createConfiguredCache(await loadConfig(), {
 *   categories: cachePresets.auditor,
 * });
 */
export async function createConfiguredCache(
  config: Config,
  options: ConfiguredCacheOptions = {},
): Promise<Cache> {
  refuseTiers(options);
  const { createCache } = await import("../cache/cache.ts");
  const { enabled, defaultTtl, sqlite } = config.cache;
  const { tiers, usual } = enabled ? await openTiers(config, options) : await noTiers(options);
  return createCache({
    ...options,
    tiers,
    defaults: { ttl: defaultTtl, ...options.defaults },
    categories: routed(options.categories, usual, enabled),
    journal: options.journal ?? join(dirname(sqlite.path), "journal.db"),
  });
}

/** Tiers, and the names of those that serve a category which names none. */
interface Tiers {
  readonly tiers: readonly Tier[];
  readonly usual: readonly string[];
}

async function openTiers(config: Config, options: ConfiguredCacheOptions): Promise<Tiers> {
  const { provider, memory } = config.cache;
  if (provider !== "memory") throw missingProvider(provider);
  const places = cachePlaces(config);
  const first = await memoryOf(options, {
    maxEntries: memory.maxEntries,
    maxBytes: memory.maxBytes,
    policy: memory.policy,
    sweepEvery: memory.cleanupInterval,
  });
  const clock = options.clock ?? systemClock;
  const others = await Promise.all(places.map((place) => place.open(clock)));
  return {
    tiers: [first, ...others],
    usual: [first, ...others.slice(0, 1)].map(({ name }) => name),
  };
}

async function noTiers(options: ConfiguredCacheOptions): Promise<Tiers> {
  const { nullTier } = await import("../tier/null-tier.ts");
  const none = nullTier();
  return { tiers: [await memoryOf(options, {}), none], usual: [none.name] };
}

async function memoryOf(
  { clock, random }: ConfiguredCacheOptions,
  limits: Parameters<typeof import("../tier/memory/memory-tier.ts").memoryTier>[0],
): Promise<Tier> {
  const { memoryTier } = await import("../tier/memory/memory-tier.ts");
  return memoryTier({
    ...limits,
    ...(clock === undefined ? {} : { clock }),
    ...(random === undefined ? {} : { random }),
  });
}

/** Says for each category which tiers it has. */
function routed(
  categories: Categories = {},
  usual: readonly string[],
  enabled: boolean,
): Categories {
  return Object.fromEntries(
    Object.entries({ default: {}, ...categories }).map(
      ([name, category]: [string, CategoryOptions]) => {
        const named = category.values === "shared" ? ["memory"] : category.tiers;
        const isKept = enabled || category.values === "shared";
        return [name, { ...category, tiers: (isKept ? named : undefined) ?? usual }];
      },
    ),
  );
}

function refuseTiers(options: object): void {
  if (!("tiers" in options)) return;
  throw new SpringhouseError(
    "INVALID_ARGUMENT",
    "createConfiguredCache: the tiers come from the configuration. Leave tiers out, or use " +
      "createCache of springhouse/cache.",
  );
}

function missingProvider(provider: string): SpringhouseError {
  return new SpringhouseError(
    "CONFIG",
    `cache.provider: "${provider}" is not there in this version. Give "memory", which keeps ` +
      "entries in SQLite and files too.",
    { fields: { provider } },
  );
}
