import { describe, expect, it } from "vitest";
import { hasOf } from "../../../src/testing/tier/context.ts";
import { fileTier } from "../../../src/tier/file/file-tier.ts";
import { runWithoutPackages } from "../../support/without-packages.ts";
import { closing, entry, temporaryFolder } from "./support.ts";

const IMPORT = 'import { fileTier } from "./src/tier/file/file-tier.ts";';

describe("without the package lz4-napi", () => {
  it("a tier that wants it keeps values with zstd, and says once what to install", async () => {
    const result = await runWithoutPackages(`${IMPORT}
      import { subscribe } from "node:diagnostics_channel";
      import { sqliteTier } from "./src/tier/sqlite/sqlite-tier.ts";
      const told = [];
      subscribe("springhouse:warning", ({ message }) => told.push(message));
      const tiers = [
        fileTier({ folder: ${JSON.stringify(temporaryFolder())}, compression: "lz4" }),
        sqliteTier({ path: ${JSON.stringify(`${temporaryFolder()}/cache.db`)}, compression: "lz4" }),
      ];
      const small = ${JSON.stringify(entry("small"))};
      const large = ${JSON.stringify(entry("large", { value: "a".repeat(50_000) }))};
      const kept = [];
      for (const tier of tiers) {
        await tier.setMany([small, large]);
        const found = await tier.getMany(["small", "large"]);
        kept.push([...found.map((one) => one !== undefined), tier.statistics().bytes < 50_000]);
        await tier.close();
      }
      console.log(JSON.stringify({ told, kept }));
    `);

    expect(result).toEqual({
      told: [expect.stringMatching(/Install it: npm install lz4-napi. Until then zstd is used/)],
      kept: [
        [true, true, true],
        [true, true, true],
      ],
    });
  });

  it("an entry that was made with it is a miss that counts as an error, and stays", async () => {
    const folder = temporaryFolder();
    const tier = closing(fileTier({ folder, compression: "lz4", compressFrom: 0 }));
    await tier.setMany([entry("a", { value: "a".repeat(1_000) })]);

    const result = await runWithoutPackages(`${IMPORT}
      const tier = fileTier({ folder: ${JSON.stringify(folder)} });
      const found = await tier.getMany(["a"]);
      console.log(JSON.stringify([found, tier.statistics().errors]));
      await tier.close();
    `);

    expect(result).toEqual([[null], 1]);
    expect(await hasOf(tier, ["a"])).toEqual([true]);
  });

  it("a category that wants it gets zstd, and one warning", async () => {
    const folder = temporaryFolder();

    const result = await runWithoutPackages(`${IMPORT}
      import { subscribe } from "node:diagnostics_channel";
      const told = [];
      subscribe("springhouse:warning", ({ code }) => told.push(code));
      const tier = fileTier({ folder: ${JSON.stringify(folder)}, compression: "none" });
      const entry = ${JSON.stringify(entry("a", { value: "a".repeat(50_000) }))};
      const wanted = ["a", "b"].map((key) => ({ ...entry, key, compression: "lz4" }));
      const outcomes = await tier.setMany(wanted);
      const lengths = (await tier.getMany(["a", "b"])).map((found) => found?.value.length);
      console.log(JSON.stringify({ outcomes, lengths, told, bytes: tier.statistics().bytes }));
      await tier.close();
    `);

    expect(result).toEqual({
      outcomes: ["stored", "stored"],
      lengths: [50_000, 50_000],
      told: ["MISSING_DEPENDENCY"],
      bytes: 2 * 4_096,
    });
  });
});
