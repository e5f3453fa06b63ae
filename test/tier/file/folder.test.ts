import { rmSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { FakeClock } from "../../../src/testing/fake-clock.ts";
import { hasOf } from "../../../src/testing/tier/context.ts";
import { fileTier } from "../../../src/tier/file/file-tier.ts";
import type { FileTierOptions } from "../../../src/tier/file/options.ts";
import type { Tier } from "../../../src/tier/tier.ts";
import {
  closing,
  entry,
  entryFilesIn,
  filesIn,
  listed,
  pathOf,
  temporaryFolder,
  valuesOf,
} from "./support.ts";

function open(folder: string, options: FileTierOptions = {}): Tier {
  return closing(fileTier({ folder, ...options }));
}

describe("the folder", () => {
  it("is made again by the next write when it is deleted, and reads are misses until then", async () => {
    const folder = join(temporaryFolder(), "files");
    const tier = open(folder);
    await tier.setMany([entry("a", { tags: ["t"] }), entry("b")]);

    rmSync(folder, { recursive: true });
    expect(await valuesOf(tier, "a", "b")).toEqual([undefined, undefined]);
    expect(await hasOf(tier, ["a"])).toEqual([false]);
    expect(await tier.dropMany(["a"])).toBe(0);
    expect(await tier.sweep()).toEqual({ expired: 0, reclaimed: 0 });
    expect(tier.statistics()).toMatchObject({ entries: 0, bytes: 0, errors: 0 });

    await tier.setMany([entry("a", { tags: ["t"] })]);
    expect(await valuesOf(tier, "a", "b")).toEqual(["value of a", undefined]);
    rmSync(folder, { recursive: true });
    await tier.dropTags(["t"]);
    await tier.dropPrefix("a");
    await tier.clear();
    expect(await listed(tier)).toEqual([]);
    await tier.setMany([entry("c", { tags: ["t"] })]);
    expect(await listed(tier)).toEqual(["c"]);
    expect(tier.statistics().errors).toBe(0);
  });

  it("may be deleted while it is written to", async () => {
    const folder = join(temporaryFolder(), "files");
    const tier = open(folder);
    let isOver = false;
    const deleting = (async () => {
      while (!isOver) {
        rmSync(folder, { recursive: true, force: true, maxRetries: 20 });
        await new Promise((resolve) => setTimeout(resolve, 3));
      }
    })();
    for (let round = 0; round < 30; round++) {
      const entries = Array.from({ length: 20 }, (_, at) => entry(`key ${at}`));
      await tier.setMany(entries).catch((error) => expect(error.code).toMatch(/^(ENOENT|UNOPEN)/));
    }
    isOver = true;
    await deleting;

    await tier.setMany([entry("a")]);
    expect(await valuesOf(tier, "a")).toEqual(["value of a"]);
  });

  it("may be begun by another process just while it is looked at", async () => {
    for (let round = 0; round < 30; round++) {
      const folder = join(temporaryFolder(), "files");
      const here = open(folder);
      const there = Array.from({ length: 3 }, () => open(folder));
      const entries = Array.from({ length: 10 }, (_, at) => entry(`key ${at}`));

      // The others scan, and judge what they find, while the log of drops is being made.
      await here.setMany(entries);
      await Promise.all(there.map((tier) => tier.sweep()));

      for (const tier of there) expect(await listed(tier)).toHaveLength(entries.length);
    }
  });

  it("says so when it cannot be made", async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "file"), "x");
    const tier = open(join(folder, "file"));

    await expect(tier.setMany([entry("a")])).rejects.toMatchObject({ code: "UNOPENABLE" });
    expect(await valuesOf(tier, "a")).toEqual([undefined]);
    expect(tier.statistics().errors).toBeGreaterThan(0);
  });

  it("has its leftovers swept when they are older than a minute, and nothing foreign", async () => {
    const folder = temporaryFolder();
    const tier = open(folder);
    await tier.setMany([entry("a")]);
    const shelf = dirname(pathOf(folder, "a"));
    const ago = Date.now() / 1_000 - 61;
    for (const name of ["old.tmp", "new.tmp", "notes.txt"]) writeFileSync(join(shelf, name), "x");
    utimesSync(join(shelf, "old.tmp"), ago, ago);

    await tier.sweep();

    const names = filesIn(shelf);
    expect(names).toContain("new.tmp");
    expect(names).toContain("notes.txt");
    expect(names).not.toContain("old.tmp");
  });

  it("is swept by itself", async () => {
    const folder = temporaryFolder();
    const clock = new FakeClock(Date.now());
    const tier = open(folder, { clock, sweepEvery: "5s" });
    const endMs = clock.nowMs() + 1_000;
    await tier.setMany([entry("a", { freshUntilMs: endMs, keepUntilMs: endMs })]);

    const left = (): unknown => {
      clock.advance(5_000);
      const { entries, expirations } = tier.statistics();
      return { files: entryFilesIn(folder), entries, expirations };
    };

    await expect
      .poll(left, { timeout: 20_000, interval: 5 })
      .toEqual({ files: [], entries: 0, expirations: 1 });
  });
});
