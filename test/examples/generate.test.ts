import { describe, expect, it } from "vitest";
import { generateWeeks } from "../../examples/auditor/generate.ts";
import { weekLabelOf } from "../../examples/auditor/weeks.ts";

describe("the generator", () => {
  it("makes ten weeks of 100 to 5,000 tasks, 19,850 in all", () => {
    const sizes = [...generateWeeks()].map((week) => [...week.tasks].length);

    expect(sizes).toHaveLength(10);
    expect(Math.min(...sizes)).toBe(100);
    expect(Math.max(...sizes)).toBe(5_000);
    expect(sizes.reduce((sum, size) => sum + size)).toBe(19_850);
  });

  it("makes the same for the same seed, and something else for another", () => {
    const make = (seed: number): string =>
      JSON.stringify([...generateWeeks(seed, [20, 30])].map((week) => [...week.tasks]));

    expect(make(7)).toBe(make(7));
    expect(make(7)).not.toBe(make(8));
  });

  it("makes tasks that lie in their week and take as long as they say", () => {
    for (const week of generateWeeks(3, [50, 50, 50, 50])) {
      for (const { beginMs, endMs, durationSeconds } of week.tasks) {
        expect(weekLabelOf(beginMs ?? 0)).toBe(week.label);
        expect((endMs ?? 0) - (beginMs ?? 0)).toBe(durationSeconds * 1_000);
      }
    }
  });
});
