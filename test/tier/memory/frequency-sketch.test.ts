import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FREQUENCY_MAX, FrequencySketch } from "../../../src/tier/memory/frequency-sketch.ts";
import { hashOf } from "./policy-owner.ts";

/** Ten uses for each of the 512 entries that the smallest sketch is made for. */
const USES_BETWEEN_AGINGS = 5_120;

describe("a frequency sketch", () => {
  it("never tells fewer uses than there were, before it ages", () => {
    const uses = fc.array(fc.nat(500), { maxLength: 2_000 });

    fc.assert(
      fc.property(uses, (keys) => {
        const sketch = new FrequencySketch();
        const counts = new Map<number, number>();

        for (const key of keys) {
          sketch.increment(hashOf(key));
          counts.set(key, (counts.get(key) ?? 0) + 1);
        }

        for (const [key, count] of counts) {
          expect(sketch.frequency(hashOf(key))).toBeGreaterThanOrEqual(
            Math.min(count, FREQUENCY_MAX),
          );
        }
      }),
      { numRuns: 30 },
    );
  });

  it("tells most keys exactly when there are as many as it is made for", () => {
    const sketch = new FrequencySketch();
    for (let key = 0; key < sketch.entries; key++) sketch.increment(hashOf(key));

    const exact = Array.from({ length: sketch.entries }, (_, key) => sketch.frequency(hashOf(key)));

    expect(exact.filter((frequency) => frequency === 1).length).toBeGreaterThan(450);
  });

  it("does not count beyond fifteen", () => {
    const sketch = new FrequencySketch();
    for (let use = 0; use < 1_000; use++) sketch.increment(hashOf(1));

    expect(sketch.frequency(hashOf(1))).toBe(FREQUENCY_MAX);
    expect(sketch.frequency(hashOf(2))).toBe(0);
  });

  it("halves what it knows after ten uses for each entry", () => {
    const sketch = new FrequencySketch();
    for (let use = 0; use < 12; use++) sketch.increment(hashOf(1));
    const before = sketch.frequency(hashOf(1));
    // Saturated counters do not count as uses, so it takes a few more.
    for (let use = 12; use < USES_BETWEEN_AGINGS * 1.2; use++) {
      sketch.increment(hashOf(2 + (use % 360)));
    }

    const after = sketch.frequency(hashOf(1));

    expect(before).toBe(12);
    expect(after).toBeGreaterThanOrEqual(6);
    expect(after).toBeLessThan(12);
  });

  it("forgets what is not used any more", () => {
    const sketch = new FrequencySketch();
    for (let use = 0; use < 15; use++) sketch.increment(hashOf(1));

    for (let use = 0; use < USES_BETWEEN_AGINGS * 8; use++) {
      sketch.increment(hashOf(2 + (use % 4_000)));
    }

    expect(sketch.frequency(hashOf(1))).toBeLessThan(5);
  });

  it("keeps its estimates while it grows, and has a bound", () => {
    const sketch = new FrequencySketch();
    for (let key = 0; key < 100; key++) {
      for (let use = 0; use <= key % 5; use++) sketch.increment(hashOf(key));
    }
    const before = Array.from({ length: 100 }, (_, key) => sketch.frequency(hashOf(key)));

    sketch.reserve(1e12);

    const after = Array.from({ length: 100 }, (_, key) => sketch.frequency(hashOf(key)));
    expect(after).toEqual(before);
    expect(sketch.sizeBytes).toBe(32 * 1024 * 1024);
  });
});
