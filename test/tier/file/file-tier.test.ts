import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { hasOf } from "../../../src/testing/tier/context.ts";
import { fileTier } from "../../../src/tier/file/file-tier.ts";
import type { FileTierOptions } from "../../../src/tier/file/options.ts";
import type { Tier } from "../../../src/tier/tier.ts";
import {
  closing,
  entry,
  entryFilesIn,
  listed,
  pathOf,
  temporaryFolder,
  valuesOf,
} from "./support.ts";

function open(folder: string, options: FileTierOptions = {}): Tier {
  return closing(fileTier({ folder, ...options }));
}

describe("the files", () => {
  it("are one for each entry, two folders down, for this user alone", async () => {
    const folder = join(temporaryFolder(), "cache", "files");
    const tier = open(folder);
    await tier.setMany([entry("a"), entry("b"), entry("a")]);

    const path = pathOf(folder, "a");
    expect(entryFilesIn(folder)).toHaveLength(2);
    expect(path).toMatch(/\/[0-9a-f]\/[0-9a-f]{2}\/[0-9a-f]{61}$/);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    for (const each of [folder, dirname(path), join(folder, "drops")]) {
      expect(statSync(each).mode & 0o777).toBe(0o700);
    }
  });

  it("have names that no key can choose", async () => {
    const folder = temporaryFolder();
    const inner = join(folder, "inner");
    const tier = open(inner);
    const keys = [
      "../../etc/passwd",
      "..\\..\\x",
      "/etc/passwd",
      "CON",
      "con",
      "nul.txt",
      "k".repeat(10_000),
      "a\0b",
      "👩‍👩‍👧",
      "\ud800",
      "\udbff",
      "",
      ".",
      "~",
      "*",
      "__proto__",
    ];

    await tier.setMany(keys.map((key) => entry(key, { value: [key] })));
    const again = open(inner);

    for (const each of [tier, again]) {
      expect(await valuesOf(each, ...keys)).toEqual(keys.map((key) => [key]));
      expect(await listed(each)).toEqual([...keys].sort());
    }
    expect(readdirSync(folder)).toEqual(["inner"]);
    expect(entryFilesIn(inner)).toHaveLength(keys.length);
    for (const path of entryFilesIn(inner)) {
      expect(path).toBe(path.toLowerCase());
      expect(basename(path).length).toBeLessThan(64);
    }
  });

  it("are made in the default folder below where the program was started", () => {
    const tier = closing(fileTier({ folder: temporaryFolder() }));

    expect(tier.name).toBe("file");
    expect(closing(fileTier({ folder: temporaryFolder(), name: "exports" })).name).toBe("exports");
  });

  it("do not pass for those of other keys when they are moved", async () => {
    const folder = temporaryFolder();
    const tier = open(folder);
    await tier.setMany([entry("a"), entry("b")]);

    writeFileSync(pathOf(folder, "b"), readFileSync(pathOf(folder, "a")));

    expect(await valuesOf(tier, "a", "b")).toEqual(["value of a", undefined]);
    expect(tier.statistics()).toMatchObject({ errors: 1, misses: 1 });
    expect(await hasOf(open(folder), ["a", "b"])).toEqual([true, false]);
  });

  it("are never read half, whoever writes beside", async () => {
    const tier = open(temporaryFolder(), { compression: "none" });
    const value = (round: number): string => `${round},`.repeat(20_000);
    await tier.setMany([entry("a", { value: value(0) })]);

    let isWriting = true;
    const writing = (async () => {
      for (let round = 1; round < 60; round++) {
        await tier.setMany([entry("a", { value: value(round % 10) })]);
      }
      isWriting = false;
    })();
    while (isWriting) {
      const [found] = (await valuesOf(tier, "a")) as string[];
      expect(found).toBe(value(Number(found?.[0])));
    }
    await writing;

    expect(tier.statistics().errors).toBe(0);
  });
});

describe("encryption", () => {
  const encryptionKey = new Uint8Array(32).fill(1);

  it("hides values, and what another key made is damaged", async () => {
    const folder = temporaryFolder();
    const tier = open(folder, { encryptionKey });
    await tier.setMany([entry("a", { value: "a secret" })]);

    expect(readFileSync(pathOf(folder, "a")).includes("a secret")).toBe(false);
    expect(await valuesOf(open(folder, { encryptionKey }), "a")).toEqual(["a secret"]);
    const other = open(folder, { encryptionKey: new Uint8Array(32).fill(2) });
    expect(await valuesOf(other, "a")).toEqual([undefined]);
    expect(other.statistics()).toMatchObject({ errors: 1, misses: 1 });
  });

  it("does not read what is not encrypted", async () => {
    const folder = temporaryFolder();
    await open(folder).setMany([entry("a")]);

    expect(await valuesOf(open(folder, { encryptionKey }), "a")).toEqual([undefined]);
  });
});

describe("compression", () => {
  it.each(["zstd", "lz4", "none"] as const)(
    "with %s is told by each file, whatever is set later",
    async (compression) => {
      const folder = temporaryFolder();
      const value = "the same again, ".repeat(5_000);
      await open(folder, { compression }).setMany([entry("a", { value })]);

      expect(statSync(pathOf(folder, "a")).size < 20_000).toBe(compression !== "none");
      for (const later of ["zstd", "lz4", "none"] as const) {
        expect(await valuesOf(open(folder, { compression: later }), "a")).toEqual([value]);
      }
    },
  );
});

describe("a value that is no data", () => {
  it("fails its call, is no failure of the tier, and leaves what was there", async () => {
    const tier = open(temporaryFolder());
    await tier.setMany([entry("a")]);

    await expect(tier.setMany([entry("a", { value: () => 1 })])).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
    });
    expect(await valuesOf(tier, "a")).toEqual(["value of a"]);
    expect(tier.statistics().errors).toBe(0);
  });
});

describe("the log of drops", () => {
  it("is cut when it has grown, and no dropped entry comes back", { timeout: 60_000 }, async () => {
    const folder = temporaryFolder();
    const tier = open(folder);
    const tags = Array.from({ length: 9_000 }, (_, at) => `a tag that is somewhat long ${at}`);
    await tier.setMany([
      entry("kept", { tags: ["kept"] }),
      entry("gone", { tags: [tags[0] ?? ""] }),
    ]);

    await tier.dropTags(tags);
    await tier.sweep();

    expect(readdirSync(join(folder, "drops")).sort()).toEqual(["1", "2"]);
    expect(await listed(tier)).toEqual(["kept"]);
    expect(await listed(open(folder))).toEqual(["kept"]);
    await tier.dropTags(["kept"]);
    expect(await listed(open(folder))).toEqual([]);
  });
});

describe("a batch that is given up", () => {
  it("goes no further than what was begun", async () => {
    const tier = open(temporaryFolder());
    const controller = new AbortController();
    const entries = Array.from({ length: 500 }, (_, at) => entry(`key ${at}`));

    const setting = tier.setMany(entries, { signal: controller.signal });
    while (tier.statistics().sets < 20) await new Promise((resolve) => setImmediate(resolve));
    controller.abort();

    await expect(setting).rejects.toMatchObject({ code: "ABORTED" });
    await tier.close();
    expect(tier.statistics().sets).toBeLessThan(200);
    expect(tier.statistics().errors).toBe(0);
  });
});
