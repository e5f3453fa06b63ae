/** The README's tables of options are the lists of options that `open` and `cached` take. */

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { CACHED_KEYS, CACHING_KEYS } from "../../src/open/caching-options.ts";
import { OPEN_KEYS, POOL_KEYS } from "../../src/open/options.ts";

it("the README explains every option of open and of its pool, and no other", async () => {
  const readme = await readFile(join(import.meta.dirname, "../../README.md"), "utf8");
  const section = readme.split("### Options of `open`")[1]?.split("\n### ")[0] ?? "";

  const rows = section.split("\n").filter((line) => line.startsWith("| `"));
  const names = rows.flatMap((row) => {
    const [, cell = ""] = row.split("|");
    return [...cell.matchAll(/`(\w+)`/g)].map(([, name]) => name);
  });
  const pool = rows.find((row) => row.startsWith("| `pool`")) ?? "";
  const poolNames = [...pool.matchAll(/`(\w+)` (?:\d|`")/g)].map(([, name]) => name);

  expect(names.sort()).toEqual([...OPEN_KEYS].sort());
  expect(poolNames.sort()).toEqual([...POOL_KEYS].sort());
});

it("the README explains every option of the cache and of a cached function, and no other", async () => {
  const readme = await readFile(join(import.meta.dirname, "../../README.md"), "utf8");
  const section = readme.split("### Options of `cache`")[1]?.split("\n### ")[0] ?? "";

  const [ofCache, ofFunction] = section.split("`db.cached").map((part) =>
    part.split("\n").flatMap((line) => {
      const [, cell = ""] = line.startsWith("| `") ? line.split("|") : [];
      return [...cell.matchAll(/`(\w+)`/g)].map(([, name]) => name);
    }),
  );

  expect(ofCache?.sort()).toEqual([...CACHING_KEYS].sort());
  expect(ofFunction?.sort()).toEqual([...CACHED_KEYS].sort());
});
