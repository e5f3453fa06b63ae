import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ownText } from "../../../src/tier/memory/own-text.ts";

const MEMORY_TIER = new URL("../../../src/tier/memory/memory-tier.ts", import.meta.url).href;

/** Keeps parts of large texts as values, keys and tags, and prints by how much the heap grows. */
const SCRIPT = `
  import { memoryTier } from ${JSON.stringify(MEMORY_TIER)};
  const heapBytes = () => {
    for (let round = 0; round < 4; round++) gc();
    return process.memoryUsage().heapUsed;
  };
  const tier = memoryTier({ sweepEvery: 0 });
  const times = { createdMs: 0, freshUntilMs: Infinity, keepUntilMs: Infinity, slidingMs: 0 };
  const more = { category: "c", loadMs: 0, etag: undefined };
  const before = heapBytes();
  for (let index = 0; index < 50; index++) {
    const page = ("a" + index).repeat(100_000);
    const [key, value, tag] = [10, 20, 30].map((at) => page.slice(at, at + 50));
    await tier.setMany([{ key: index + key, value: { value }, tags: ["t" + tag], ...times, ...more }]);
  }
  console.log(heapBytes() - before);
`;

describe("a text of its own", () => {
  it("is the same text, whatever it is", () => {
    const texts = fc.oneof(
      fc.string({ unit: "binary", maxLength: 50 }),
      fc.string({ unit: fc.constantFrom("a", "ÿ", "한", "\ud800", "😀"), maxLength: 50 }),
    );
    fc.assert(
      fc.property(texts, fc.constantFrom(1, 3, 500), (text, times) => {
        const repeated = text.repeat(times);

        expect(ownText(repeated).text).toBe(repeated);
      }),
    );
  });

  it("does not keep the text that it was cut out of", () => {
    const node = ["--conditions=springhouse-source", "--expose-gc", "--input-type=module"];
    const grown = Number(execFileSync(process.execPath, [...node, "--eval", SCRIPT]).toString());

    expect(grown).toBeLessThan(1_500_000);
  });
});
