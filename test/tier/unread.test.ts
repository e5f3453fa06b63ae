/** What the tiers on disk do to entries without being able to read their values. */

import { readFileSync, writeFileSync } from "node:fs";
import { expect, it } from "vitest";
import { fileTier } from "../../src/tier/file/file-tier.ts";
import { sqliteTier } from "../../src/tier/sqlite/sqlite-tier.ts";
import type { Tier } from "../../src/tier/tier.ts";
import { damage, filesIn, pathOf, temporaryFolder } from "./file/support.ts";
import { entry } from "./sqlite/support.ts";

const OPEN: Readonly<Record<string, (folder: string, key: string) => Tier>> = {
  sqlite: (folder, key) =>
    sqliteTier({ path: `${folder}/c.db`, encryptionKey: key.repeat(32), sweepEvery: 0 }),
  file: (folder, key) => fileTier({ folder, encryptionKey: key.repeat(32), sweepEvery: 0 }),
};

it.each(Object.keys(OPEN))("the %s tier looks and expires without a value", async (kind) => {
  const folder = temporaryFolder();
  const open = (key: string): Tier => OPEN[kind]?.(folder, key) as Tier;
  const large = "value ".repeat(100_000);
  const writer = open("07");
  await writer.setMany([entry("a"), entry("large", { value: large })]);
  await writer.close();
  const blind = open("99");

  const looks = await blind.lookMany(["a", "large"]);
  expect(looks.map((look) => look?.key)).toEqual(["a", "large"]);
  expect(await blind.expireMany(["a", "large"])).toBe(2);
  expect(blind.statistics()).toMatchObject({ errors: 0, hits: 0, misses: 0, sets: 0, drops: 0 });
  await blind.close();

  const reader = open("07");
  const found = await reader.getMany(["a", "large"]);
  expect(found.map((each) => each?.value)).toEqual(["value of a", large]);
  for (const each of found) expect(each?.freshUntilMs).toBeLessThanOrEqual(Date.now());
  await reader.close();
});

it("the file tier sets a damaged file aside when it is to expire it", async () => {
  const folder = temporaryFolder();
  const tier = fileTier({ folder, sweepEvery: 0 });
  await tier.setMany([entry("a")]);
  damage(pathOf(folder, "a"));

  expect(await tier.expireMany(["a"])).toBe(0);

  expect(tier.statistics()).toMatchObject({ entries: 0, errors: 1 });
  expect(filesIn(folder).filter((name) => name.startsWith("quarantine"))).toHaveLength(1);
  await tier.close();
});

it("the file tier leaves nothing that a program of another version would find fresh", async () => {
  const folder = temporaryFolder();
  const tier = fileTier({ folder, sweepEvery: 0 });
  await tier.setMany([entry("a")]);
  const bytes = readFileSync(pathOf(folder, "a"));
  bytes.write("SHF9", 0, "latin1");
  writeFileSync(pathOf(folder, "a"), bytes);

  expect(await tier.expireMany(["a"])).toBe(0);

  expect(filesIn(folder).some((name) => pathOf(folder, "a").endsWith(name))).toBe(false);
  await tier.close();
});
