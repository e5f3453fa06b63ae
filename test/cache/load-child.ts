/**
 * A process that wants one key of a shared SQLite tier: `load-child.ts CACHE LOADS`. It says "ready",
 * waits for a line on stdin, reads, and prints the value; each load is noted in the file LOADS.
 */

import { once } from "node:events";
import { appendFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { createCache, memoryTier, sqliteTier } from "../../src/cache/index.ts";

const [path = "", loads = ""] = process.argv.slice(2);
const cache = createCache({ tiers: [memoryTier(), sqliteTier({ path })] });
await cache.get("to open the file");
process.stdout.write("ready\n");
await once(process.stdin, "data");
const value = await cache.getOrSet("wanted", async () => {
  appendFileSync(loads, "load\n");
  await pause(200);
  return `value of ${process.pid}`;
});
process.stdout.write(`${value}\n`);
await cache.close();
process.exit();
