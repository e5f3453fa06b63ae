/**
 * Fills a memory tier with the issues in a folder of `*.jsonl.gz` and prints what it says that it
 * takes, and by how much the heap has grown: `node --expose-gc heap-child.ts FOLDER`.
 */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { memoryTier } from "../../../src/tier/memory/memory-tier.ts";

/** Enough to make everything that does not grow with the entries small beside them. */
const ENTRIES = 6_000;
const FILES = 12;
const [folder = ""] = process.argv.slice(2);
const files = readdirSync(folder).filter((name) => name.endsWith(".jsonl.gz"));

function heapBytes(): number {
  for (let round = 0; round < 4; round++) globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

const tier = memoryTier({
  maxEntries: 1_000_000,
  maxBytes: "4GB",
  maxEntryBytes: "100MB",
  sweepEvery: 0,
});
const part = tier.partition("issues/", undefined, "frozen");

function fill(name: string, most: number): number {
  let added = 0;
  const text = gunzipSync(readFileSync(join(folder, name))).toString();
  for (const line of text.split("\n")) {
    if (line === "" || added === most) continue;
    const key = `${name}:${added++}`;
    const nowMs = Date.now();
    part.put(key, {
      key: "",
      value: JSON.parse(line),
      category: "issues",
      createdMs: nowMs,
      freshUntilMs: nowMs + 3_600_000,
      keepUntilMs: nowMs + 3_600_000,
      slidingMs: 0,
      tags: added % 4 === 0 ? ["cache/every fourth", `cache/${name}`] : [],
      loadMs: 1,
      etag: undefined,
    });
  }
  return added;
}

// Code is compiled and tables are made with the first entries; they do not count.
fill(files[0] ?? "", 200);
const before = { heap: heapBytes(), said: tier.statistics().bytes };
let left = ENTRIES;
for (const name of files.slice(1, FILES)) left -= fill(name, Math.min(left, ENTRIES / 6));
const grown = heapBytes() - before.heap;
const said = tier.statistics().bytes - before.said;

process.stdout.write(JSON.stringify({ entries: ENTRIES - left, said, grown }));
