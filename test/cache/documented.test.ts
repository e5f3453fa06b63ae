/** The README's tables of options are the options that the cache and its tiers take. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { LIFE_KEYS } from "../../src/cache/life.ts";
import { CACHE_KEYS, CATEGORY_KEYS } from "../../src/cache/options.ts";
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
  const keys = new Set([...MEMORY_KEYS, ...STORED_KEYS, "path", "folder"]);

  expect([...new Set(named("Options of the tiers", 2))].sort()).toEqual([...keys].sort());
});
