/** No timer of a cache keeps a program that has nothing left to do. */

import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it, onTestFinished } from "vitest";

const SOURCE = join(import.meta.dirname, "../../src");
/** Far less than the minute after which the first sweep comes. */
const END_MS_MAX = 30_000;

it("a program that keeps keys fresh and closes nothing ends by itself", async () => {
  const folder = mkdtempSync(join(tmpdir(), "springhouse-end-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const program = `
    const { createCache, fileTier, memoryTier, sqliteTier } = await import(
      ${JSON.stringify(join(SOURCE, "cache/index.ts"))}
    );
    const cache = createCache({
      tiers: [
        memoryTier(),
        sqliteTier({ path: ${JSON.stringify(join(folder, "cache.db"))} }),
        fileTier({ folder: ${JSON.stringify(join(folder, "files"))} }),
      ],
      defaults: { ttl: "1h" },
    });
    cache.refreshAhead("fresh", () => 1, { ttl: "1h" });
    await cache.set("a", 1);
    await cache.getOrSet("b", () => 2);
    console.log(await cache.get("fresh"));
  `;
  const words = ["--conditions=springhouse-source", "--input-type=module-typescript"];

  const { stdout } = await promisify(execFile)(process.execPath, [...words, "-e", program], {
    timeout: END_MS_MAX,
  });

  expect(stdout).toBe("1\n");
}, 60_000);
