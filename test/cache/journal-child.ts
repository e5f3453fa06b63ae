/**
 * A process that writes behind: `journal-child.ts JOURNAL SOURCE`. Commands come on stdin, one a
 * line (`set KEY NUMBER`, `close`), and each is answered when it is done. What is saved is appended
 * to the file SOURCE. Its clock runs twenty times as fast, so that leases end soon.
 */

import { appendFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { createCache } from "../../src/cache/cache.ts";
import type { Clock } from "../../src/core/clock.ts";
import { memoryTier } from "../../src/tier/memory/memory-tier.ts";

const SPEED = 20;
const clock: Clock = {
  nowMs: () => Date.now() * SPEED,
  monotonicMs: () => performance.now() * SPEED,
  schedule(callback, delayMs, keepsAlive = false) {
    const timer = setTimeout(callback, delayMs / SPEED);
    if (!keepsAlive) timer.unref();
    return { [Symbol.dispose]: () => clearTimeout(timer) };
  },
};

const [journal = "", source = ""] = process.argv.slice(2);
const cache = createCache({
  clock,
  journal,
  tiers: [memoryTier({ clock })],
  categories: {
    mine: {
      strategy: "write-behind",
      hardTimeout: "10m",
      save: async (changes) => {
        await pause(Math.random() * 4);
        const lines = changes.map(
          (change) => `${change.key} ${change.kind === "set" && change.value}`,
        );
        appendFileSync(source, `${lines.join("\n")}\n`);
        await pause(Math.random() * 4);
      },
    },
  },
});
const mine = cache.category<number>("mine");

process.stdout.write("ready\n");
for await (const line of createInterface({ input: process.stdin })) {
  const [command, key = "", value] = line.split(" ");
  if (command === "set")
    void mine.set(key, Number(value)).then(() => process.stdout.write(`${line}\n`));
  if (command === "close") {
    await cache.close();
    process.stdout.write("closed\n");
    process.exit(0);
  }
}
