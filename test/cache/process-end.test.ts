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

const WORDS = ["--conditions=springhouse-source", "--input-type=module-typescript"];

it("a program whose loads behind its answers never end does not wait for them", async () => {
  const program = `
    const { createCache } = await import(${JSON.stringify(join(SOURCE, "cache/index.ts"))});
    const { setTimeout: sleep } = await import("node:timers/promises");
    const life = { ttl: 1, staleWhileRevalidate: "1h", hardTimeout: "1h" };
    const cache = createCache({ defaults: life });
    const never = () => new Promise(() => {});
    cache.refreshAhead("fresh", never, { ttl: "1h" });
    await cache.set("a", 1);
    await sleep(10);
    console.log(await cache.getOrSet("a", never));
  `;

  const { stdout } = await promisify(execFile)(process.execPath, [...WORDS, "-e", program], {
    timeout: END_MS_MAX,
  });

  expect(stdout).toBe("1\n");
}, 60_000);

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

  const { stdout } = await promisify(execFile)(process.execPath, [...WORDS, "-e", program], {
    timeout: END_MS_MAX,
  });

  expect(stdout).toBe("1\n");
}, 60_000);
