/** Several processes on one file, and the sudden end of one. */

import { execFile, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { hasOf } from "../../../src/testing/tier/context.ts";
import { drift, entry, openTier, query, temporaryPath, valuesOf } from "./support.ts";

const child = join(import.meta.dirname, "processes/child.ts");

async function run(...parameters: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [child, ...parameters]);
  return stdout;
}

describe("two processes that write the same keys", () => {
  it("leave the newest of each, and totals that a recount confirms", async () => {
    const path = temporaryPath();

    await Promise.all([run(path, "write", "even"), run(path, "write", "odd")]);

    expect(drift(path)).toEqual([]);
    const tier = openTier({ path });
    const keys = Array.from({ length: 400 }, (_, index) => `key ${index}`);
    const writers = (await valuesOf(tier, keys)).map((value) => (value as { by: string }).by);
    expect(writers).toEqual(keys.map((_, index) => (index % 2 === 0 ? "even" : "odd")));
    expect(tier.statistics().entries).toBe(400);
    await tier.dropTags(["by even"]);
    expect((await hasOf(tier, keys)).filter(Boolean).length).toBe(200);
  });
});

describe("four processes that ask for the same leases", () => {
  it("get each lease once", async () => {
    const path = temporaryPath();

    const outputs = await Promise.all([1, 2, 3, 4].map(() => run(path, "lease")));

    const got = outputs.flatMap((output) => JSON.parse(output) as string[]);
    expect(got.length).toBe(200);
    expect(new Set(got).size).toBe(200);
    const tier = openTier({ path });
    expect(await tier.leases.acquireLease("lease 7", 1_000)).toBeUndefined();
  });
});

describe("a process that sees what another one does", () => {
  it("finds what was set, dropped, tagged and cleared there at once", async () => {
    const path = temporaryPath();
    const here = openTier({ path });
    await here.setMany([entry("a", { tags: ["t"] }), entry("b")]);
    expect(await valuesOf(here, ["a", "b"])).toEqual(["value of a", "value of b"]);

    query(path, "DELETE FROM cache_entries WHERE key = 'b'");
    expect(await valuesOf(here, ["a", "b"])).toEqual(["value of a", undefined]);

    query(path, "UPDATE cache_tags SET dropped = 1");
    expect(await valuesOf(here, ["a"])).toEqual([undefined]);
  });
});

describe("a process that is killed within a write", () => {
  it("leaves every batch that was stored, whole, and a file without damage", async () => {
    const path = temporaryPath();
    const killed = spawn(process.execPath, [child, path, "endless"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let stored = -1;
    for await (const line of createInterface({ input: killed.stdout })) {
      stored = Number(line);
      if (stored === 25) killed.kill("SIGKILL");
    }

    const tier = openTier({ path });
    const keys = Array.from({ length: (stored + 1) * 50 }, (_, index) => `key ${index}`);
    expect(stored).toBeGreaterThanOrEqual(25);
    expect((await valuesOf(tier, keys)).filter((value) => value === undefined)).toEqual([]);
    const large = await valuesOf(tier, ["large 0", "large 1", "large 2"]);
    expect(large).toEqual(new Array(3).fill("y".repeat(700_000)));
    expect(tier.statistics().errors).toBe(0);
    await tier.close();
    expect(query(path, "PRAGMA integrity_check")).toEqual([{ integrity_check: "ok" }]);
    expect(drift(path)).toEqual([]);
  });
});
