/** The README's tables of options are the options that the cache and its tiers take. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { cacheManager, type WrapOptions } from "../../src/cache/adapters/cache-manager.ts";
import { keyvStore } from "../../src/cache/adapters/keyv.ts";
import { createCache } from "../../src/cache/cache.ts";
import { cached } from "../../src/cache/cached.ts";
import { LIFE_KEYS } from "../../src/cache/life.ts";
import { CACHE_KEYS, CATEGORY_KEYS } from "../../src/cache/options.ts";
import { isSpringhouseError } from "../../src/core/errors.ts";
import { withCacheFallback } from "../../src/resilience/fallback.ts";
import { guard } from "../../src/resilience/guard.ts";
import { rateLimited } from "../../src/resilience/rate-limited.ts";
import { MEMORY_KEYS } from "../../src/tier/memory/options.ts";
import { STORED_KEYS } from "../../src/tier/stored-options.ts";

const readme = readFileSync(join(import.meta.dirname, "../../README.md"), "utf8");

/** The names in one column of the table under a heading. */
function named(heading: string, column = 1): string[] {
  const section = readme.split(`### ${heading}\n`)[1]?.split("\n#")[0] ?? "";
  const rows = section.split("\n").filter((line) => /^\| (`|\w+ \| `|\| `)/.test(line));
  return rows.flatMap((row) =>
    [...(row.split("|")[column] ?? "").matchAll(/`(\w+)`/g)].map(([, name = ""]) => name),
  );
}

it.each([
  ["Options of `createCache`", CACHE_KEYS],
  ["The life of entries", LIFE_KEYS],
  ["Options of a category", CATEGORY_KEYS],
])("the README explains every one of the %s, and no other", (heading, keys) => {
  expect(named(heading).sort()).toEqual([...keys].sort());
});

it("the README explains every option of the tiers, and no other", () => {
  const keys = new Set([...MEMORY_KEYS, ...STORED_KEYS, "path", "cacheSize", "folder"]);

  expect([...new Set(named("Options of the tiers", 2))].sort()).toEqual([...keys].sort());
});

/** The options in the rows of one call, which stands in the first of them alone. */
function namedOf(heading: string, call: string): string[] {
  const section = readme.split(`### ${heading}\n`)[1]?.split("\n#")[0] ?? "";
  let current = "";
  return section.split("\n").flatMap((line) => {
    const [, first = "", options = ""] = line.split("|").map((cell) => cell.trim());
    if (first !== "") current = first.replaceAll("`", "");
    return current === call ? [...options.matchAll(/`(\w+)`/g)].map(([, name = ""]) => name) : [];
  });
}

/** The options that a call takes, as its error for a misspelt one lists them. */
async function knownTo(call: () => unknown): Promise<readonly string[]> {
  try {
    await call();
  } catch (error) {
    if (!isSpringhouseError(error, "INVALID_ARGUMENT")) throw error;
    const { known } = error.fields;
    return known as readonly string[];
  }
  return [];
}

const MISSPELT = { misspelt: 1 } as object;
const CALLS = "Options of single calls";
const RESILIENCE = "Options of calls that may fail";
const cache = createCache();

/** What the README says of several calls in a sentence. */
const OF_SEVERAL: Readonly<Record<string, readonly string[]>> = {
  cached: LIFE_KEYS,
  warm: [...LIFE_KEYS, "tags", "signal"],
  refreshAhead: [...LIFE_KEYS, "tags", "signal"],
};

it.each([
  [CALLS, "warm", () => cache.warm([], () => [], MISSPELT)],
  [CALLS, "refreshAhead", () => cache.refreshAhead("a", () => 1, MISSPELT)],
  [CALLS, "cached", () => cached(cache, function week() {}, MISSPELT)],
  [CALLS, "keys", () => cache.keys(MISSPELT).next()],
  [CALLS, "keyvStore", () => keyvStore(cache, MISSPELT)],
  [CALLS, "cacheManager", () => cacheManager(cache, MISSPELT)],
  [RESILIENCE, "guard", () => guard(MISSPELT)],
  [RESILIENCE, "retry", () => guard({ retry: MISSPELT })],
  [RESILIENCE, "circuitBreaker", () => guard({ circuitBreaker: MISSPELT })],
  [RESILIENCE, "bulkhead", () => guard({ bulkhead: MISSPELT })],
  [RESILIENCE, "withCacheFallback", () => withCacheFallback(cache, guard(), MISSPELT)],
  [RESILIENCE, "rateLimited", () => rateLimited(cache, { points: 1, per: "1s" }, MISSPELT)],
  [RESILIENCE, "its limit", () => rateLimited(cache, MISSPELT as { points: 1; per: 1 })],
])("the README explains in %s every one of %s, and no other", async (heading, call, misspelt) => {
  const known = (await knownTo(misspelt)).filter((key) => !OF_SEVERAL[call]?.includes(key));

  expect(known).not.toEqual([]);
  expect(namedOf(heading, call).sort()).toEqual([...known].sort());
});

it("the README explains every option of wrap of cacheManager, and no other", () => {
  const known = { ttl: 1, refreshThreshold: 1, raw: true } satisfies Required<WrapOptions<unknown>>;

  expect(namedOf(CALLS, "its wrap").sort()).toEqual(Object.keys(known).sort());
});
