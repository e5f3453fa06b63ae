import { describe, expect, it } from "vitest";
import { hasOf } from "../../../src/testing/tier/context.ts";
import { fileTier } from "../../../src/tier/file/file-tier.ts";
import { runWithoutPackages } from "../../support/without-packages.ts";
import { closing, entry, temporaryFolder } from "./support.ts";

const IMPORT = 'import { fileTier } from "./src/tier/file/file-tier.ts";';

describe("without the package lz4-napi", () => {
  it("a tier that needs it says which command installs it", async () => {
    const folder = temporaryFolder();

    const failure = await runWithoutPackages(`${IMPORT}
      const tier = fileTier({ folder: ${JSON.stringify(folder)}, compression: "lz4" });
      const entry = ${JSON.stringify(entry("a"))};
      await tier.setMany([entry]).catch((error) => console.log(JSON.stringify(error)));
      await tier.close();
    `);

    expect(failure).toMatchObject({
      code: "MISSING_DEPENDENCY",
      message: expect.stringContaining("Install it: npm install lz4-napi"),
      fields: { dependency: "lz4-napi" },
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
