import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { FakeClock } from "../../../src/testing/fake-clock.ts";
import { fileTier } from "../../../src/tier/file/file-tier.ts";
import type { FileTierOptions } from "../../../src/tier/file/options.ts";
import type { Tier } from "../../../src/tier/tier.ts";
import {
  closing,
  damage,
  entry,
  entryFilesIn,
  FOREVER,
  listed,
  noise,
  pathOf,
  temporaryFolder,
  valuesOf,
} from "./support.ts";

const KB = 1_024;

function open(folder: string, options: FileTierOptions = {}): Tier {
  return closing(fileTier({ folder, ...options }));
}

describe("a damaged file", () => {
  it("goes to quarantine, which is bounded, and the oldest go first", async () => {
    const folder = temporaryFolder();
    const clock = new FakeClock();
    const tier = open(folder, { clock });
    const life = { ...FOREVER, createdMs: 0 };
    for (let at = 0; at < 110; at++) {
      await tier.setMany([entry(`key ${at}`, life)]);
      damage(pathOf(folder, `key ${at}`));
      expect(await valuesOf(tier, `key ${at}`)).toEqual([undefined]);
      clock.advance(1);
    }

    const quarantined = readdirSync(join(folder, "quarantine")).sort();
    expect(tier.statistics()).toMatchObject({ errors: 110, misses: 110, entries: 0 });
    expect(quarantined).toHaveLength(100);
    expect(quarantined[0]).toMatch(/^000000001000010-[0-9a-f]{64}$/);
    expect(entryFilesIn(folder)).toEqual([]);
  });

  it("is bounded by bytes, too", async () => {
    const folder = temporaryFolder();
    const tier = open(folder, { maxEntryBytes: "30MB", compression: "none" });
    const value = noise(20 * KB * KB);
    for (const key of ["a", "b", "c"]) {
      await tier.setMany([entry(key, { value })]);
      damage(pathOf(folder, key));
      await tier.getMany([key]);
    }

    expect(readdirSync(join(folder, "quarantine"))).toHaveLength(2);
  });

  it("is found by a sweep, a scan, or the next write as well", async () => {
    const folder = temporaryFolder();
    const first = open(folder);
    await first.setMany([entry("a"), entry("b"), entry("c")]);
    writeFileSync(pathOf(folder, "a"), "garbage");
    writeFileSync(pathOf(folder, "b"), "");
    rmSync(pathOf(folder, "c"));
    mkdirSync(pathOf(folder, "c"));

    expect(await first.setMany([entry("c", { value: "again" })])).toEqual(["stored"]);
    const second = open(folder);
    expect(await listed(second)).toEqual(["c"]);
    expect(await valuesOf(second, "c")).toEqual(["again"]);
    expect(first.statistics().errors + second.statistics().errors).toBe(3);
    expect(readdirSync(join(folder, "quarantine"))).toHaveLength(3);
  });

  it("of another version is a miss: an older one is removed, a newer one left", async () => {
    const folder = temporaryFolder();
    const tier = open(folder);
    await tier.setMany([entry("a"), entry("b"), entry("c")]);
    for (const [key, version] of [
      ["a", "1"],
      ["b", "3"],
    ] as const) {
      const file = readFileSync(pathOf(folder, key));
      file.write(version, 3);
      writeFileSync(pathOf(folder, key), file);
    }

    expect(await valuesOf(tier, "a", "b", "c")).toEqual([undefined, undefined, "value of c"]);
    const second = open(folder);
    expect(await listed(second)).toEqual(["c"]);
    expect(second.statistics().errors + tier.statistics().errors).toBe(0);
    expect(existsSync(pathOf(folder, "a"))).toBe(false);
    expect(existsSync(pathOf(folder, "b"))).toBe(true);
    expect(await second.setMany([entry("b")])).toEqual(["stored"]);
    expect(await valuesOf(tier, "b")).toEqual(["value of b"]);
  });
});
