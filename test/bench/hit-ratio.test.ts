import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { misses } from "../../bench/bench.ts";
import { readBaselines } from "../../bench/hit-ratio/baseline.ts";
import { simulateLru } from "../../bench/hit-ratio/simulate-lru.ts";
import { nextUses, simulateOptimal } from "../../bench/hit-ratio/simulate-optimal.ts";
import { simulatePolicy } from "../../bench/hit-ratio/simulate-policy.ts";
import { readTrace, type Trace } from "../../bench/hit-ratio/trace.ts";
import { run } from "../../bench/hit-ratio.ts";

const REAL_TRACES = join(import.meta.dirname, "../../../shared/data/traces");

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "springhouse-traces-"));
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

describe("a trace", () => {
  const integers = Buffer.alloc(16);
  for (const [index, key] of [7, -1, 7, 9].entries()) integers.writeInt32BE(key, index * 4);
  const longs = Buffer.alloc(32);
  for (const [index, key] of [7n, -1n, 7n, 2n ** 60n].entries())
    longs.writeBigInt64BE(key, index * 8);

  it.each([
    ["arc_x.lis.zst", zstdCompressSync("5 2 0 1\n5 1 0 2\n8 1 0 3\n"), [0, 1, 0, 2]],
    ["lirs_x.trace.gz", gzipSync("7\n*\n\n3\n7\n9\n"), [0, 1, 0, 2]],
    ["cache2k_x.trace.zst", zstdCompressSync(integers), [0, 1, 0, 2]],
    ["corda_x.gz", gzipSync(longs), [0, 1, 0, 2]],
  ])("of the format of %s is read", (name, bytes, keys) => {
    const path = join(folder, name);
    writeFileSync(path, bytes);

    const trace = readTrace(path);

    expect([...trace.keys]).toEqual(keys);
    expect(trace.uniqueKeys).toBe(3);
  });

  it("of an unknown format is refused with the names that are known", () => {
    expect(() => readTrace(join(folder, "x.trace.gz"))).toThrow("arc_, lirs_, cache2k_, corda_");
  });
});

describe("a simulator", () => {
  const traces = fc
    .array(fc.nat(7), { minLength: 1, maxLength: 12 })
    .map((keys): Trace => ({ keys: Int32Array.from(keys), uniqueKeys: 8 }));
  const sizes = fc.integer({ min: 1, max: 4 });

  it("of the optimum finds what trying everything finds", () => {
    fc.assert(
      fc.property(traces, sizes, (trace, size) => {
        const best = bestOf([...trace.keys], 0, [], size);

        expect(simulateOptimal(trace, nextUses(trace), size)).toBe(best);
      }),
    );
  });

  it("of LRU agrees with our own", () => {
    fc.assert(
      fc.property(traces, sizes, (trace, size) => {
        expect(simulateLru(trace, size)).toBe(simulatePolicy("lru", trace, size));
      }),
    );
  });
});

describe("the bench", () => {
  const lirs = (keys: readonly number[]): Buffer => gzipSync(keys.join("\n"));
  const baseline = (lru: string): string =>
    `lirs_loop.gz requests=8 unique=4\nsize\tOPT\tLRU\tCaffeine3.2.2\n4\t50.00\t${lru}\t50.00\n`;

  it("measures any folder of traces that has its baseline file", async () => {
    writeFileSync(join(folder, "lirs_loop.gz"), lirs([1, 2, 3, 4, 1, 2, 3, 4]));
    writeFileSync(join(folder, "baseline-hit-ratios.txt"), baseline("50.00"));

    const { figures } = await run({ quick: true, dir: folder });

    expect(figures).toMatchObject({ cells: 1, cells_below_lru: 0, worst_points_below_lru: 0 });
  });

  it("fails when the baseline says something else than the run", async () => {
    writeFileSync(join(folder, "lirs_loop.gz"), lirs([1, 2, 3, 4, 1, 2, 3, 4]));
    writeFileSync(join(folder, "baseline-hit-ratios.txt"), baseline("49.90"));

    await expect(run({ quick: true, dir: folder })).rejects.toThrow("LRU is 50 here and 49.9");
  });

  it("says what is missing", () => {
    expect(() => readBaselines(join(folder, "nowhere"))).toThrow("--dir DIR");
  });

  it.skipIf(!existsSync(REAL_TRACES))("keeps its promises on the small traces", async () => {
    const result = await run({ quick: true });

    expect(misses(result)).toEqual([]);
  });
});

/** The most hits from `index` on with `held` in the cache, by trying every choice. */
function bestOf(keys: readonly number[], index: number, held: number[], size: number): number {
  const key = keys[index];
  if (key === undefined) return 0;
  if (held.includes(key)) return 1 + bestOf(keys, index + 1, held, size);
  const choices = [held];
  if (held.length < size) choices.push([...held, key]);
  else for (const gone of held) choices.push([...held.filter((other) => other !== gone), key]);
  return Math.max(...choices.map((choice) => bestOf(keys, index + 1, choice, size)));
}
