import { execFile } from "node:child_process";
import { cpSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { fileTier } from "../../../src/tier/file/file-tier.ts";
import { closing, entry, temporaryFolder } from "./support.ts";

const ROOT = join(import.meta.dirname, "../../..");

/** Runs lines with a file tier where no packages are installed. @returns what they print, as JSON. */
async function runWithoutPackages(lines: string): Promise<unknown> {
  const folder = temporaryFolder();
  for (const part of ["src/core", "src/tier", "package.json"]) {
    cpSync(join(ROOT, part), join(folder, part), { recursive: true });
  }
  const path = join(folder, "main.ts");
  writeFileSync(path, `import { fileTier } from "./src/tier/file/file-tier.ts";\n${lines}`);
  const { stdout } = await promisify(execFile)(process.execPath, [path]);
  return JSON.parse(stdout);
}

describe("without the package lz4-napi", () => {
  it("a tier that needs it says which command installs it", async () => {
    const folder = temporaryFolder();

    const failure = await runWithoutPackages(`
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

    const result = await runWithoutPackages(`
      const tier = fileTier({ folder: ${JSON.stringify(folder)} });
      const found = await tier.getMany(["a"]);
      console.log(JSON.stringify([found, tier.statistics().errors]));
      await tier.close();
    `);

    expect(result).toEqual([[null], 1]);
    expect(await tier.hasMany(["a"])).toEqual([true]);
  });
});
