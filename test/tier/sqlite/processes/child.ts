/**
 * A process of its own with a tier on a shared file.
 *
 * `child.ts PATH write NAME` sets 2,000 entries under shared keys, at times that NAME decides;
 * `child.ts PATH lease NAME` asks for 200 leases and prints those it got;
 * `child.ts PATH endless` sets batches for ever and prints the number of each that was stored.
 */

import { sqliteTier } from "../../../../src/tier/sqlite/sqlite-tier.ts";
import type { TierEntry } from "../../../../src/tier/tier.ts";

const [path = "", task, name = ""] = process.argv.slice(2);
const tier = sqliteTier({ path, sweepEvery: 0 });
const startMs = Date.now() - 100_000;

const entry = (key: string, createdMs: number): TierEntry => ({
  key,
  value: { by: name, createdMs, fill: "x".repeat(500) },
  category: Number(key.slice(4)) % 2 === 0 ? "even" : "odd",
  createdMs,
  freshUntilMs: startMs + 3_600_000,
  keepUntilMs: startMs + 3_600_000,
  slidingMs: 0,
  tags: ["all", `by ${name}`],
  loadMs: 0,
  etag: undefined,
});

if (task === "write") {
  for (let batch = 0; batch < 100; batch++) {
    // Every second key is newer here, every second there; what is older also comes later.
    const entries = Array.from({ length: 20 }, (_, index) => {
      const number = (batch * 20 + index * 7) % 400;
      const newer = (number % 2 === 0) === (name === "even");
      return entry(`key ${number}`, Date.UTC(2020, 0, 1) + batch + (newer ? 1_000_000 : 0));
    });
    await tier.setMany(entries);
    if (batch % 10 === 0) await tier.getMany(entries.map(({ key }) => key));
  }
} else if (task === "lease") {
  const keys = Array.from({ length: 200 }, (_, index) => `lease ${index}`);
  const tokens = await Promise.all(keys.map((key) => tier.leases.acquireLease(key, 600_000)));
  const got = keys.filter((_, index) => tokens[index] !== undefined);
  process.stdout.write(JSON.stringify(got));
} else {
  for (let batch = 0; ; batch++) {
    const keys = Array.from({ length: 50 }, (_, index) => `key ${batch * 50 + index}`);
    const large = { ...entry(`large ${batch % 3}`, startMs + batch), value: "y".repeat(700_000) };
    await tier.setMany([...keys.map((key) => entry(key, startMs)), large]);
    process.stdout.write(`${batch}\n`);
  }
}
await tier.close();
